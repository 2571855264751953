import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest
from tenacity import wait_none

from movierating.settings import pipeline_settings
from tests.support.slow_server import HEADERS, slow_server

SECRET_PATH = "/services/T0AAA/B0BBB/nobody-may-read-this"


class Receiver(BaseHTTPRequestHandler):
    """Handler of a local webhook, which keeps the messages that it answers with status 200.

    Attributes:
        statuses: HTTP statuses to answer with, one per request; then it answers with 200.
        received: Path and JSON body of each kept message.
    """

    statuses: list[int]
    received: list[dict[str, Any]]

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.received.append({"path": self.path, "body": body})
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Do not print a line for each request."""


@contextmanager
def webhook(*statuses: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Run a local webhook that answers with `statuses`; yield its address and received messages."""

    class Handler(Receiver):
        pass

    Handler.statuses, Handler.received = list(statuses), []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{SECRET_PATH}", Handler.received
        server.shutdown()


@pytest.fixture
def alerts(pipeline: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:  # noqa: ARG001
    from dags import alerts

    monkeypatch.setattr(alerts._post.retry, "wait", wait_none())
    return alerts


@pytest.fixture
def set_webhook(monkeypatch: pytest.MonkeyPatch):
    """Return a function that sets ALERT_WEBHOOK_URL, as a line in `.env` would."""

    def to(address: str) -> None:
        monkeypatch.setenv("ALERT_WEBHOOK_URL", address)
        pipeline_settings.cache_clear()

    yield to
    pipeline_settings.cache_clear()


class TaskInstance:
    task_id = "extract_tmdb_data"
    dag_id = "tmdb_movie_rating_pipeline"


FAILURE = {
    "task_instance": TaskInstance(),
    "run_id": "manual__2026-11-23",
    "exception": RuntimeError("TMDB refuses the key"),
}


@pytest.mark.usefixtures("alerts")
def test_failed_task_sends_an_alert_in_slacks_format(set_webhook):
    from dags.defaults import alert_failure

    with webhook() as (address, received):
        set_webhook(address)
        alert_failure(FAILURE)
    assert received == [
        {
            "path": SECRET_PATH,
            "body": {
                "text": "tmdb_movie_rating_pipeline: extract_tmdb_data of manual__2026-11-23 "
                "failed for good: TMDB refuses the key"
            },
        }
    ]


def test_alert_is_sent_again_when_the_webhook_is_busy(alerts, set_webhook):
    with webhook(429, 500) as (address, received):
        set_webhook(address)
        alerts.send_alert("hello")
    assert [each["body"] for each in received] == [{"text": "hello"}]


@pytest.mark.parametrize("statuses", [[404, 404, 404], [500, 500, 500]])
def test_refused_alert_is_logged_without_the_address(alerts, set_webhook, caplog, statuses):
    with webhook(*statuses) as (address, _), caplog.at_level(logging.INFO):
        set_webhook(address)
        alerts.send_alert("hello")
    assert f"the alert could not be sent: it answered {statuses[0]}" in caplog.messages
    assert "nobody-may-read-this" not in caplog.text


def test_unreachable_webhook_raises_nothing_and_stays_secret(alerts, set_webhook, caplog):
    with webhook() as (address, _):
        set_webhook(address)
    with caplog.at_level(logging.INFO):
        alerts.send_alert("hello")
    assert "the alert could not be sent: ConnectionError" in caplog.messages
    assert "nobody-may-read-this" not in caplog.text


def test_without_a_webhook_no_alert_is_sent(alerts, set_webhook, caplog):
    set_webhook("")
    alerts.send_alert("hello")
    assert caplog.messages == []


def test_missed_deadline_sends_an_alert(alerts, set_webhook):
    # This is what Airflow's scheduler passes to the callback when a run misses its deadline.
    run = {"dag_id": "tmdb_movie_rating_pipeline", "dag_run_id": "scheduled__2026-11-23"}
    with webhook() as (address, received):
        set_webhook(address)
        alerts.alert_deadline(context={"dag_run": run, "deadline": {}})
    assert received[0]["body"] == {
        "text": "tmdb_movie_rating_pipeline: scheduled__2026-11-23 is late and still running"
    }


@pytest.mark.parametrize(("reason", "messages"), [("timed_out", 1), ("task_failure", 0)])
def test_run_sends_an_alert_only_for_its_timeout(alerts, set_webhook, dag, reason, messages):
    with webhook() as (address, received):
        set_webhook(address)
        alerts.alert_timeout({"dag": dag, "run_id": "manual__2026-11-23", "reason": reason})
    assert len(received) == messages


def test_daily_run_has_a_deadline_before_its_timeout(dag):
    (deadline,) = dag.deadline
    assert deadline.interval < dag.dagrun_timeout
    assert deadline.callback.path == "dags.alerts.alert_deadline"


def test_webhook_that_answers_too_slowly_is_left(
    alerts: ModuleType,
    set_webhook: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setattr(alerts, "_TIMEOUT_SECONDS", 0.1)
    with slow_server(HEADERS, b"X-Slow: 1\r\n") as url:
        set_webhook(url)
        alerts.send_alert("a run is late")
    assert "the alert could not be sent" in caplog.text
