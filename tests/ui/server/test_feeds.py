from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.support.stub_api import StubApi, problem
from ui.client.feeds import fetch_feed
from ui.server.feeds import Feeds

CALENDAR = "BEGIN:VCALENDAR\r\nNAME:영화\r\nEND:VCALENDAR\r\n".encode()


@pytest.fixture
def client(api: StubApi) -> TestClient:
    """Serve feeds of a stub of the API in front of an application that repeats the path."""
    api.responses["/forecasts.ics"] = 200, CALENDAR
    api.responses["/forecasts.atom"] = 200, b"<feed/>"
    served = Route("/{path:path}", lambda request: PlainTextResponse(request.url.path))
    return TestClient(Starlette(routes=[served], middleware=[Middleware(Feeds, fetch=fetch_feed)]))


@pytest.mark.parametrize(
    ("name", "media_type", "body"),
    [
        ("forecasts.ics", "text/calendar; charset=utf-8", CALENDAR),
        ("forecasts.atom", "application/atom+xml; charset=utf-8", b"<feed/>"),
    ],
)
def test_feed_of_the_api_is_passed_on(client: TestClient, name: str, media_type: str, body: bytes):
    answer = client.get(f"/feeds/{name}")
    assert (answer.content, answer.headers["content-type"]) == (body, media_type)
    assert client.head(f"/feeds/{name}").content == b""


def test_only_known_parameters_are_passed_on(client: TestClient, api: StubApi):
    client.get("/feeds/forecasts.ics?opened=next_week&search=a%26b&limit=3&sort=x&search=")
    assert api.paths[-1] == "/forecasts.ics?opened=next_week&limit=3"
    client.get("/feeds/forecasts.ics?search=a%26b")
    assert api.paths[-1] == "/forecasts.ics?search=a%26b"


def test_feed_that_the_reader_has_is_not_sent_again(client: TestClient):
    tag = client.get("/feeds/forecasts.ics").headers["etag"]
    again = client.get("/feeds/forecasts.ics", headers={"If-None-Match": f"W/{tag}"})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)


@pytest.mark.parametrize(
    ("response", "status", "text"),
    [
        (problem(422, "invalid", opened="send today"), 422, "send today"),
        (problem(503, "S3 is away"), 502, "The forecasts cannot be read right now"),
        (problem(401, "send a key"), 502, "The forecasts cannot be read right now"),
    ],
)
def test_problem_of_the_api_is_one_sentence(
    client: TestClient, api: StubApi, response: tuple[int, Any], status: int, text: str
):
    api.responses["/forecasts.ics"] = response
    answer = client.get("/feeds/forecasts.ics")
    assert (answer.status_code, text in answer.text) == (status, True)
    assert "etag" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/feeds", "/feeds/other.ics", "/forecasts.ics"])
def test_other_paths_are_passed_to_the_page(client: TestClient, path: str):
    assert client.get(path).text == path
