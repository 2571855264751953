from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.routes.people import _found
from movierating.model.token_index import NameIndex
from sandbox.s3.process import S3Server
from tests.app.conftest import serving
from tests.app.test_paging import pages_of
from tests.support.bundles import Packed

NAMES = ["Ada Novak", "Novak Lee", "Ingrid Anova", "Pedro Almodóvar", "봉준호"]


@pytest.mark.parametrize(
    ("letters", "found"),
    [
        ("nov", ["Novak Lee", "Ada Novak", "Ingrid Anova"]),
        ("  ADA n", ["Ada Novak"]),
        ("almodovar", ["Pedro Almodóvar"]),
        ("봉준", ["봉준호"]),
        ("nobody", []),
        (" ", []),
    ],
)
def test_names_that_begin_with_the_letters_come_first(letters: str, found: list[str]):
    assert _found(NameIndex(NAMES), letters) == found


def test_names_of_the_bundle_are_found(bare: TestClient, packed: Packed):
    answer = bare.get("/people", params={"q": "ada"}).json()
    assert answer == {"version": packed.manifest.version, "names": ["Ada Novak"], "next": None}


def test_names_are_searched_per_field(bare: TestClient):
    assert bare.get("/people", params={"q": "ada", "field": "cast"}).json()["names"] == []


def test_names_that_were_found_change_the_forecast(client: TestClient):
    names = client.get("/people", params={"q": "a", "limit": 50}).json()["names"]
    ratings = {
        client.post("/predict", json={"genres": ["Drama"], "directors": [name]}).json()["rating"]
        for name in names
    }
    assert len(ratings) > 1


def test_limit_bounds_the_number_of_names(client: TestClient):
    assert len(client.get("/people", params={"q": "a", "limit": 3}).json()["names"]) == 3


def test_next_links_lead_through_all_names(client: TestClient):
    first = client.get("/v1/people", params={"q": "a", "limit": 50}).json()["names"]
    assert sum(pages_of(client, "/v1/people?q=a&limit=10")[:5]) == len(first)


@pytest.mark.parametrize(
    "params",
    [{}, {"q": ""}, {"q": "a" * 101}, {"q": "a", "field": "title"}, {"q": "a", "limit": 0}],
)
def test_invalid_search_is_refused(client: TestClient, params: dict[str, Any]):
    response = client.get("/people", params=params)
    assert response.status_code == 422
    assert response.json()["errors"]


def test_search_without_a_model_gives_503(s3_server: S3Server, tmp_path: Path):
    settings = s3_server.settings(s3_server.new_bucket())
    with serving(settings, tmp_path) as (client, _):
        assert client.get("/people", params={"q": "a"}).status_code == 503
