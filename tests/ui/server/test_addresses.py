import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ui.server.addresses import PAGES, UnknownAddressRedirect

BROWSER = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def client() -> TestClient:
    served = Route("/{path:path}", lambda request: PlainTextResponse(request.url.path))
    app = Starlette(routes=[served], middleware=[Middleware(UnknownAddressRedirect)])
    return TestClient(app, follow_redirects=False)


@pytest.mark.parametrize("path", ["/", *(f"/{name}" for name in PAGES[1:]), "/not_found"])
def test_pages_are_served(client: TestClient, path: str):
    assert client.get(path, headers=BROWSER).text == path


@pytest.mark.parametrize("path", ["/media/1.csv", "/static/js/a.js", "/_stcore/health"])
def test_what_is_streamlits_own_is_left_to_it(client: TestClient, path: str):
    assert client.get(path, headers=BROWSER).text == path


def test_what_no_person_asks_for_is_left_to_streamlit(client: TestClient):
    assert client.get("/compare/_stcore/health", headers={"accept": "*/*"}).is_success


@pytest.mark.parametrize(
    ("asked", "led_to"),
    [
        ("/nonsense", "/not_found"),
        ("/compare/nonsense", "/not_found"),
        ("/nonsense?lang=en&title=%EA%B0%80", "/not_found?lang=en&title=%EA%B0%80"),
        ("/forecast?lang=en", "/?lang=en"),
        ("/compare/", "/compare"),
        ("//evil.example", "/not_found"),
    ],
)
def test_other_addresses_lead_to_a_page_and_keep_what_they_asked(
    client: TestClient, asked: str, led_to: str
):
    answer = client.get(f"http://testserver{asked}", headers=BROWSER)
    assert answer.is_redirect
    assert answer.headers["location"] == led_to
