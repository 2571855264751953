import os
from collections.abc import Callable, Iterator
from urllib.error import URLError
from urllib.request import urlopen

import httpx
import pytest
import requests
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from movierating import settings as settings_module
from movierating.proxies import (
    ProxySettingError,
    check_proxies,
    is_local,
    proxy_for,
    spare_local_addresses,
)
from movierating.s3 import Bucket, open_bucket
from movierating.s3_errors import S3RefusedError, S3UnavailableError
from movierating.settings import Settings, pipeline_settings
from movierating.time_limits import ProxyProblemError, limited_session, reason
from sandbox.s3.process import S3Server
from sandbox.state import free_ports
from tests.support.recording_proxy import PASSWORD, RecordingProxy, recording_proxy, set_proxy
from ui.client import proxies as proxies_of_the_ui

LOCAL = [
    "localhost",
    "LOCALHOST",
    "pc.localhost",
    "127.0.0.1",
    "127.1.2.3",
    "127.1",
    "0x7f.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",
    "169.254.169.254",
    "[fe80::1]",
    "api",
    "seaweedfs",
    "airflow-api-server",
    "api.movie-rating.svc",
    "api.movie-rating.svc.cluster.local",
    "host.docker.internal",
]
REMOTE = ["api.themoviedb.org", "localhost.example", "10.0.0.5", "8.8.8.8", "8.8", "[2001:db8::1]"]
VARIABLES = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[RecordingProxy]:
    """Run a proxy that sends every request to the S3 server, whatever host the request names."""
    with recording_proxy(s3_server.url) as running:
        yield running


@pytest.mark.parametrize("host", LOCAL)
def test_local_host_needs_no_proxy(host: str, monkeypatch: pytest.MonkeyPatch):
    set_proxy(monkeypatch, "ALL_PROXY", "http://proxy.example:3128")
    assert proxy_for(f"http://{host}:8000/x") is None
    assert is_local(host.strip("[]"))
    assert proxies_of_the_ui.is_local(f"http://{host}:8000/x")


@pytest.mark.parametrize("host", REMOTE)
def test_other_host_needs_the_proxy(host: str, monkeypatch: pytest.MonkeyPatch):
    set_proxy(monkeypatch, "ALL_PROXY", "http://proxy.example:3128")
    used = proxy_for(f"https://{host}/x")
    assert used is not None
    assert used.address == "proxy.example:3128"
    assert not proxies_of_the_ui.is_local(f"http://{host}:8000/x")


@pytest.mark.parametrize(
    ("no_proxy", "url", "is_exception"),
    [
        ("corp.example", "http://corp.example", True),
        ("corp.example", "http://s3.corp.example", True),
        ("corp.example", "http://mycorp.example", False),
        (".corp.example", "http://s3.corp.example", True),
        ("*.corp.example", "http://s3.corp.example", True),
        ("CORP.example", "http://corp.EXAMPLE", True),
        ("corp.example:9000", "http://corp.example:9000", True),
        ("corp.example:9000", "http://corp.example", False),
        ("corp.example:443", "https://corp.example", True),
        ("10.0.0.0/8", "http://10.2.3.4:9000", True),
        ("10.0.0.0/8", "http://11.2.3.4", False),
        ("10.0.0.5", "http://10.0.0.5", True),
        ("10.0.0.5:9000", "http://10.0.0.5", False),
        ("2001:db8::/32", "http://[2001:db8::7]", True),
        ("[2001:db8::7]:80", "http://[2001:db8::7]", True),
        ("a.example, b.example", "http://b.example", True),
        ("a.example b.example", "http://b.example", True),
        ("http://corp.example:9000/", "http://corp.example:9000", True),
        ("https://s3.corp.example/bucket", "https://s3.corp.example", True),
        ("10.5", "http://10.0.0.5", False),  # no library reads short forms here
        ("a.example,*", "http://b.example", True),
        ("not a/network,,.", "http://b.example", False),
    ],
)
def test_no_proxy_is_read_in_all_its_forms(
    no_proxy: str, url: str, is_exception: bool, monkeypatch: pytest.MonkeyPatch
):
    set_proxy(monkeypatch, "ALL_PROXY", "http://proxy.example", no_proxy)
    assert (proxy_for(url) is None) is is_exception


@pytest.mark.parametrize("variable", VARIABLES)
def test_request_passes_the_proxy_unless_it_is_local(
    variable: str, proxy: RecordingProxy, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
):
    set_proxy(monkeypatch, variable, proxy.url)
    with limited_session(20) as session:
        session.get("http://films.example/x")
        session.get(s3_server.url)
    assert proxy.seen == ["GET http://films.example/x"]


@pytest.mark.parametrize("variable", VARIABLES)
def test_remote_bucket_passes_the_proxy_and_a_local_one_does_not(
    variable: str,
    proxy: RecordingProxy,
    bucket: Bucket,
    bucket_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
):
    set_proxy(monkeypatch, variable, proxy.url)
    open_bucket(bucket_settings).put("a", b"one")
    assert proxy.seen == []
    remote = bucket_settings.model_copy(update={"aws_endpoint_url_s3": "http://s3.example"})
    assert open_bucket(remote).keys("") == bucket.keys("") == ["a"]
    assert proxy.seen
    assert all(each.startswith("GET http://s3.example/") for each in proxy.seen)


def test_password_for_the_proxy_is_sent_to_it(
    proxy: RecordingProxy, bucket_settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    proxy.wants = f"someone:{PASSWORD}"
    set_proxy(monkeypatch, "HTTP_PROXY", proxy.with_password)
    remote = bucket_settings.model_copy(update={"aws_endpoint_url_s3": "http://s3.example"})
    assert open_bucket(remote).keys("") == []
    with limited_session(20) as session:
        assert session.get("http://films.example").status_code != 407


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("status", "words"), [(407, "refuses the user name or password"), (None, "cannot be reached")]
)
def test_proxy_that_lets_nothing_pass_is_named_without_its_password(
    scheme: str,
    status: int | None,
    words: str,
    bucket_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level("DEBUG")
    variable = f"{scheme}_proxy".upper()
    remote = bucket_settings.model_copy(update={"aws_endpoint_url_s3": f"{scheme}://s3.example"})
    with recording_proxy() as proxy:
        proxy.refuses = status
        url = proxy.with_password
        if status is None:
            url = url.replace(proxy.url[-5:], str(free_ports(1)[0]))
        set_proxy(monkeypatch, variable, url)
        with limited_session(20) as session, pytest.raises(requests.RequestException) as caught:
            session.get(f"{scheme}://films.example")
        with pytest.raises(S3UnavailableError) as caught_s3:
            open_bucket(remote).keys("")
    for sentence in (reason(caught.value), str(caught_s3.value)):
        assert words in sentence
        assert variable in sentence
    assert isinstance(caught_s3.value, S3RefusedError) is (status == 407)
    assert PASSWORD not in f"{caught.value!r} {caught_s3.value!r} {caplog.text}"


@pytest.mark.parametrize(("status", "retryable"), [(403, False), (429, True), (503, True)])
def test_proxy_that_refuses_a_host_is_named_with_its_answer(
    status: int, retryable: bool, bucket_settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    remote = bucket_settings.model_copy(update={"aws_endpoint_url_s3": "https://s3.example"})
    sentence = rf"in https_proxy .* refuses the request \({status}\)"
    with recording_proxy() as proxy, limited_session(20) as session:
        proxy.refuses = status
        set_proxy(monkeypatch, "https_proxy", f" {proxy.url}\n")
        with pytest.raises(ProxyProblemError, match=sentence) as caught:
            session.get("https://films.example")
        with pytest.raises(S3UnavailableError, match=sentence) as caught_s3:
            open_bucket(remote).keys("")
    assert caught.value.retryable is caught_s3.value.retryable is retryable


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"http://someone:{PASSWORD}#@proxy.example:3128", "%XX"),
        (f"http://someone:{PASSWORD}@:3128", "write http://HOST:PORT"),
        (f"ftp://someone:{PASSWORD}@proxy.example", "write http://HOST:PORT"),
        (f"socks5://someone:{PASSWORD}@proxy.example:1080", "set HTTP_PROXY and HTTPS_PROXY"),
    ],
)
def test_unusable_proxy_names_the_variable_and_not_the_password(
    url: str, words: str, bucket_settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    set_proxy(monkeypatch, "HTTPS_PROXY", url)
    remote = bucket_settings.model_copy(update={"aws_endpoint_url_s3": "https://s3.example"})

    def ask() -> None:
        with limited_session(20) as session:
            session.get("https://films.example")

    for fail in (check_proxies, ask, lambda: open_bucket(remote).keys("")):
        with pytest.raises((ProxySettingError, ProxyProblemError, S3RefusedError)) as caught:
            fail()
        assert str(caught.value).startswith("HTTPS_PROXY ")
        assert words in str(caught.value)
        assert PASSWORD not in repr(caught.value)


def by_botocore(url: str) -> None:
    proxies = get_environ_proxies(url)
    URLLib3Session(proxies=proxies).send(AWSRequest("GET", url).prepare())


@pytest.mark.parametrize("get", [httpx.get, requests.get, urlopen, by_botocore])
@pytest.mark.parametrize("no_proxy", ["", "a.example,*.b.example,[::1],fe80::/10,10.0.0.0/8", "*"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_no_library_sends_local_requests_through_a_proxy(
    host: str, no_proxy: str, get: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
):
    with recording_proxy() as proxy:
        set_proxy(monkeypatch, "HTTP_PROXY", proxy.url, no_proxy)
        spare_local_addresses()
        with pytest.raises((httpx.ConnectError, OSError, URLError, BotoCoreError)):
            get(f"http://{host}:{free_ports(1)[0]}/x")
        assert proxy.seen == []


def test_exceptions_of_the_user_are_kept_for_the_libraries(monkeypatch: pytest.MonkeyPatch):
    set_proxy(monkeypatch, "HTTP_PROXY", "http://p.example", "*.corp.example,[2001:db8::7]:80")
    spare_local_addresses()
    spare_local_addresses()
    assert os.environ["no_proxy"].startswith(".corp.example,2001:db8::7,localhost,127.0.0.1,")
    assert os.environ["NO_PROXY"] == os.environ["no_proxy"]


def test_container_that_the_environment_names_is_an_exception_for_the_libraries():
    environment = {
        "HTTP_PROXY": "http://proxy.example:3128",
        "WANDB_BASE_URL": "http://wandb:8080",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://films.example/otlp",
        "BROKEN": "http://[x",
    }
    spare_local_addresses(environment)
    assert "wandb" in environment["NO_PROXY"].split(",")
    assert "films.example" not in environment["NO_PROXY"]


def test_without_a_proxy_the_environment_stays_as_it_is():
    environment = {"NO_PROXY": "corp.example"}
    spare_local_addresses(environment)
    assert environment == {"NO_PROXY": "corp.example"}


def test_settings_file_may_name_the_proxy(tmp_path, monkeypatch: pytest.MonkeyPatch):
    set_proxy(monkeypatch, "http_proxy", "http://of-the-environment.example")
    (tmp_path / ".env").write_text("HTTP_PROXY=http://a.example\nHTTPS_PROXY=b.example:3128\n")
    monkeypatch.setattr(settings_module, "ENV_FILE", tmp_path / ".env")
    pipeline_settings.cache_clear()
    pipeline_settings()
    pipeline_settings.cache_clear()
    for scheme, address in (("http", "of-the-environment.example:80"), ("https", "b.example:3128")):
        used = proxy_for(f"{scheme}://films.example")
        assert used is not None
        assert used.address == address
    assert "127.0.0.1" in os.environ["no_proxy"]
