"""Test the approval of a new model, with Airflow's `dag.test()` and a real S3 server."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from dags.approval import approval_of
from movierating.identity import sha256
from movierating.settings import Settings
from sandbox.s3.process import S3Server
from scripts.evaluation.approval import Approval
from scripts.runtime.run_files import RunFiles
from tests.support.bundles import pack
from tests.support.dag_trial import try_dags
from tests.support.samples import as_csv, opened_since

AT = datetime(2026, 11, 23, 3, 12, tzinfo=UTC)
ADA = {"id": "7", "name": "ada"}


@pytest.mark.parametrize(
    ("options", "person", "approved", "by"),
    [
        (["Approve"], ADA, True, "ada"),
        (["Reject"], ADA, False, "ada"),
        ([], ADA, False, "ada"),
        (["Reject"], None, False, "nobody's answer in 10 h"),
        (["Approve"], None, False, "nobody's answer in 10 h"),
    ],
)
def test_only_a_person_can_approve(options: list[str], person: Any, approved: bool, by: str):
    response = {"chosen_options": options, "responded_by_user": person, "responded_at": AT}
    assert approval_of(response) == Approval(approved=approved, by=by, at=AT)


# The model is trained already, so the tasks before the approval are marked as successful. A thread
# gives the answers as Airflow's API does.
TRY_APPROVAL = """
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from threading import Thread
from unittest.mock import patch

from airflow import settings
from airflow.models.dagrun import DagRun
from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance, clear_task_instances
from airflow.models.trigger import handle_event_submit
from airflow.models.xcom import XComModel
from airflow.sdk.definitions.dag import _run_task
from airflow.triggers.base import TriggerEvent

from dags.movie_pipeline import tmdb_movie_rating_pipeline
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import pipeline_settings
from tests.support.bundles import pack

patch("scripts.deploy.log_run").start()  # a run of W&B takes some seconds
TRAINED = "check.*|extract.*|preprocess.*|train.*"
DAG = tmdb_movie_rating_pipeline()

def answer_next(option, person):
    with settings.NonScopedSession() as session:
        while True:
            session.expire_all()
            for detail in session.query(HITLDetail).filter_by(responded_at=None):
                task = session.get(TaskInstance, detail.ti_id)
                if task.state == "awaiting_input":
                    detail.chosen_options = [option]
                    detail.responded_by = {"id": "7", "name": person} if person else None
                    detail.responded_at = datetime.now(UTC)
                    event = TriggerEvent(detail.as_resume_event_payload())
                    handle_event_submit(event, task_instance=task, session=session)
                    session.commit()
                    return
            time.sleep(0.2)

def tried(marked=TRAINED, answer=None):
    if answer:
        Thread(target=answer_next, args=answer, daemon=True).start()
    run = DAG.test(mark_success_pattern=marked)
    return {each.task_id: str(each.state) for each in run.get_task_instances()}

def train_again():
    (bundle,) = Path(pipeline_settings().data_dir).glob("bundle_*")
    manifest = json.loads((bundle / "manifest.json").read_text())
    rmtree(bundle)
    day = datetime.fromisoformat(manifest["run_date"]).date()
    pack(bundle, day, 6.5, data_sha256=manifest["data"]["sha256"])

def ask_again():
    with settings.NonScopedSession() as session:
        task = session.query(TaskInstance).filter_by(task_id="approve_promotion").all()[-1]
        clear_task_instances([task], session)
        session.commit()
        _run_task(ti=task, task=DAG.get_task("approve_promotion"), run_triggerer=False)
        session.expire_all()
        (failure,) = session.query(XComModel).filter_by(key="failure").all()
        return [str(task.state), failure.value]

skipped = tried(f"{TRAINED}|publish.*|approve.*")
timed_out = tried(answer=("Reject", None))
train_again()
asked_again = ask_again()
approved = tried(answer=("Approve", "ada"))
decisions = Registry(open_bucket(pipeline_settings())).history()
told = [[each.action, each.reason] for each in decisions]
print(json.dumps([[skipped, timed_out, approved], told, asked_again]))
"""


@pytest.fixture(scope="module")
def tried(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("approval")
    bucket = s3_server.new_bucket()
    settings = s3_server.settings(bucket, data_dir=str(folder / "data"))
    trained(settings)
    environment = {
        "AWS_ACCESS_KEY_ID": settings.require("aws_access_key_id"),
        "AWS_SECRET_ACCESS_KEY": settings.require("aws_secret_access_key"),
        "AWS_ENDPOINT_URL_S3": settings.require("aws_endpoint_url_s3"),
        "AWS_DEFAULT_REGION": settings.aws_default_region or "us-east-1",
        "S3_BUCKET_NAME": bucket,
        "PROMOTION_APPROVAL": "true",
        "PIPELINE_TIMEZONE": "UTC",
    }
    return try_dags(TRY_APPROVAL, folder, tmp_path_factory, **environment)


def trained(settings: Settings) -> None:
    """Write the files that the pipeline has after training, for today's date."""
    files = RunFiles(Path(settings.data_dir), datetime.now(UTC).date())
    films = as_csv(opened_since(date(2025, 1, 10)))
    files.folder.mkdir(parents=True)
    files.cleaned.write_bytes(films)
    files.legacy_model.write_bytes(b"old model")
    pack(Path(str(files.bundle)), files.run_date, 7.0, data_sha256=sha256(films))


def test_approval_that_is_marked_as_success_promotes_nothing(tried: Any):
    runs, decisions, _ = tried
    assert runs[0]["approve_promotion"] == runs[0]["deploy_model_to_s3"] == "success"
    assert runs[0]["confirm_new_model_in_service"] == "skipped"
    action, reason = decisions[0]
    assert action == "refused"
    assert reason.startswith("not approved: nobody was asked for approval in this run; ")


def test_answer_by_timeout_promotes_nothing(tried: Any):
    runs, decisions, _ = tried
    assert runs[1]["approve_promotion"] == runs[1]["deploy_model_to_s3"] == "success"
    action, reason = decisions[1]
    assert action == "refused"
    assert reason.startswith("rejected by nobody's answer in 10 h; ")


def test_old_question_is_not_asked_about_another_model(tried: Any):
    state, reason = tried[2]
    assert state == "failed"
    assert "Airflow would still show the old question of this run, 'Put 20" in reason
    assert "start a new run of the DAG instead of clearing this one" in reason


def test_approved_model_is_promoted_with_the_persons_name(tried: Any):
    action, reason = tried[1][2]
    assert action == "promoted"
    assert reason.startswith("approved by ada; nothing is in production yet; ")
    assert "; answered at 20" in reason
