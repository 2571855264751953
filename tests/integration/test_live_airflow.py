"""Test runs that fail, wait, are late or are refused, in one real Airflow for all tests here."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.airflow import DAG, AirflowClient
from tests.support.live_airflow import ROOT, LiveAirflow, running_airflow
from tests.support.webhook import webhook

pytestmark = pytest.mark.timeout(1_800)

FAILING = ROOT / "tests" / "support" / "failing_dags"
QUESTION = "approve_promotion"
WAIT_SECONDS = 300
POLL_SECONDS = 0.5


class Scene:
    """The running Airflow, the messages that it sent, and the first run of each DAG."""

    def __init__(self, airflow: LiveAirflow, received: list[dict[str, Any]]):
        self.airflow = airflow
        self.received = received
        self.runs: dict[str, str] = {}

    def trigger(self, dag: str, **conf: Any) -> str:
        self.runs[dag] = self.airflow.dag(dag).trigger(**conf)
        return self.runs[dag]

    def ended(self, dag: str) -> dict[str, str]:
        """Wait until the DAG's run has ended; return the last state of each task instance."""
        news = self.airflow.dag(dag).follow(self.runs[dag])
        return {each.task: each.state for each in news}

    def messages(self, dag: str, count: int = 1) -> list[str]:
        """Wait for so many messages about the DAG's run, and return all, without its address."""
        wait(lambda: len(self._about(dag)) >= count)
        address = self.airflow.run_address(dag, self.runs[dag])
        assert all(text.endswith(f"\n{address}") for text in self._about(dag))
        return [text.removesuffix(f"\n{address}") for text in self._about(dag)]

    def _about(self, dag: str) -> list[str]:
        texts = [each["body"]["text"] for each in self.received]
        return [text for text in texts if text.startswith(f"{dag}: {self.runs[dag]} ")]


def wait(is_true: Callable[[], Any]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not is_true():
        assert time.monotonic() < end
        time.sleep(POLL_SECONDS)


def late(scene: Scene, dag: str) -> list[str]:
    """Return the messages about runs of a DAG that have run longer than no time at all."""
    scene.trigger("watching", watched=dag, seconds=0)
    assert scene.ended("watching") == {"find": "success"}
    found: dict[str, str] = scene.airflow.dag("watching").result(scene.runs["watching"], "find")
    return list(found.values())


def state(airflow: AirflowClient, run_id: str, task: str) -> str | None:
    answer = airflow._request("GET", f"/dagRuns/{run_id}/taskInstances/{task}")
    return answer.json()["state"] if answer.ok else None


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder: Path = tmp_path_factory.mktemp("airflow")
    # In this zone it is noon now, so no DAG's schedule starts a run by itself.
    noon = f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"
    with (
        webhook() as (address, received),
        running_airflow(
            folder,
            ROOT / "dags",
            FAILING,
            # As a connection, to show that the DAG processor reads one when it sends a message.
            AIRFLOW_CONN_MOVIE_RATING_ALERTS=json.dumps({"conn_type": "x", "password": address}),
            DATA_DIR=str(folder / "data"),
            PIPELINE_TIMEZONE=noon,
        ) as airflow,
    ):
        scene = Scene(airflow, received)
        for dag in (DAG, "waiting", "killed", "full_disk", "slow"):
            scene.trigger(dag)
        yield scene


def test_task_that_was_killed_sends_one_message(scene: Scene):
    assert scene.ended("killed") == {"train": "failed", "deploy": "upstream_failed"}
    assert scene.messages("killed") == [
        f"killed: {scene.runs['killed']} failed in train\n"
        "train: it left no error: it was killed, or a person marked it as failed"
    ]


def test_full_disk_of_many_mapped_tasks_sends_one_message(scene: Scene):
    scene.ended("full_disk")
    assert scene.messages("full_disk") == [
        f"full_disk: {scene.runs['full_disk']} failed in fill[0-1, 3]\n"
        "fill[0-1]: [Errno 28] No space left on device\n"
        "fill[3]: TMDB refuses the key"
    ]


def test_run_that_was_stopped_sends_one_message(scene: Scene):
    (said,) = scene.messages("slow")
    assert said.startswith(f"slow: {scene.runs['slow']} was stopped before check_drift had ended, ")


def test_run_that_waits_for_a_person_is_not_late(scene: Scene):
    airflow, run_id = scene.airflow.dag("waiting"), scene.runs["waiting"]
    wait(lambda: state(airflow, run_id, QUESTION) == "awaiting_input")
    assert late(scene, "waiting") == []
    path = f"/dagRuns/{run_id}/taskInstances/{QUESTION}/-1/hitlDetails"
    airflow._request("PATCH", path, json={"chosen_options": ["No"]}).raise_for_status()
    scene.ended("waiting")
    assert scene.messages("waiting") == [
        f"waiting: {run_id} failed in obey\nobey: a person said no"
    ]
    assert late(scene, "waiting") == []


def test_run_is_late_while_its_task_finds_no_pool_and_can_be_cleared_after_it_failed(scene: Scene):
    airflow, run_id = scene.airflow.dag(DAG), scene.runs[DAG]
    wait(lambda: state(airflow, run_id, "extract_tmdb_data") == "scheduled")
    (said,) = late(scene, DAG)
    assert said.startswith(f"{DAG}: {run_id} is late: ")
    assert "extract_tmdb_data (scheduled)" in said
    airflow.set_pool(38)
    scene.ended(DAG)
    assert late(scene, DAG) == []
    clear = airflow._request("POST", f"/dagRuns/{run_id}/clear", json={"dry_run": False})
    assert clear.ok, clear.text
    assert scene.ended(DAG)["extract_tmdb_data"] == "failed"
    scene.messages(DAG, 2)
    cleared = scene.airflow.command("tasks", "clear", "--yes", DAG)
    assert cleared.returncode == 0, cleared.stderr
    assert scene.ended(DAG)["extract_tmdb_data"] == "failed"
    assert len(set(scene.messages(DAG, 3))) == 1
    assert "TMDB_API_KEY" in scene.messages(DAG)[0]


@pytest.mark.parametrize(
    ("dag", "conf", "sentence"),
    [
        (DAG, {"rundate": "2026-01-01"}, f"rundate is not a parameter of {DAG}, which has "),
        (DAG, {"run_date": "2999-01-01"}, "the run date 2999-01-01 is in the future; choose "),
        ("tmdb_movie_forecast", {"run_date": "2026-01-01"}, "tmdb_movie_forecast has no param"),
        ("tmdb_housekeeping", {"keep_days": 3}, "tmdb_housekeeping has no parameters; remove keep"),
        ("tmdb_film_backfill", {"from": "2026-01-01"}, "from is not a parameter of tmdb_film_b"),
        ("tmdb_film_backfill", {"min_votes": "many"}, "Invalid input for param min_votes"),
    ],
)
def test_request_with_wrong_parameters_is_refused(
    scene: Scene, dag: str, conf: dict[str, Any], sentence: str
):
    before = scene.airflow.dag(dag).run_ids()
    with pytest.raises(requests.HTTPError, match=f"^{sentence}"):
        scene.airflow.dag(dag).trigger(**conf)
    assert scene.airflow.dag(dag).run_ids() == before


@pytest.mark.parametrize("dag", [DAG, "tmdb_movie_forecast", "tmdb_housekeeping"])
def test_request_with_a_future_logical_date_is_refused(scene: Scene, dag: str):
    request = {"logical_date": "2999-01-01T00:00:00Z"}
    answer = scene.airflow.dag(dag)._request("POST", "/dagRuns", json=request)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("the logical date 2999-01-01 00:00 UTC is in the ")


def test_airflows_command_line_refuses_them_too(scene: Scene):
    conf = '{"rundate": "2026-01-01"}'
    refused = scene.airflow.command("dags", "trigger", DAG, "--conf", conf)
    assert refused.returncode != 0
    assert "which has run_date, reason; write run_date" in refused.stdout + refused.stderr


def test_no_run_has_sent_a_second_message(scene: Scene):
    assert len(scene.received) == 4 + 3  # one for each failed run, and one for each time it failed
