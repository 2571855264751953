import pytest
from fastapi.testclient import TestClient

from app.field_errors import CODES
from app.problem_types import PROBLEM_TYPES
from tests.app.test_problems import problem_of


@pytest.mark.parametrize("kind", PROBLEM_TYPES.values(), ids=lambda kind: kind.name)
def test_type_of_each_problem_is_a_page_that_explains_it(client: TestClient, kind):
    page = client.get(kind.uri)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<h1>{kind.title}</h1>" in page.text
    assert "What you can do" in page.text


def test_list_of_problems_links_to_each_page(client: TestClient):
    page = client.get("/problems").text
    assert all(f'href="{kind.uri}"' in page for kind in PROBLEM_TYPES.values())


def test_page_about_invalid_input_lists_every_code(client: TestClient):
    page = client.get("/problems/invalid-input").text
    assert all(f"<code>{code}</code>" in page for code in CODES)


def test_unknown_kind_of_problem_is_a_problem(client: TestClient):
    assert "/problems lists" in problem_of(client.get("/problems/<b>"), 404)["detail"]
