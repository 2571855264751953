import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from app import server
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import ApiSettings, Settings, api_settings
from tests.app.routes.test_predict import OLD
from tests.support.bundles import Packed, put_into_production
from tests.support.live_service import LiveService, running_service

ROOT = Path(__file__).parents[2]
LONG = 300.0  # longer than any test takes; a second SIGTERM ends the service earlier
BODY = b'{"genres": ["Drama"], "runtime": 112}'


@pytest.fixture
def ready(bucket_settings: Settings, packed: Packed) -> Settings:
    """Return settings for an API that has a model in production and takes long to shut down."""
    put_into_production(Registry(open_bucket(bucket_settings)), packed)
    return bucket_settings.model_copy(update={"drain_seconds": LONG})


@pytest.fixture
def service(ready: Settings, tmp_path: Path) -> Iterator[LiveService]:
    with running_service(ready, tmp_path) as service:
        yield service


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_unready(url: str) -> bool:
    return requests.get(f"{url}/readyz", timeout=60).status_code == 503


def ask(url: str, balancer_turned_away: threading.Event, answers: list[int | str]) -> None:
    with requests.Session() as session:
        while not balancer_turned_away.is_set():
            try:
                answers.append(session.get(f"{url}/predict", params=OLD, timeout=60).status_code)
            except requests.RequestException as error:
                answers.append(repr(error))


def test_shutdown_under_load_loses_no_request(service: LiveService):
    turned_away, answers = threading.Event(), list[int | str]()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(ask, service.url, turned_away, answers)
        try:
            wait_until(lambda: len(answers) >= 50)
            service.process.send_signal(signal.SIGTERM)
            before = len(answers)
            # A load balancer polls /readyz, and sends requests elsewhere after the first 503.
            wait_until(lambda: is_unready(service.url))
            wait_until(lambda: len(answers) >= before + 50)
        finally:
            turned_away.set()
    assert set(answers) == {200}
    service.process.send_signal(signal.SIGTERM)
    service.process.wait(60)


def test_draining_service_is_unready_and_still_answers_until_a_second_sigterm(service: LiveService):
    service.process.send_signal(signal.SIGTERM)
    wait_until(lambda: is_unready(service.url))
    assert "shutting down" in requests.get(f"{service.url}/readyz", timeout=60).json()["detail"]
    answer = requests.get(f"{service.url}/predict", params=OLD, timeout=60)
    assert (answer.status_code, answer.headers["connection"]) == (200, "close")
    assert requests.get(f"{service.url}/livez", timeout=60).status_code == 200
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(60) in {0, -signal.SIGTERM}


def test_request_in_progress_is_finished_before_the_end(ready: Settings, tmp_path: Path):
    settings = ready.model_copy(update={"drain_seconds": 0})
    with running_service(settings, tmp_path) as service:
        port = int(service.url.rpartition(":")[2])
        head = (
            b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(BODY)
        )
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(head + BODY[:10])
            # Once this is answered, the service has also read the first part of the other request.
            requests.get(f"{service.url}/livez", timeout=60)
            service.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not takes_requests(port))
            connection.sendall(BODY[10:])
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'"rating"' in answer
        assert service.process.wait(60) == 0


def test_connections_outlive_those_of_load_balancers(bucket_settings: Settings):
    config = server.server_for(bucket_settings, "127.0.0.1", 0).config
    assert config.timeout_keep_alive > 60


def test_process_ends_within_ten_seconds_by_default():
    drain_seconds = ApiSettings.model_fields["drain_seconds"].default
    assert drain_seconds + server.FINISH_SECONDS < drain_seconds + server.LAST_SECONDS < 10


def takes_requests(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=60).close()
    except OSError:
        return False
    return True


def started(**settings: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | settings
    command = [sys.executable, "-m", "app.server"]
    return subprocess.run(
        command, cwd="/", env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "S3_BUCKET_NAME is not set; put it into .env"),
        ({"API_KEY_HASHES": "planted-key"}, "API_KEY_HASHES: must hold hashes"),
        ({"RATE_LIMIT_PER_MINUTE": "0"}, "RATE_LIMIT_PER_MINUTE: "),
    ],
)
def test_invalid_setting_is_reported_in_one_sentence(
    settings: dict[str, str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("app.logs.configure", lambda: None)
    monkeypatch.setattr(server, "api_settings", api_settings.__wrapped__)
    assert server.main([]) == 1
    (record,) = caplog.records
    assert sentence in record.getMessage()
    assert "planted-key" not in record.getMessage()
    assert record.exc_info is None


def test_program_with_an_invalid_setting_logs_one_line_and_fails():
    result = started(API_KEY_HASHES="planted-key")
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert "API_KEY_HASHES: must hold hashes" in line
    assert "planted-key" not in line


def test_used_port_is_reported_in_one_sentence_before_anything_is_loaded():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = started(S3_BUCKET_NAME="films", API_PORT=str(port))
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert f"cannot listen on 127.0.0.1, port {port}: Address already in use; set API_PORT" in line


def test_address_of_another_machine_is_reported():
    with pytest.raises(server.PortError, match=r"cannot listen on 192\.0\.2\.1, port 8000"):
        server.bound_socket("192.0.2.1", 8000)


def test_impossible_port_is_reported():
    with pytest.raises(server.PortError, match=r"port 70000: .*0-65535; set API_PORT"):
        server.bound_socket("127.0.0.1", 70_000)


def test_port_that_another_program_wins_is_reported_when_the_server_starts(
    bucket_settings: Settings,
):
    with server.bound_socket("127.0.0.1", 0) as bound, socket.socket() as winner:
        host, port = bound.getsockname()
        winner.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        winner.bind((host, port))
        winner.listen()
        with (
            ThreadPoolExecutor(1) as pool,
            pytest.raises(server.PortError, match=f"port {port}: Address already in use"),
        ):
            # In a thread: a browser test in this process leaves an event loop in the main thread.
            pool.submit(server.server_for(bucket_settings, host, port).run, [bound]).result()


def test_nobody_can_connect_before_the_server_starts():
    with server.bound_socket("127.0.0.1", 0) as bound:
        assert not takes_requests(bound.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_server_listens_on_any_form_of_address(host: str):
    with server.bound_socket(host, 0) as bound:
        assert bound.getsockname()[1]


def test_process_ends_with_its_status_while_a_thread_is_in_native_code():
    program = """
import threading, time
from app.server import end
threading.Thread(target=time.sleep, args=(600,)).start()  # not a daemon: Python would wait for it
end(3)
"""
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False, timeout=120)
    assert result.returncode == 3
