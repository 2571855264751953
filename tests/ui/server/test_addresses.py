import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ui.server.addresses import HIDDEN_PAGES, PAGES, UnknownAddressRedirect

BROWSER = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def client() -> TestClient:
    served = Route("/{path:path}", lambda request: PlainTextResponse(request.url.path))
    app = Starlette(routes=[served], middleware=[Middleware(UnknownAddressRedirect)])
    return TestClient(app, follow_redirects=False)


@pytest.mark.parametrize("path", ["/", *(f"/{name}" for name in (*PAGES[1:], *HIDDEN_PAGES))])
def test_pages_are_served(client: TestClient, path: str):
    assert client.get(path, headers=BROWSER).text == path


@pytest.mark.parametrize("path", ["/media/1.csv", "/static/js/a.js", "/_stcore/health"])
def test_streamlits_own_paths_are_passed_on(client: TestClient, path: str):
    assert client.get(path, headers=BROWSER).text == path


def test_requests_that_do_not_accept_html_are_passed_on(client: TestClient):
    assert client.get("/compare/_stcore/health", headers={"accept": "*/*"}).is_success


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        ("/nonsense", "/not_found"),
        ("/compare/nonsense", "/not_found"),
        ("/nonsense?lang=en&title=%EA%B0%80", "/not_found?lang=en&title=%EA%B0%80"),
        ("/forecast?lang=en", "/?lang=en"),
        ("/compare/", "/compare"),
        ("//evil.example", "/not_found"),
        ("/?film=7&lang=en", "/film?film=7&lang=en"),
    ],
)
def test_other_addresses_redirect_to_a_page_with_their_query(
    client: TestClient, asked: str, target: str
):
    answer = client.get(f"http://testserver{asked}", headers=BROWSER)
    assert answer.is_redirect
    assert answer.headers["location"] == target
