import threading
from collections.abc import Callable

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ui.server import documents
from ui.server.documents import Documents, Preview, Visit

DOCUMENT = '<html lang="en"><head><title>Streamlit</title></head><body></body></html>'
PLAIN = Preview("ko", "plain", "a plain page")


def serving(describe: Callable[[Visit], Preview]) -> TestClient:
    streamlit = Route("/{path:path}", lambda _: PlainTextResponse("streamlit"))
    middleware = Middleware(Documents, document=DOCUMENT, describe=describe, plain=PLAIN)
    return TestClient(Starlette(routes=[streamlit], middleware=[middleware]))


def test_document_has_the_title_and_the_tags_of_its_page_escaped():
    hostile = '</title><script>alert("1")</script>'
    client = serving(lambda _: Preview("ko", hostile, f"{hostile} &", "https://image.tmdb.org/a"))
    answer = client.get("/")
    assert answer.headers["cache-control"] == "no-cache"
    escaped = "&lt;/title&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;"
    for part in (
        '<html lang="ko">',
        f"<title>{escaped}</title>",
        f'<meta property="og:title" content="{escaped}">',
        f'<meta property="og:description" content="{escaped} &amp;">',
        '<meta property="og:image" content="https://image.tmdb.org/a">',
    ):
        assert part in answer.text
    assert "<script" not in answer.text


def test_page_is_described_by_its_address_language_and_visitor():
    visits: list[Visit] = []

    def describe(visit: Visit) -> Preview:
        visits.append(visit)
        return PLAIN

    client = serving(describe)
    headers = {
        "cookie": "lang=en; a=b", "accept-language": "ko", "x-forwarded-for": "203.0.113.7",
    }  # fmt: skip
    for _ in range(2):  # the second time, the description is known
        client.get("/coming_soon?genres=Drama&genres=A+%26+B&title=%EA%B0%80", headers=headers)
    (visit,) = visits
    assert (visit.page, visit.accepted, visit.cookies["lang"]) == ("coming_soon", "ko", "en")
    assert visit.query == {"genres": ["Drama", "A & B"], "title": ["가"]}
    assert visit.address == "203.0.113.7, testclient"
    client.get(f"/?title={'x' * 5_000}")
    client.get(f"/compare?{'a=1&' * 300}")
    assert [each.query for each in visits[1:]] == [{}, {}]


@pytest.mark.parametrize("path", ["/media/1.csv", "/_stcore/health", "/static/js/a.js"])
def test_other_paths_are_passed_on(path: str):
    assert serving(lambda _: PLAIN).get(path).text == "streamlit"
    assert serving(lambda _: PLAIN).post("/").status_code == 405


def test_failing_or_slow_description_delays_no_document(monkeypatch: pytest.MonkeyPatch):
    def fail(_: Visit) -> Preview:
        raise KeyError("broken")

    assert "<title>plain</title>" in serving(fail).get("/").text
    monkeypatch.setattr(documents, "_SECONDS", 0.01)
    end = threading.Event()

    def wait(_: Visit) -> Preview:
        end.wait()
        return PLAIN

    with serving(wait) as client:
        answers = [client.get(f"/?title={at}").text for at in range(4)]
    end.set()
    assert all("<title>plain</title>" in answer for answer in answers)


def test_another_document_of_streamlit_is_refused():
    with pytest.raises(ValueError, match="Streamlit's document has changed"):
        Documents(PlainTextResponse("x"), "<html>", lambda _: PLAIN, PLAIN)
