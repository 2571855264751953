import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.file_util import get_static_dir

from ui.server.static_files import ELEMENTS, StaticFiles, document_with_preloads

FOLDER = Path(get_static_dir())


@pytest.fixture
def client() -> TestClient:
    served = Route("/{path:path}", lambda _: PlainTextResponse("streamlit", 404))
    return TestClient(Starlette(routes=[served], middleware=[Middleware(StaticFiles)]))


def test_files_named_in_the_document_are_served_whole_and_cached_forever(client: TestClient):
    named = re.findall(r'"\.(/static/[^"]+)"', document_with_preloads(FOLDER))
    assert len(named) > 60
    for path in named:
        answer = client.get(path)
        assert answer.content == (FOLDER / path[1:]).read_bytes()
        assert "immutable" in answer.headers["cache-control"]
    kinds = {client.get(path).headers["content-type"].split(";")[0] for path in named}
    assert kinds >= {"text/css", "font/woff2"}
    assert any("javascript" in kind for kind in kinds)


@pytest.mark.parametrize("path", ["/static/js/none.js", "/static/../index.html", "/compare", "/"])
def test_other_paths_are_passed_on_to_streamlit(client: TestClient, path: str):
    assert client.get(path).text == "streamlit"


def test_document_preloads_all_scripts_of_the_first_page():
    document = document_with_preloads(FOLDER)
    for element in ELEMENTS:
        assert re.search(rf"/js/{element}\.[\w-]+\.js", document), element
    names = re.findall(r'"\./static/js/([\w.-]+\.js)"', document)
    assert len(names) == len(set(names))
