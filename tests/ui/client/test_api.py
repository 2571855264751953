import pytest

from tests.support.recording_proxy import recording_proxy, set_proxy
from tests.support.slow_server import HEADERS, slow_server
from tests.support.stub_api import running_stub_api
from ui.client import api


def test_response_that_does_not_end_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(api, "CONNECT_AND_READ_SECONDS", (3, 0.2))
    with slow_server(HEADERS + b"\r\n", b" ") as url:
        monkeypatch.setenv("API_URL", url)
        with pytest.raises(api.ApiError) as caught:
            api.fetch(dict, "/version")
    assert caught.value.kind in {"away", "slow"}


def test_api_on_this_machine_is_called_without_the_proxy_and_another_one_with_it(
    monkeypatch: pytest.MonkeyPatch,
):
    with running_stub_api() as stub, recording_proxy(stub.url) as proxy:
        set_proxy(monkeypatch, "http_proxy", proxy.url)
        for url in (stub.url, "http://films.example"):
            monkeypatch.setenv("API_URL", url)
            assert api.fetch(dict, "/version")["version"]
    assert proxy.seen == ["GET http://films.example/version"]


@pytest.mark.parametrize("form", ["{}\n", " {}\r\n", "\ufeff{}", '"{}"'])
def test_space_and_quotes_around_the_key_and_the_address_are_removed(
    monkeypatch: pytest.MonkeyPatch, form: str
):
    with running_stub_api() as stub:
        monkeypatch.setenv("API_URL", form.format(stub.url))
        monkeypatch.setenv("API_KEY", form.format("the-key"))
        assert api.fetch(dict, "/version")["version"]
        assert api._key_header() == {"X-API-Key": "the-key"}


@pytest.mark.parametrize("key", ["the\nkey", "키", "the\u200bkey"])
def test_key_that_no_header_can_hold_is_reported_as_a_wrong_key(
    monkeypatch: pytest.MonkeyPatch, key: str
):
    monkeypatch.setenv("API_KEY", key)
    with pytest.raises(api.ApiError) as caught:
        api.fetch(dict, "/version")
    assert caught.value.kind == "key"
