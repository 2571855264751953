import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from ui.server.security_headers import SecurityHeaders


@pytest.mark.parametrize("path", ["/", "/static/x.js", "/nowhere"])
def test_every_response_has_the_headers_and_no_server(path: str):
    answer = PlainTextResponse("x", headers={"Server": "uvicorn", "X-Frame-Options": "ALLOWALL"})
    headers = TestClient(SecurityHeaders(answer)).get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers.get_list("x-frame-options") == ["DENY"]
    assert headers["referrer-policy"] == "no-referrer"
    policy = dict(each.split(" ", 1) for each in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["img-src"] == "'self' data: blob: https://image.tmdb.org"
    assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
    assert "server" not in headers
