"""Test the whole system with a real Airflow, a local S3 server, real HTTP and a real browser.

All tests share one running system. They must run in the order of this file, because some stop or
restart the system, or depend on runs that earlier tests started.
"""

import json
import re
import time
from datetime import date, datetime, timedelta

import boto3
import psutil
import pytest
import requests
from playwright.sync_api import expect

from sandbox.airflow import DAG, FORECAST_DAG, HOUSEKEEPING_DAG, AirflowClient
from sandbox.programs import AIRFLOW_USER, BUCKET
from scripts.store.film_store import FilmStore
from tests.integration.conftest import FILMS, secrets_of
from tests.support.films import columns, remember
from tests.support.processes import processes_of

pytestmark = pytest.mark.timeout(1_800)

TIMEOUT_SECONDS = 20
# TMDB requests per second that two workers share: so few that both certainly work at the same time.
SHARED_PER_SECOND = 8


@pytest.fixture
def airflow(running):
    password = secrets_of(running.checkout)["airflow_password"]
    return AirflowClient(running.checkout.url("AIRFLOW_PORT"), AIRFLOW_USER, password)


@pytest.fixture
def store(running):
    (folder,) = (running.checkout.folder / "data-prepare" / "films").iterdir()
    return FilmStore(folder)


@pytest.fixture
def dag_of(running):
    """Return a function that creates an Airflow client for the DAG with a given name."""
    password = secrets_of(running.checkout)["airflow_password"]
    url = running.checkout.url("AIRFLOW_PORT")
    return lambda name: AirflowClient(url, AIRFLOW_USER, password, name)


@pytest.fixture
def api(running):
    return running.checkout.url("API_PORT")


class Objects:
    """A client for the S3 bucket of the running system."""

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
    port = re.findall(r"sandbox\.s3 .*?--port[ =](\d+)", config)[0]
    return Objects(f"http://127.0.0.1:{port}", keys["s3_key"], keys["s3_secret"])


def tmdb_url(running):
    config = (running.checkout.folder / ".sandbox" / "supervisord.conf").read_text()
    port = config.partition("sandbox.tmdb --port ")[2].split()[0]
    return f"http://127.0.0.1:{port}"


def get(url):
    return requests.get(url, timeout=TIMEOUT_SECONDS)


def test_up_prints_the_models_metrics_the_baselines_and_a_forecast(running):
    for expected in ("this model", "recent_mean", "old_model", "RMSE", "of 10", "/docs"):
        assert expected in running.printed


def test_api_serves_the_version_that_production_points_to(api, bucket):
    pointer = bucket.json("models/production.json")
    assert get(f"{api}/readyz").json() == {"status": "ready", "version": pointer["version"]}


def test_pipeline_waits_until_the_api_serves_the_new_version(running):
    assert "confirm_new_model_in_service: success  the service answers with" in running.printed


def test_new_model_triggers_forecasts_for_upcoming_films(running, dag_of, bucket):
    assert "forecast_upcoming_films: success" in running.printed
    assert "publish_film_catalogue: success" in running.printed
    (run_id,) = dag_of(FORECAST_DAG).run_ids()
    assert run_id.startswith("asset_triggered")
    (key,) = bucket.below("forecasts/made/")
    assert bucket.json("models/production.json")["version"] in key


def test_film_is_found_by_its_title_and_shows_its_forecast(running, api):
    address = running.printed.partition("a film by its title: ")[2].split()[0]
    (film, *_) = get(address).json()["films"]
    details = get(f"{api}/v1/films/{film['id']}").json()
    assert (details["title"], details["status"]) == (film["title"], "upcoming")
    assert len(details["forecasts"]) == 1
    assert details["notice"] is None


def test_bucket_has_the_three_pickles_for_old_consumers(bucket):
    assert bucket.below("models/latest/") == [
        "models/latest/best_model.pkl",
        "models/latest/main_genre_encoder.pkl",
        "models/latest/original_language_encoder.pkl",
    ]


def test_old_api_with_five_numbers_answers(api):
    genre = get(f"{api}/options").json()["genres"][0]["code"]
    query = f"runtime=120&genre_encoded={genre}&lang_encoded=-1&sentiment=0.2&overview_len=300"
    answer = get(f"{api}/predict?{query}")
    assert list(answer.json()) == ["predicted_rating"]
    assert 0 < answer.json()["predicted_rating"] < 10


def test_airflow_has_imported_all_dags_and_serves_its_ui(running, airflow):
    assert airflow.knows_dag()
    assert airflow.import_errors() == []
    assert "<html" in get(running.checkout.url("AIRFLOW_PORT")).text


def test_every_scheduled_dag_is_switched_on(dag_of):
    for dag in (DAG, FORECAST_DAG, HOUSEKEEPING_DAG):
        assert dag_of(dag)._request("GET", "").json()["is_paused"] is False


def test_ui_shows_a_forecast_by_the_model_in_service(running, page, api):
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


def test_run_for_a_past_date_publishes_a_version_but_does_not_promote_it(airflow, bucket, store):
    before = bucket.json("models/production.json")
    past = date.fromisoformat(before["run_date"]) - timedelta(days=30)
    remember(store, past - timedelta(days=1))
    run_id = airflow.trigger(run_date=past.isoformat())
    states = {news.task: news.state for news in airflow.follow(run_id)}
    outcome = airflow.result(run_id, "deploy_model_to_s3")
    assert states.pop("announce_new_model") == "skipped"
    assert states.pop("confirm_new_model_in_service") == "skipped"
    assert set(states.values()) == {"success"}
    assert not outcome["promoted"]
    assert "never moves backwards" in outcome["reason"]
    assert bucket.json("models/production.json") == before
    assert bucket.below(f"models/versions/{outcome['version']}/")


def test_run_for_a_date_without_rated_films_fails_with_a_clear_message(airflow):
    run_id = airflow.trigger(run_date="2020-02-29")
    news = {each.task: each for each in airflow.follow(run_id)}
    assert news["extract_tmdb_data"].state == "success"
    assert news["preprocess_movie_data"].state == "failed"
    assert "no film of the store was rated by 2020-02-29" in news["preprocess_movie_data"].words


def test_only_the_promoted_version_has_announced_a_new_model(airflow):
    (event,) = airflow.asset_events()
    assert event["extra"]["promoted"]


def test_no_secret_is_in_any_log(running):
    folder = running.checkout.folder
    logs = [
        path
        for path in [*(folder / ".sandbox").rglob("*"), *(folder / "data-prepare").rglob("*")]
        if path.is_file() and path.name not in {"secrets.json", "passwords.json", "access.json"}
    ]
    planted = secrets_of(running.checkout)
    del planted["s3_key"]  # only the key's public name; `s3_secret` is the secret
    assert {"api.log", "supervisord.out", "attempt=1.log"} <= {path.name for path in logs}
    found = {
        (name, path.name)
        for path in logs
        for name, secret in planted.items()
        if secret.encode() in path.read_bytes()
    }
    assert found == set()


def test_down_ends_all_processes_even_if_the_supervisor_was_killed(running):
    pid = (running.checkout.folder / ".sandbox" / "supervisord.pid").read_text()
    psutil.Process(int(pid)).kill()
    assert processes_of(running.checkout.folder)
    assert running.checkout.sandbox("down").returncode == 0
    assert processes_of(running.checkout.folder) == []


def test_second_start_keeps_the_bucket_and_the_version_in_production(running, api):
    result = running.checkout.sandbox(
        "up",
        COLLECT_MAX_FILMS=FILMS,
        COLLECT_MAX_PEOPLE="40",
        COLLECT_WORKERS="2",
        TMDB_REQUESTS_PER_SECOND=str(SHARED_PER_SECOND),
    )
    assert result.returncode == 0, result.stdout
    assert "is in production already" in result.stdout
    assert get(f"{api}/readyz").json()["version"] in running.printed


def test_two_workers_share_a_backfill_and_the_rate_limit(running, dag_of, store):
    ledger = dag_of(FORECAST_DAG)
    assert list(ledger.follow(ledger.run_ids()[-1]))  # wait: a run from `up` would occupy a worker
    requests.delete(f"{tmdb_url(running)}/stats", timeout=TIMEOUT_SECONDS)
    backfill = dag_of("tmdb_film_backfill")
    run_id = backfill.trigger(first="2025-08-01", last="2026-06-30", slice_films=150)
    states = [(each.task, each.state) for each in backfill.follow(run_id)]
    total = backfill.result(run_id, "finish_backfill")
    slices = backfill.mapped(run_id, "fill_slice")
    stats = get(f"{tmdb_url(running)}/stats").json()
    assert ("finish_backfill", "success") in states
    # Compare the times that Airflow recorded. Polling could miss the overlap on a busy machine.
    spans = sorted(
        [datetime.fromisoformat(each[key]) for key in ("start_date", "end_date")] for each in slices
    )
    assert spans[1][0] < spans[0][1]  # the second slice began before the first was done
    assert slices[0]["rendered_map_index"].startswith("2025-08-01 to ")
    assert total["listed"] > 200
    assert (total["missing"], total["bad"]) == (0, 0)
    assert len(store.index()) >= total["listed"]
    # Two workers that did not share the rate would send twice as many requests in this time. The
    # most requests in one second say less: on a busy machine, delayed requests arrive together.
    seconds = (max(end for _, end in spans) - spans[0][0]).total_seconds()
    assert stats["by_kind"]["/movie/{id}"] <= SHARED_PER_SECOND * (seconds + 1)
    assert "429" not in stats["by_status"]


LEDGER_TASKS = (
    "forecast_upcoming_films",
    "publish_film_catalogue",
    "check_tmdb_pool",
    "collect_names_of_people",
    "score_released_films",
    "check_drift",
    "decide_on_retraining",
)


def branch_of(ledger, run_id):
    """Wait until a run of the forecast DAG ends, and return the task that it chose.

    This task is `retrain_model` or `keep_model`. The test fails if an earlier task failed.
    """
    states = {news.task: news.state for news in ledger.follow(run_id)}
    assert {task: states.pop(task) for task in LEDGER_TASKS} == dict.fromkeys(
        LEDGER_TASKS, "success"
    )
    (branch,) = (task for task, state in states.items() if state != "skipped")
    assert states[branch] == "success"
    return branch


def test_forecasts_of_upcoming_films_reach_the_ledger_and_the_api(dag_of, bucket, api):
    ledger = dag_of(FORECAST_DAG)
    before = bucket.below("forecasts/made/")
    assert branch_of(ledger, ledger.trigger()) == "keep_model"
    assert set(before) <= set(bucket.below("forecasts/made/"))
    deadline = time.monotonic() + 150  # the API reads the ledger once per minute
    while not (shown := get(f"{api}/forecasts").json())["total"]:
        assert time.monotonic() < deadline
        time.sleep(2)
    assert all(film["release_date"] > shown["as_of"] for film in shown["films"])
    assert get(f"{api}/track-record").json()["figures"] is None


def test_drift_starts_one_retraining_per_day_and_states_the_reason(airflow, dag_of, bucket, store):
    pointer = bucket.json("models/production.json")
    day = date.fromisoformat(pointer["run_date"])
    drifted(store, day, bucket.json(f"models/versions/{pointer['version']}/manifest.json"))
    # Date the model back by one day, because a model trained today is not retrained today.
    bucket.put("models/production.json", pointer | {"run_date": str(day - timedelta(days=1))})
    ledger, run_id = dag_of(FORECAST_DAG), f"drift__{day}"
    runs = [
        ledger.trigger() for _ in range(2)
    ]  # they run one after the other, as max_active_runs is 1
    assert [branch_of(ledger, each) for each in runs] == ["retrain_model", "keep_model"]
    claim = bucket.json(f"forecasts/retrainings/{day}.json")
    assert claim["run_id"] == runs[0]
    assert "language of recent films differs from the training films" in claim["reason"]
    assert [each for each in airflow.run_ids() if each.startswith("drift")] == [run_id]
    assert airflow.conf(run_id) == {"reason": claim["reason"]}
    assert next(news for news in airflow.follow(run_id) if news.task == "extract_tmdb_data")


def drifted(store, day, manifest):
    """Add films to the film store whose language has changed over time (drift).

    120 films from before the split date are English; 120 recent films are in another language.
    """
    split = date.fromisoformat(manifest["split"]["split_date"])
    films = [
        {"id": 900_000_000 + at, "release_date": str(opened), "original_language": language}
        for at, (opened, language) in enumerate(
            [(split - timedelta(days=1 + at), "en") for at in range(120)]
            + [(day - timedelta(days=1 + at), "xx") for at in range(120)]
        )
    ]
    store.add(columns(*(film | {"vote_count": 80} for film in films), day=day - timedelta(days=1)))


def test_housekeeping_succeeds_and_cleans_airflows_database(dag_of):
    housekeeping = dag_of(HOUSEKEEPING_DAG)
    states = {news.task: news.state for news in housekeeping.follow(housekeeping.trigger())}
    tasks = ("prune_files", "prune_versions", "clean_metadata", "report_late_runs")
    assert states == dict.fromkeys(tasks, "success")


def test_down_ends_all_processes_even_while_a_task_runs(running, airflow):
    news = airflow.follow(airflow.trigger(run_date="2026-01-01"))
    assert next(each.state for each in news if each.state == "running")
    assert running.checkout.sandbox("down").returncode == 0
    assert processes_of(running.checkout.folder) == []


def test_dag_still_has_its_old_name():
    assert DAG == "tmdb_movie_rating_pipeline"
