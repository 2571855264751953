"""Test what must hold for every DAG of the project."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.dag_trial import try_dags
from tests.support.webhook import webhook

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
from datetime import UTC, date, datetime, timedelta
from unittest.mock import patch

from airflow.api.common.trigger_dag import trigger_dag
from airflow.models.asset import AssetEvent, TaskOutletAssetReference
from airflow.models.dagrun import DagRun
from airflow.models.pool import Pool
from airflow.utils.session import create_session
from airflow.utils.types import DagRunTriggeredByType
from dags import film_backfill, housekeeping, movie_forecast, movie_pipeline
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
    "scripts.publish.publish": 3,
    "scripts.drift.claim_retraining": None,
    "scripts.backfill.plan": [MAY, MAY],
    "scripts.backfill.fill": {},
    "scripts.backfill.finish": {},
}
for name, result in RESULTS.items():
    patch(name, return_value=result).start()

def states(dag, **conf):
    run = dag.test(run_conf=conf)
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
ended["misspelt"] = states(DAGS[1], min_vote=3)

def refusal(dag, conf=None, logical_date=None):
    # Airflow's form, REST API and command line create runs in this way, too.
    try:
        trigger_dag(
            dag.dag_id,
            triggered_by=DagRunTriggeredByType.CLI,
            conf=conf or {},
            logical_date=logical_date,
            run_id="a_run_of_the_test",
        )
    except ValueError as error:
        return str(error)

NOW = datetime.now(UTC)
TOMORROW = (NOW + timedelta(days=2)).date().isoformat()
refused = {
    "names": [refusal(dag, {"rundate": "2026-11-20"}) for dag in DAGS],
    "future": [refusal(dag, logical_date=NOW + timedelta(hours=1)) for dag in DAGS],
    "run_date": refusal(DAGS[0], {"run_date": TOMORROW}),
    "past": refusal(FORECAST, logical_date=NOW - timedelta(days=3)),
    "votes": refusal(DAGS[1], {"min_votes": -1}),
    "type": refusal(DAGS[1], {"slice_films": "many"}),
    "date": refusal(DAGS[1], {"first": "May"}),
}
with create_session() as session:
    refused["created"] = session.query(DagRun).filter_by(run_id="a_run_of_the_test").count()
accepted = {"run_date": "2026-11-20", "reason": "drift", "airflow/task_span_detail_level": 2}
refused["accepted"] = refusal(DAGS[0], accepted, NOW - timedelta(days=3))
print(json.dumps([ended, refused]))
"""


class Tried(NamedTuple):
    """The results of trying all DAGs with `dag.test()`.

    Attributes:
        ended: By DAG, the state of its run, and the states of its tasks.
        refused: By kind of request, the reasons why Airflow created no run.
        messages: What was sent to the webhook.
    """

    ended: dict[str, Any]
    refused: dict[str, Any]
    messages: list[str]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    folder = tmp_path_factory.mktemp("tried")
    with webhook() as (address, received):
        connection = json.dumps({"conn_type": "x", "password": address})
        ended, refused = try_dags(
            TRY_ALL, folder, tmp_path_factory, AIRFLOW_CONN_MOVIE_RATING_ALERTS=connection
        )
    return Tried(ended, refused, [each["body"]["text"] for each in received])


@pytest.mark.parametrize(
    "dag",
    [
        "tmdb_movie_rating_pipeline",
        "tmdb_movie_forecast",
        "tmdb_film_backfill",
        "tmdb_housekeeping",
    ],
)
def test_dag_can_be_tried_with_airflows_dag_test(tried: Tried, dag: str):
    states = dict(tried.ended[dag])
    assert states.pop("run") == "success"
    assert "success" in states.values()
    assert set(states.values()) <= {"success", "skipped"}


def test_repeated_run_announces_its_version_once_and_confirms_nothing(tried: Tried):
    assert tried.ended["events"] == ["v1"]
    assert tried.ended["tmdb_movie_rating_pipeline"]["announce_new_model"] == "success"
    assert tried.ended["repeated"]["announce_new_model"] == "skipped"
    assert tried.ended["repeated"]["confirm_new_model_in_service"] == "skipped"


def test_page_of_assets_shows_the_task_that_produces_the_model(tried: Tried):
    assert tried.ended["producing"] == [["tmdb_movie_rating_pipeline", "announce_new_model"]]


def test_each_failed_trial_sends_one_message(tried: Tried):
    _, broken, misspelt = tried.messages
    assert tried.ended["broken"]["run"] == tried.ended["misspelt"]["run"] == "failed"
    assert broken.startswith("tmdb_movie_forecast: manual__")
    assert " failed in score_released_films\n" in broken
    assert misspelt.startswith("tmdb_film_backfill: manual__")
    assert " failed in check_tmdb_pool\n" in misspelt


def test_run_fails_at_once_if_the_pool_is_smaller_than_the_share_of_a_task(tried: Tried):
    small_pool = tried.ended["small_pool"]
    assert small_pool["run"] == small_pool["check_tmdb_pool"] == "failed"
    assert small_pool["extract_tmdb_data"] == "upstream_failed"
    assert " failed in check_tmdb_pool\n" in tried.messages[0]
    assert tried.ended["repeated"]["check_tmdb_pool"] == "success"


def test_misspelt_parameter_is_refused_before_a_run_exists(tried: Tried):
    pipeline, backfill, housekeeping, forecast = tried.refused["names"]
    assert pipeline == (
        "rundate is not a parameter of tmdb_movie_rating_pipeline, which has run_date, reason; "
        "write run_date"
    )
    assert backfill.endswith("which has first, last, min_votes, slice_films; remove it")
    assert housekeeping == "tmdb_housekeeping has no parameters; remove rundate"
    assert forecast == "tmdb_movie_forecast has no parameters; remove rundate"


def test_future_date_is_refused_before_a_run_exists(tried: Tried):
    for sentence in tried.refused["future"]:
        assert " UTC is in the future; choose 20" in sentence
        assert sentence.endswith(" UTC or earlier, or leave it empty")
    assert tried.refused["run_date"].startswith("the run date 20")
    assert " is in the future; choose 20" in tried.refused["run_date"]


def test_forecast_for_a_past_date_is_refused_before_a_run_exists(tried: Tried):
    assert tried.refused["past"].startswith("a forecast is dated ")
    assert tried.refused["past"].endswith("; leave the logical date empty")


def test_wrong_value_of_a_parameter_is_refused_before_a_run_exists(tried: Tried):
    assert (
        "Invalid input for param min_votes: -1 is less than the minimum" in tried.refused["votes"]
    )
    assert "Invalid input for param slice_films: 'many' is not of type" in tried.refused["type"]
    assert "Invalid input for param first: 'May' is not a 'date'" in tried.refused["date"]


def test_refused_request_leaves_no_run(tried: Tried):
    assert tried.refused["created"] == 0
    assert tried.refused["accepted"] is None
