import pytest

from tests.support.stub_api import StubApi, running_stub_api
from ui.client import api, recent


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch):
    with running_stub_api() as stub:
        monkeypatch.setenv("API_URL", stub.url)
        yield stub


def keeping(monkeypatch: pytest.MonkeyPatch, cache_control: str) -> None:
    original = api._request

    def request(*arguments):
        response = original(*arguments)
        response.headers["Cache-Control"] = cache_control
        return response

    monkeypatch.setattr(api, "_request", request)


@pytest.mark.parametrize(
    ("cache_control", "requests"), [("private, max-age=60", 1), ("no-store", 2), ("max-age=0", 2)]
)
def test_response_is_kept_as_long_as_the_api_allows(
    stub: StubApi, monkeypatch: pytest.MonkeyPatch, cache_control: str, requests: int
):
    keeping(monkeypatch, cache_control)
    for _ in range(2):
        assert api.fetch(dict, "/version")["version"]
    assert stub.paths.count("/version") == requests


def test_fresh_response_and_another_query_are_requested(
    stub: StubApi, monkeypatch: pytest.MonkeyPatch
):
    keeping(monkeypatch, "private, max-age=60")
    api.fetch(dict, "/version")
    api.fetch(dict, "/version", fresh=True)
    api.fetch(dict, "/version", params={"a": "b"})
    assert len(stub.paths) == 3


def test_kept_responses_are_limited(stub: StubApi, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(recent, "_MOST", 2)
    keeping(monkeypatch, "private, max-age=60")
    for at in range(5):
        api.fetch(dict, "/version", params={"a": str(at)})
    assert len(stub.paths) == 5
    assert len(recent._kept) <= 2


def test_error_is_not_kept(stub: StubApi, monkeypatch: pytest.MonkeyPatch):
    keeping(monkeypatch, "private, max-age=60")
    stub.responses["/version"] = (503, {"detail": "no model"})
    for _ in range(2):
        with pytest.raises(api.ApiError):
            api.fetch(dict, "/version")
    assert len(stub.paths) == 2
