from types import SimpleNamespace

import pytest

from ui.client import visitor


@pytest.mark.parametrize(
    ("reported", "connected", "expected"),
    [
        (None, "203.0.113.7", "203.0.113.7"),
        ("203.0.113.7", "10.0.0.2", "203.0.113.7, 10.0.0.2"),  # through a proxy
        ("203.0.113.7", None, "203.0.113.7"),  # through a proxy on the same machine
        (None, None, None),
    ],
)
def test_address_of_the_visitor_is_passed_on_as_a_proxy_does(
    reported: str | None,
    connected: str | None,
    expected: str | None,
    monkeypatch: pytest.MonkeyPatch,
):
    headers = {"X-Forwarded-For": reported} if reported else {}
    context = SimpleNamespace(headers=headers, ip_address=connected)
    monkeypatch.setattr(visitor, "get_script_run_ctx", lambda **_: context)
    monkeypatch.setattr(visitor, "st", SimpleNamespace(context=context))
    assert visitor.forwarded_for().get("X-Forwarded-For") == expected


def test_without_a_visitor_no_address_is_sent():
    assert visitor.forwarded_for() == {}
