"""Test what must hold for every DAG of the project."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.webhook import SECRET_PATH, webhook

ROOT = Path(__file__).parents[2]
DAGS = ROOT / "dags"

# Airflow reads .airflowignore with a class that its library has replaced.
pytestmark = pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")


@pytest.fixture(scope="module")
def dags(pipeline: Any) -> list[Any]:  # noqa: ARG001 - Airflow is set up first
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(DAGS))
    assert bag.import_errors == {}
    return list(bag.dags.values())


def test_every_dag_reports_failed_runs_has_a_limit_and_no_deadline(dags: list[Any]):
    from dags.alerts import alert_failed_run

    assert len(dags) == 4
    for dag in dags:
        assert dag.on_failure_callback is alert_failed_run
        assert dag.dagrun_timeout
        assert not dag.deadline  # a run with a deadline cannot be cleared in Airflow 3.3


def test_airflow_reads_only_the_files_that_define_dags(dags: list[Any]):
    ignored = {each for each in (DAGS / ".airflowignore").read_text().split() if "." in each}
    here = {path.name for path in DAGS.glob("*.py")} - {"__init__.py"}
    assert here - ignored == {Path(dag.fileloc).name for dag in dags}


def test_every_dag_says_what_it_does_and_what_to_do_if_it_fails(dags: list[Any]):
    for dag in dags:
        assert dag.owner == "movie-rating"
        headings = [line[3:] for line in dag.doc_md.splitlines() if line.startswith("## ")]
        assert headings == ["What it does", "Inputs", "Outputs", "Repeating a run", "If it fails"]
        assert dag.tags
        assert dag.description
        for name in dag.params:
            parameter = dag.params.get_param(name)
            assert parameter.schema["title"], name
            assert parameter.description, name


def test_every_task_says_what_it_does_without_indented_lines(dags: list[Any]):
    for dag in dags:
        for task in dag.tasks:
            assert task.doc_md, task.task_id
            assert not any(line.startswith("    ") for line in task.doc_md.splitlines())


def test_description_of_a_dag_names_each_of_its_tasks(dags: list[Any]):
    only_with_approval = {"publish_model_to_s3", "approve_promotion"}
    for dag in dags:
        rows = re.findall(r"^\| (`.*?) \|", dag.doc_md, re.MULTILINE)
        named = set(re.findall(r"`(\w+)`", "".join(rows)))
        assert set(dag.task_dict) <= named <= set(dag.task_dict) | only_with_approval


def test_asset_has_a_description(dags: list[Any]):  # noqa: ARG001 - Airflow is set up first
    from dags.assets import PUBLISHED_MODEL

    assert "one event for each new version" in str(PUBLISHED_MODEL.extra["description"])


# The steps of the DAGs have tests of their own. Here they do nothing, and the last run fails.
TRY_ALL = """
import json, os
from datetime import UTC, date, datetime
from unittest.mock import patch

from dags import film_backfill, housekeeping, movie_forecast, movie_pipeline
from airflow.models.asset import AssetEvent, TaskOutletAssetReference
from airflow.models.pool import Pool
from airflow.utils.session import create_session
from movierating.errors import ExplainedError
from movierating.films.source import TMDB
from scripts.deploy import Deployment
from scripts.tmdb.slices import Slice

FORECAST = movie_forecast.tmdb_movie_forecast()
DAGS = [
    movie_pipeline.tmdb_movie_rating_pipeline(),
    film_backfill.tmdb_film_backfill(),
    housekeeping.tmdb_housekeeping(),
    FORECAST,
]
MAY = Slice(date(2026, 5, 1), date(2026, 5, 31), 100, 0, datetime.now(UTC), TMDB)
RESULTS = {
    "scripts.collect.collect": "films.csv",
    "scripts.preprocess.preprocess": "cleaned.csv",
    "scripts.train.train": Deployment("v1", True, ""),
    "scripts.deploy.deploy": Deployment("v1", True, ""),
    "scripts.forecast.forecast": 3,
    "scripts.score.score": 2,
    "scripts.drift.check": None,
    "scripts.drift.claim_retraining": None,
    "scripts.backfill.plan": [MAY, MAY],
    "scripts.backfill.fill": {},
    "scripts.backfill.finish": {},
}
for name, result in RESULTS.items():
    patch(name, return_value=result).start()

def states(dag):
    run = dag.test()
    return {"run": run.state} | {each.task_id: str(each.state) for each in run.get_task_instances()}

ended = {dag.dag_id: states(dag) for dag in DAGS}
DATABASE = f"sqlite:///{os.environ['AIRFLOW_HOME']}/airflow.db"
with patch.dict(os.environ, AIRFLOW_METADATA_CONN=DATABASE):
    Pool.create_or_update_pool("tmdb", 37, "", include_deferred=False)
    ended["small_pool"] = states(DAGS[0])
    Pool.create_or_update_pool("tmdb", 38, "", include_deferred=False)
    ended["repeated"] = states(DAGS[0])
with create_session() as session:
    ended["events"] = [each.extra["version"] for each in session.query(AssetEvent)]
    producing = session.query(TaskOutletAssetReference)
    ended["producing"] = [[each.dag_id, each.task_id] for each in producing]
with patch("scripts.score.score", side_effect=ExplainedError("the ledger is broken")):
    ended["broken"] = states(FORECAST)
print(json.dumps(ended))
"""


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[str]]:
    """Try all DAGs with `dag.test()`; return the states of runs and tasks, and the messages."""
    folder = tmp_path_factory.mktemp("tried")
    with webhook() as (address, received):
        environment = os.environ | {
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
            "PYTHONPATH": str(ROOT),
            "DATA_DIR": str(folder / "data"),
            "AIRFLOW_CONN_MOVIE_RATING_ALERTS": json.dumps({"conn_type": "x", "password": address}),
        }
        for arguments in (["-m", "airflow", "db", "migrate"], ["-c", TRY_ALL]):
            done = subprocess.run(
                [sys.executable, *arguments],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
            assert SECRET_PATH not in done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1]), [each["body"]["text"] for each in received]


@pytest.mark.parametrize(
    "dag",
    [
        "tmdb_movie_rating_pipeline",
        "tmdb_movie_forecast",
        "tmdb_film_backfill",
        "tmdb_housekeeping",
    ],
)
def test_dag_can_be_tried_with_airflows_dag_test(tried: Any, dag: str):
    states = dict(tried[0][dag])
    assert states.pop("run") == "success"
    assert "success" in states.values()
    assert set(states.values()) <= {"success", "skipped"}


def test_repeated_run_announces_its_version_once_and_confirms_nothing(tried: Any):
    ended, _ = tried
    assert ended["events"] == ["v1"]
    assert ended["tmdb_movie_rating_pipeline"]["announce_new_model"] == "success"
    assert ended["repeated"]["announce_new_model"] == "skipped"
    assert ended["repeated"]["confirm_new_model_in_service"] == "skipped"


def test_page_of_assets_shows_the_task_that_produces_the_model(tried: Any):
    assert tried[0]["producing"] == [["tmdb_movie_rating_pipeline", "announce_new_model"]]


def test_each_failed_trial_sends_one_message(tried: Any):
    ended, (_, said) = tried
    assert ended["broken"]["run"] == "failed"
    assert said.startswith("tmdb_movie_forecast: manual__")
    assert " failed in score_released_films\n" in said


def test_run_fails_at_once_if_the_pool_is_smaller_than_the_share_of_a_task(tried: Any):
    ended, (said, _) = tried
    assert ended["small_pool"]["run"] == ended["small_pool"]["check_tmdb_pool"] == "failed"
    assert ended["small_pool"]["extract_tmdb_data"] == "upstream_failed"
    assert " failed in check_tmdb_pool\n" in said
    assert ended["repeated"]["check_tmdb_pool"] == "success"
