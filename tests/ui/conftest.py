from collections.abc import Iterator

import pytest

from tests.support.stub_api import StubApi, running_stub_api


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubApi]:
    """Run a stub of the API that answers without errors; the UI in this process calls it."""
    with running_stub_api() as stub:
        monkeypatch.setenv("API_URL", stub.url)
        yield stub
