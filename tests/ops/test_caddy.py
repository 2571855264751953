"""Test the Caddy proxy's configuration with the real program; stubs replace the API and the UI."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from app.main import create_app
from movierating.settings import Settings
from sandbox.state import free_ports
from tests.support.stub_api import StubApi, running_stub_api

ROOT = Path(__file__).parents[2]
CADDY = Path(sys.executable).with_name("caddy")
FILE = ROOT / "ops" / "caddy" / "Caddyfile"
USER = ("someone", "a password of the tests")
# Every documented path of the API, with and without the version prefix.
DOCUMENTED = {
    re.sub(r"\{\w+\}", "1", path)
    for each in create_app(Settings(s3_bucket_name="none")).openapi()["paths"]
    for path in (each, each.removeprefix("/v1"))
} - {"/metrics", "/v1/metrics"}
PASSWORD_PROTECTED = (
    "/",
    "/version",
    "/predict",
    "/v1/predict",
    "/docs",
    "/metrics",
    "/otlp/v1/metrics",
)

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")


@dataclass(frozen=True)
class Proxy:
    """The running proxy.

    Attributes:
        http: The proxy's address without TLS.
        https: The proxy's address with TLS.
        api: The stub of the API, to which the proxy sends requests.
    """

    http: str
    https: str
    api: StubApi

    def get(self, path: str, **options) -> requests.Response:
        return requests.get(f"{self.https}{path}", verify=False, timeout=20, **options)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Start the proxy in front of stubs of the API and the UI.

    The proxy signs its own certificate for `localhost`."""
    folder = tmp_path_factory.mktemp("caddy")
    # The default cost makes each comparison of a password last a second.
    hashing = [str(CADDY), "hash-password", "--plaintext", USER[1], "--bcrypt-cost", "4"]
    hashed = subprocess.run(hashing, capture_output=True, text=True, check=True).stdout.strip()
    (folder / "users").write_text(f"{USER[0]} {hashed}\n")
    with running_stub_api() as api, running_stub_api() as page:
        # Last, because a server that starts in between could take one of these ports.
        http, https, health = free_ports(3)
        parts = ("/", "/coming_soon", "/compare", "/model", "/track_record")
        page.responses = dict.fromkeys(parts, (200, b"the page"))
        api.responses = dict.fromkeys(DOCUMENTED, (200, b"the API")) | api.responses
        api.responses |= {"/livez": (200, {}), "/readyz": (200, {}), "/metrics": (200, b"secret")}
        environment = {
            "XDG_DATA_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
            "PROXY_USERS_FILE": str(folder / "users"),
            # A dead proxy of a company's network, which requests to the API and the UI go round.
            "HTTP_PROXY": "http://127.0.0.1:1",
            "HTTP_PORT": str(http),
            "HTTPS_PORT": str(https),
            "HEALTH_PORT": str(health),
            "API_HOST": "localhost",
            "API_PORT": api.url.rpartition(":")[2],
            "UI_HOST": "127.0.0.1",
            "UI_PORT": page.url.rpartition(":")[2],
        }
        command = [str(CADDY), "run", "--config", str(FILE), "--adapter", "caddyfile"]
        log = (folder / "caddy.log").open("wb")
        with log, subprocess.Popen(command, env=os.environ | environment, stderr=log) as process:
            started = Proxy(f"http://localhost:{http}", f"https://localhost:{https}", api)
            # Caddy answers on the health port before it has signed its certificate.
            for url in (f"http://127.0.0.1:{health}", started.https):
                _wait_for(url, process, folder / "caddy.log")
            yield started
            process.terminate()


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            requests.get(url, timeout=5, verify=False)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(log.read_text())


@pytest.mark.parametrize("path", PASSWORD_PROTECTED)
def test_request_without_the_password_is_refused(proxy: Proxy, path: str):
    assert proxy.get(path).status_code == 401
    assert proxy.get(path, auth=(USER[0], "another")).status_code == 401


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_health_checks_need_no_password(proxy: Proxy, path: str):
    assert proxy.get(path).status_code == 200


def test_api_and_ui_answer_with_a_password(proxy: Proxy):
    assert proxy.get("/version", auth=USER).json()["version"]
    assert proxy.get("/", auth=USER).text == "the page"


@pytest.mark.parametrize("path", sorted(DOCUMENTED))
def test_every_path_of_the_api_is_routed_to_the_api(proxy: Proxy, path: str):
    proxy.api.paths.clear()
    proxy.get(path, auth=USER)
    assert proxy.api.paths == [path]


@pytest.mark.parametrize("path", ["/coming_soon", "/compare", "/model", "/track_record"])
def test_every_path_of_the_ui_is_routed_to_the_ui(proxy: Proxy, path: str):
    assert proxy.get(path, auth=USER).text == "the page"


def test_metrics_are_not_public(proxy: Proxy):
    assert proxy.get("/metrics", auth=USER).status_code == 404
    assert proxy.get("/v1/metrics", auth=USER).status_code == 404


@pytest.mark.parametrize("path", ["/", "/version", "/livez", "/metrics"])
def test_every_response_has_hsts_once_and_no_name_of_a_server(proxy: Proxy, path: str):
    for auth in (USER, None):
        headers = proxy.get(path, auth=auth).headers
        assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Server" not in proxy.get(path, auth=USER).headers


def test_pages_about_problems_are_routed_to_the_api(proxy: Proxy):
    proxy.api.paths.clear()
    proxy.api.responses["/problems/invalid-input"] = (200, b"a page")
    proxy.get("/problems/invalid-input", auth=USER)
    assert proxy.api.paths == ["/problems/invalid-input"]


def test_plain_http_is_redirected_to_tls(proxy: Proxy):
    answer = requests.get(f"{proxy.http}/version", allow_redirects=False, timeout=20)
    assert answer.status_code == 308
    assert answer.headers["Location"].startswith("https://")


def test_request_waits_until_a_replica_has_started(proxy: Proxy):
    proxy.api.stop()
    threading.Timer(0.4, proxy.api.start).start()
    assert proxy.get("/version", auth=USER).status_code == 200


def test_caddyfile_is_formatted_by_caddy_fmt():
    formatted = subprocess.run([CADDY, "fmt", FILE], capture_output=True, text=True, check=False)
    assert formatted.stdout == FILE.read_text()
