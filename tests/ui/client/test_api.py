import pytest

from tests.support.slow_server import HEADERS, slow_server
from ui.client import api


def test_response_that_does_not_end_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(api, "CONNECT_AND_READ_SECONDS", (3, 0.2))
    with slow_server(HEADERS + b"\r\n", b" ") as url:
        monkeypatch.setenv("API_URL", url)
        with pytest.raises(api.ApiError) as caught:
            api.fetch(dict, "/version")
    assert caught.value.kind in {"away", "slow"}
