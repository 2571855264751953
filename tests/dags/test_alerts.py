import logging
from types import ModuleType
from typing import Any

import pytest
from tenacity import wait_none

from movierating.settings import pipeline_settings
from tests.support.recording_proxy import recording_proxy, set_proxy
from tests.support.slow_server import HEADERS, slow_server
from tests.support.webhook import SECRET_PATH, webhook


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


def test_alert_is_sent_in_slacks_format(alerts, set_webhook):
    with webhook() as (address, received):
        set_webhook(address)
        assert alerts.send_alert("hello")
    assert received == [{"path": SECRET_PATH, "body": {"text": "hello"}}]


def test_alert_is_sent_again_when_the_webhook_is_busy(alerts, set_webhook):
    with webhook(429, 500) as (address, received):
        set_webhook(address)
        alerts.send_alert("hello")
    assert [each["body"] for each in received] == [{"text": "hello"}]


@pytest.mark.parametrize("statuses", [[404, 404, 404], [500, 500, 500], [302, 302, 302]])
def test_refused_alert_is_logged_without_the_address(alerts, set_webhook, caplog, statuses):
    with webhook(*statuses) as (address, _), caplog.at_level(logging.INFO):
        set_webhook(address)
        alerts.send_alert("hello")
    assert f"the alert could not be sent: the webhook answered {statuses[0]}" in caplog.messages
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


def test_message_that_stays_true_is_sent_once(alerts, set_webhook, monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    with webhook() as (address, received):
        set_webhook(address)
        for _ in range(2):
            assert alerts.send_new_alerts({"a run": "it is late"}) == ["a run"]
        alerts.send_new_alerts({})  # the run has ended
        alerts.send_new_alerts({"a run": "it is late again"})
    assert [each["body"]["text"] for each in received] == ["it is late", "it is late again"]


def test_message_that_was_not_sent_is_sent_the_next_time(
    alerts, set_webhook, monkeypatch, tmp_path
):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    with webhook(500, 500, 500) as (address, received):
        set_webhook(address)
        assert alerts.send_new_alerts({"a run": "it is late"}) == []
        assert alerts.send_new_alerts({"a run": "it is late"}) == ["a run"]
    assert len(received) == 1


def test_message_of_an_occasion_is_sent_once(alerts, set_webhook, monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    with webhook(404, 404, 404) as (address, received):
        set_webhook(address)
        sent = [alerts.send_once("hello", "weekly", week) for week in ("1", "1", "1", "2")]
    assert sent == [False, True, False, True]  # the first could not be sent
    assert len(received) == 2


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


def test_alert_passes_the_proxy_and_a_refusing_one_is_named(
    alerts, set_webhook, caplog, monkeypatch
):
    with webhook() as (address, received), recording_proxy(address) as proxy:
        set_proxy(monkeypatch, "HTTP_PROXY", proxy.with_password)
        set_webhook(f"http://hooks.example{SECRET_PATH}")
        assert alerts.send_alert("hello")
        proxy.refuses = 407
        assert not alerts.send_alert("hello")
    assert received == [{"path": SECRET_PATH, "body": {"text": "hello"}}]
    assert "could not be sent: the proxy in HTTP_PROXY" in caplog.text
    assert "nobody-may-read-this" not in caplog.text
