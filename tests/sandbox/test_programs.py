import pytest

from movierating.settings import Settings, load_settings
from sandbox.programs import environment
from sandbox.state import Secrets
from tests.support.recording_proxy import set_proxy

KEYS = Secrets("a", "b", "c", "d", "e", "f")


def environment_of_programs() -> dict[str, str]:
    return environment(load_settings(Settings), list(range(9000, 9011)), KEYS)


def test_programs_call_each_other_without_the_proxy(monkeypatch: pytest.MonkeyPatch):
    set_proxy(monkeypatch, "HTTP_PROXY", "http://proxy.example:3128", "corp.example")
    found = environment_of_programs()
    assert found["HTTP_PROXY"] == "http://proxy.example:3128"
    assert {"corp.example", "localhost", "127.0.0.1", "::1"} <= set(found["NO_PROXY"].split(","))
    assert found["no_proxy"] == found["NO_PROXY"]


def test_programs_do_not_see_a_socks_proxy(monkeypatch: pytest.MonkeyPatch):
    set_proxy(monkeypatch, "all_proxy", "socks5://127.0.0.1:1080")
    assert "all_proxy" not in environment_of_programs()
