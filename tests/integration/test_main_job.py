"""The main job, with real Airflow, a real S3 server, real HTTP and a real browser.

The tests run in the order of this file and share one system; the last one ends it.
"""

import json
import time
from datetime import date, datetime, timedelta

import boto3
import psutil
import pytest
import requests
from playwright.sync_api import expect

from sandbox.airflow import DAG, FORECAST_DAG, AirflowClient
from sandbox.programs import AIRFLOW_USER, BUCKET
from scripts.store.film_store import FilmStore
from tests.integration.conftest import FILMS, secrets_of
from tests.support.films import columns, remember
from tests.support.processes import processes_of

pytestmark = pytest.mark.timeout(1_800)

TIMEOUT_SECONDS = 20
SHARED_PER_SECOND = 8  # requests of two workers: slow enough that two slices surely overlap


@pytest.fixture
def airflow(running):
    password = secrets_of(running.checkout)["airflow_password"]
    return AirflowClient(running.checkout.url("AIRFLOW_PORT"), AIRFLOW_USER, password)


@pytest.fixture
def store(running):
    return FilmStore(running.checkout.folder / "data-prepare" / "films" / "127.0.0.1")


@pytest.fixture
def dag_of(running):
    """Another DAG by its name."""
    password = secrets_of(running.checkout)["airflow_password"]
    url = running.checkout.url("AIRFLOW_PORT")
    return lambda name: AirflowClient(url, AIRFLOW_USER, password, name)


@pytest.fixture
def api(running):
    return running.checkout.url("API_PORT")


class Objects:
    """The bucket of the running system."""

    def __init__(self, url, key, secret):
        self._client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )

    def json(self, key):
        return json.loads(self._client.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def put(self, key, content):
        body = json.dumps(content).encode()
        self._client.put_object(Bucket=BUCKET, Key=key, Body=body)

    def below(self, prefix):
        listed = self._client.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [each["Key"] for each in listed.get("Contents", [])]


@pytest.fixture
def bucket(running):
    keys = secrets_of(running.checkout)
    config = (running.checkout.folder / ".sandbox" / "supervisord.conf").read_text()
    port = config.partition("-s3.port=")[2].split()[0]
    return Objects(f"http://127.0.0.1:{port}", keys["s3_key"], keys["s3_secret"])


def tmdb_url(running):
    config = (running.checkout.folder / ".sandbox" / "supervisord.conf").read_text()
    port = config.partition("sandbox.tmdb --port ")[2].split()[0]
    return f"http://127.0.0.1:{port}"


def get(url):
    return requests.get(url, timeout=TIMEOUT_SECONDS)


def test_up_ends_with_metrics_beside_baselines_and_a_forecast(running):
    for expected in ("this model", "recent_mean", "old_model", "RMSE", "of 10", "/docs"):
        assert expected in running.printed


def test_api_serves_the_version_that_production_points_to(api, bucket):
    pointer = bucket.json("models/production.json")
    assert get(f"{api}/readyz").json() == {"status": "ready", "version": pointer["version"]}


def test_pipeline_ended_when_the_service_had_its_version(running):
    assert "confirm_new_model_in_service: success  the service answers with" in running.printed


def test_published_model_has_forecast_the_films_to_come(running, dag_of, bucket):
    assert "forecast_upcoming_films: success" in running.printed
    (run_id,) = dag_of(FORECAST_DAG).run_ids()
    assert run_id.startswith("asset_triggered")
    (key,) = bucket.below("forecasts/made/")
    assert bucket.json("models/production.json")["version"] in key


def test_old_consumers_find_their_three_pickles(bucket):
    assert bucket.below("models/latest/") == [
        "models/latest/best_model.pkl",
        "models/latest/main_genre_encoder.pkl",
        "models/latest/original_language_encoder.pkl",
    ]


def test_old_contract_is_answered_over_http(api):
    genre = get(f"{api}/options").json()["genres"][0]["code"]
    query = f"runtime=120&genre_encoded={genre}&lang_encoded=-1&sentiment=0.2&overview_len=300"
    answer = get(f"{api}/predict?{query}")
    assert list(answer.json()) == ["predicted_rating"]
    assert 0 < answer.json()["predicted_rating"] < 10


def test_airflow_shows_the_dag_and_serves_its_page(running, airflow):
    assert airflow.knows_dag()
    assert airflow.import_errors() == []
    assert "<html" in get(running.checkout.url("AIRFLOW_PORT")).text


def test_page_forecasts_through_the_real_service(running, page, api):
    page.goto(f"{running.checkout.url('UI_PORT')}/?lang=en")
    page.get_by_label("Plot").fill("A kind nurse brings hope and laughter to a small village.")
    page.get_by_role("button", name="Forecast").click()
    expect(page.get_by_text(get(f"{api}/version").json()["version"])).to_be_visible()


def test_second_up_changes_nothing(running):
    before = running.checkout.sandbox("status").stdout
    served = get(f"{running.checkout.url('API_PORT')}/version").json()
    result = running.checkout.sandbox("up")
    assert result.returncode == 0
    assert "running the pipeline" not in result.stdout
    assert running.checkout.sandbox("status").stdout == before
    assert get(f"{running.checkout.url('API_PORT')}/version").json() == served


def test_run_for_a_past_date_publishes_and_leaves_production(airflow, bucket, store):
    before = bucket.json("models/production.json")
    past = date.fromisoformat(before["run_date"]) - timedelta(days=30)
    remember(store, past - timedelta(days=1))
    run_id = airflow.trigger(run_date=past.isoformat())
    states = {news.task: news.state for news in airflow.follow(run_id)}
    outcome = airflow.result(run_id, "deploy_model_to_s3")
    assert states.pop("confirm_new_model_in_service") == "skipped"
    assert set(states.values()) == {"success"}
    assert not outcome["promoted"]
    assert "never moves backwards" in outcome["reason"]
    assert bucket.json("models/production.json") == before
    assert bucket.below(f"models/versions/{outcome['version']}/")


def test_run_for_a_date_before_any_film_was_known_fails_in_one_sentence(airflow):
    run_id = airflow.trigger(run_date="2020-02-29")
    news = {each.task: each for each in airflow.follow(run_id)}
    assert news["extract_tmdb_data"].state == "success"
    assert news["preprocess_movie_data"].state == "failed"
    assert "no film of the store was rated by 2020-02-29" in news["preprocess_movie_data"].words


def test_refused_version_announces_no_model(airflow):
    (event,) = airflow.asset_events()
    assert event["extra"]["promoted"]


def test_no_secret_is_in_any_log(running):
    folder = running.checkout.folder
    logs = [
        path
        for path in [*(folder / ".sandbox").rglob("*"), *(folder / "data-prepare").rglob("*")]
        if path.is_file() and path.name not in {"secrets.json", "passwords.json"}
    ]
    planted = secrets_of(running.checkout)
    del planted["s3_key"]  # the name of a key; the secret is beside it
    assert {"api.log", "supervisord.out", "attempt=1.log"} <= {path.name for path in logs}
    found = {
        (name, path.name)
        for path in logs
        for name, secret in planted.items()
        if secret.encode() in path.read_bytes()
    }
    assert found == set()


def test_down_leaves_nothing_also_after_the_supervisor_was_killed(running):
    pid = (running.checkout.folder / ".sandbox" / "supervisord.pid").read_text()
    psutil.Process(int(pid)).kill()
    assert processes_of(running.checkout.folder)
    assert running.checkout.sandbox("down").returncode == 0
    assert processes_of(running.checkout.folder) == []


def test_up_again_finds_its_bucket_and_publishes_the_same_version(running, api):
    result = running.checkout.sandbox(
        "up",
        COLLECT_MAX_FILMS=FILMS,
        COLLECT_WORKERS="2",
        TMDB_REQUESTS_PER_SECOND=str(SHARED_PER_SECOND),
    )
    assert result.returncode == 0, result.stdout
    assert "is in production already" in result.stdout
    assert get(f"{api}/readyz").json()["version"] in running.printed


def test_backfill_spreads_over_two_workers_that_keep_to_one_rate(running, dag_of, store):
    ledger = dag_of(FORECAST_DAG)
    assert list(ledger.follow(ledger.run_ids()[-1]))  # what `up` began takes no worker any more
    requests.delete(f"{tmdb_url(running)}/stats", timeout=TIMEOUT_SECONDS)
    backfill = dag_of("tmdb_film_backfill")
    run_id = backfill.trigger(first="2025-08-01", last="2026-06-30", slice_films=150)
    states = [(each.task, each.state) for each in backfill.follow(run_id)]
    total = backfill.result(run_id, "finish_backfill")
    slices = backfill.mapped(run_id, "fill_slice")
    stats = get(f"{tmdb_url(running)}/stats").json()
    assert ("finish_backfill", "success") in states
    # Airflow's own times: on a busy machine, both may change between two looks at their states.
    spans = sorted(
        [datetime.fromisoformat(each[key]) for key in ("start_date", "end_date")] for each in slices
    )
    assert spans[1][0] < spans[0][1]  # the second slice began before the first was done
    assert slices[0]["rendered_map_index"].startswith("2025-08-01 to ")
    assert total["listed"] > 200
    assert (total["missing"], total["bad"]) == (0, 0)
    assert len(store.index()) >= total["listed"]
    # Half as much again leaves room for requests that wait on their way: two workers that did
    # not share the rate would send twice as much.
    assert stats["peak_per_second"] <= 1.5 * SHARED_PER_SECOND
    assert "429" not in stats["by_status"]


LEDGER_TASKS = (
    "forecast_upcoming_films",
    "score_released_films",
    "check_drift",
    "decide_on_retraining",
)


def branch_of(ledger, run_id):
    """Which branch a run of the forecast DAG took; fail if another task failed."""
    states = {news.task: news.state for news in ledger.follow(run_id)}
    assert {task: states.pop(task) for task in LEDGER_TASKS} == dict.fromkeys(
        LEDGER_TASKS, "success"
    )
    (branch,) = (task for task, state in states.items() if state != "skipped")
    assert states[branch] == "success"
    return branch


def test_films_to_come_are_forecast_written_down_and_shown(dag_of, bucket, api):
    ledger = dag_of(FORECAST_DAG)
    before = bucket.below("forecasts/made/")
    assert branch_of(ledger, ledger.trigger()) == "keep_model"
    assert set(before) <= set(bucket.below("forecasts/made/"))
    deadline = time.monotonic() + 150  # the service looks once a minute
    while not (shown := get(f"{api}/forecasts").json())["total"]:
        assert time.monotonic() < deadline
        time.sleep(2)
    assert all(film["release_date"] > shown["as_of"] for film in shown["films"])
    assert get(f"{api}/track-record").json()["figures"] is None


def test_drift_retrains_the_model_once_a_day_with_its_reason(airflow, dag_of, bucket, store):
    pointer = bucket.json("models/production.json")
    day = date.fromisoformat(pointer["run_date"])
    drifted(store, day, bucket.json(f"models/versions/{pointer['version']}/manifest.json"))
    # As if it were of yesterday: who has learned from the day's films is not trained again.
    bucket.put("models/production.json", pointer | {"run_date": str(day - timedelta(days=1))})
    ledger, run_id = dag_of(FORECAST_DAG), f"drift__{day}"
    runs = [ledger.trigger() for _ in range(2)]  # one after the other: max_active_runs is 1
    assert [branch_of(ledger, each) for each in runs] == ["retrain_model", "keep_model"]
    claim = bucket.json(f"forecasts/retrainings/{day}.json")
    assert claim["run_id"] == runs[0]
    assert "language of recent films differs from the training films" in claim["reason"]
    assert [each for each in airflow.run_ids() if each.startswith("drift")] == [run_id]
    assert airflow.conf(run_id) == {"reason": claim["reason"]}
    assert next(news for news in airflow.follow(run_id) if news.task == "extract_tmdb_data")


def drifted(store, day, manifest):
    """Add 120 English films from before the split, and 120 recent ones in another language."""
    split = date.fromisoformat(manifest["split"]["split_date"])
    films = [
        {"id": 900_000_000 + at, "release_date": str(opened), "original_language": language}
        for at, (opened, language) in enumerate(
            [(split - timedelta(days=1 + at), "en") for at in range(120)]
            + [(day - timedelta(days=1 + at), "xx") for at in range(120)]
        )
    ]
    store.add(columns(*(film | {"vote_count": 80} for film in films), day=day - timedelta(days=1)))


def test_housekeeping_may_clean_the_database_of_airflow(dag_of):
    housekeeping = dag_of("tmdb_housekeeping")
    states = {news.task: news.state for news in housekeeping.follow(housekeeping.trigger())}
    assert states == dict.fromkeys(("prune_files", "prune_versions", "clean_metadata"), "success")


def test_down_leaves_nothing_also_while_a_task_runs(running, airflow):
    news = airflow.follow(airflow.trigger(run_date="2026-01-01"))
    assert next(each.state for each in news if each.state == "running")
    assert running.checkout.sandbox("down").returncode == 0
    assert processes_of(running.checkout.folder) == []


def test_airflow_knows_the_dag_by_its_old_name():
    assert DAG == "tmdb_movie_rating_pipeline"
