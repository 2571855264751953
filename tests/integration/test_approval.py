"""Test, in a real Airflow, pipeline runs that wait for a person's approval of the new model.

The working folder of these runs is in S3, as if Airflow's workers shared no disk.
"""

import re
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.airflow import AirflowClient
from sandbox.checkout import copied
from sandbox.programs import AIRFLOW_USER, BUCKET
from tests.integration.conftest import FILMS, secrets_of
from tests.support.pipeline_run import left_on

pytestmark = pytest.mark.timeout(1_800)

QUESTION = "approve_promotion"


@pytest.fixture
def asking(tmp_path):
    """Copy this project's folder, and yield the copy.

    The test starts the system there with PROMOTION_APPROVAL on: it asks a person for approval."""
    with copied(tmp_path) as checkout:
        if not (checkout.folder / ".venv" / "sandbox").exists():
            pytest.skip("needs the environments that `make install` makes")
        yield checkout


def logged_in(checkout, up: "Future[Any]") -> AirflowClient:
    """Log in to Airflow as soon as it answers; fail if `make up` ends before that."""
    while not up.done():
        with suppress(requests.RequestException, FileNotFoundError):
            url = checkout.url("AIRFLOW_PORT")
            # Ask once before: the client's own retries would log a warning for each attempt.
            requests.get(url, timeout=5)
            return AirflowClient(url, AIRFLOW_USER, secrets_of(checkout)["airflow_password"])
        time.sleep(1)
    raise AssertionError(up.result().stdout)


def wait_for_the_scheduler(airflow: AirflowClient) -> None:
    """Wait until the scheduler has noticed that the process of the approval task ended.

    If the answer comes earlier, Airflow treats the task as lost and asks again. A person never
    answers so fast. The first new heartbeat is not enough, because the scheduler may have begun
    that round before the process ended. So this waits for the second new heartbeat.
    """
    beats: set[str] = set()
    while len(beats) < 3:  # the last one before the question, and two new ones
        health = requests.get(f"{airflow._url}/api/v2/monitor/health", timeout=20)
        beats.add(health.json()["scheduler"]["latest_scheduler_heartbeat"])
        time.sleep(0.5)


def answered(airflow: AirflowClient, run_id: str, option: str) -> dict[str, str]:
    """Answer the approval question when it appears; return the final Airflow state of each task.

    Args:
        airflow: The client for the DAG.
        run_id: The run that asks.
        option: The answer, `Approve` or `Reject`.
    """
    states = {}
    for news in airflow.follow(run_id):
        states[news.task] = news.state
        if (news.task, news.state) == (QUESTION, "awaiting_input"):
            path = f"/dagRuns/{run_id}/taskInstances/{QUESTION}/-1/hitlDetails"
            asked = airflow._request("GET", path).json()
            assert "The gate lets it through: nothing is in production yet" in asked["body"]
            wait_for_the_scheduler(airflow)
            airflow._request("PATCH", path, json={"chosen_options": [option]}).raise_for_status()
    return states


def assert_no_disk_was_used(checkout, temporary: Path) -> None:
    """Check that the tasks left no file of the pipeline in a local folder, and no key in a log."""
    assert [path.name for path in (checkout.folder / "data-prepare").iterdir()] == ["README.md"]
    left = [path.as_posix() for path in left_on(temporary)]
    ours = re.compile(r"^movierating-|\.(csv|html|json|onnx|parquet|pkl)\b")
    assert [name for name in left if ours.search(name)] == []
    logs = (checkout.folder / ".sandbox" / "logs" / "airflow").rglob("*.log")
    texts = [log.read_text() for log in logs]
    assert any("films in s3://" in text for text in texts)
    assert not any(secrets_of(checkout)["s3_secret"] in text for text in texts)


def marked_as_success(airflow: AirflowClient, run_id: str) -> dict[str, str]:
    """Mark the approval as successful instead of answering; return the final state of each task."""
    states = {}
    for news in airflow.follow(run_id):
        states[news.task] = news.state
        if (news.task, news.state) == (QUESTION, "awaiting_input"):
            path, state = f"/dagRuns/{run_id}/taskInstances/{QUESTION}", {"new_state": "success"}
            airflow._request("PATCH", path, json=state).raise_for_status()
    return states


def ask_again(airflow: AirflowClient, run_id: str) -> None:
    """Clear the approval and the tasks after it."""
    cleared = {
        "dag_run_id": run_id,
        "task_ids": [QUESTION],
        "include_downstream": True,
        "only_failed": False,
        "dry_run": False,
    }
    airflow._request("POST", "/clearTaskInstances", json=cleared).raise_for_status()


def test_new_model_goes_into_production_only_after_a_person_approves_it(asking, tmp_path_factory):
    temporary = tmp_path_factory.mktemp("temporary")
    asking.environment["TMPDIR"] = str(temporary)
    asking.environment["DATA_DIR"] = f"s3://{BUCKET}/pipeline"
    with ThreadPoolExecutor() as pool:
        # Names that are collected between two runs would make another version.
        chosen = {"COLLECT_MAX_FILMS": FILMS, "COLLECT_MAX_PEOPLE": "0"}
        up = pool.submit(asking.sandbox, "up", PROMOTION_APPROVAL="true", **chosen)
        airflow = logged_in(asking, up)
        while not (runs := airflow._request("GET", "/dagRuns").json().get("dag_runs")):
            assert not up.done(), up.result().stdout
            time.sleep(1)
        states = answered(airflow, runs[0]["dag_run_id"], "Reject")
        assert states[QUESTION] == states["deploy_model_to_s3"] == "success"
        assert states["confirm_new_model_in_service"] == "skipped"
        assert up.result().returncode == 1
    assert "answer under Required Actions at http" in up.result().stdout
    assert f"rejected by {AIRFLOW_USER}; nothing is in production yet" in up.result().stdout
    assert "no version is in production" in up.result().stdout

    run_id = airflow.trigger()
    states = marked_as_success(airflow, run_id)
    assert states[QUESTION] == states["deploy_model_to_s3"] == "success"
    assert states["confirm_new_model_in_service"] == "skipped"
    outcome = airflow.result(run_id, "deploy_model_to_s3")
    assert outcome["reason"].startswith("not approved: nobody has answered the question; ")
    assert requests.get(f"{asking.url('API_PORT')}/readyz", timeout=20).status_code == 503

    ask_again(airflow, run_id)
    assert set(answered(airflow, run_id, "Approve").values()) == {"success"}
    outcome = airflow.result(run_id, "deploy_model_to_s3")
    assert outcome["reason"].startswith(f"approved by {AIRFLOW_USER}; ")
    served = requests.get(f"{asking.url('API_PORT')}/readyz", timeout=20).json()
    assert served["version"] == outcome["version"]

    states = answered(airflow, run_id := airflow.trigger(), "Reject")
    assert states[QUESTION] == "skipped"  # the model is in production already
    assert airflow.result(run_id, "deploy_model_to_s3")["reason"] == "is in production already"
    assert_no_disk_was_used(asking, temporary)
