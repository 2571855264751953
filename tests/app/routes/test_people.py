import math
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.background.catalogue_reader import CatalogueReader
from app.routes.people import _films, _found, _photos
from movierating.catalogue.films import FilmCatalogue
from movierating.films.film import Entity
from movierating.films.source import TMDB, invented_films
from movierating.model.token_index import NameIndex
from sandbox.s3.process import S3Server
from scripts.store.people import PeopleStore, PersonRecord
from tests.app.conftest import serving
from tests.app.test_paging import pages_of
from tests.support.bundles import Packed, effects_of
from tests.support.catalogues import catalogue_file
from tests.support.films import moment

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
    index = NameIndex(NAMES)
    assert [index.name(row) for row in _found(index, letters)] == found


BONG, HOMONYM = Entity(21684, "Bong Joon Ho"), Entity(9, "Bong Joon-ho")


def test_people_are_found_by_any_name_in_any_script():
    index = NameIndex([BONG, HOMONYM], {21684: ["봉준호", "Joon-ho Bong"]})
    for letters in ("봉준", "joon-ho bong", "준호"):
        assert _found(index, letters) == [0]
    assert _found(index, "joon ho") == [0, 1]  # each person once


def test_films_of_a_person_are_counted_in_each_field():
    numbers = {"director": 8, "writer": 5}
    effects = effects_of(
        {
            trait: {BONG: (1.0, 0.5, round(math.log1p(count), 5), 7.0, 7.0)}
            for trait, count in numbers.items()
        }
        | {"company": {BONG: (1.0, 0.5, 1.0, 7.0, 7.0)}}
    )
    assert _films(effects, BONG, "directors") == {"directors": 8, "writers": 5}
    assert _films(effects, HOMONYM, "directors") == {}


@pytest.mark.parametrize("base", ["https://image.tmdb.org/t/p/w185", None])
def test_photos_come_from_the_catalogue_unless_its_people_are_invented(
    tmp_path: Path, base: str | None
):
    person = PersonRecord(21684, moment(datetime.now(UTC).date()), profile_path="/p.jpg")
    PeopleStore(tmp_path / "store-films.sqlite" / TMDB).write([person])
    reader = CatalogueReader(pytest.fail, tmp_path)  # it opens no bucket
    reader.catalogue = FilmCatalogue(catalogue_file(tmp_path))
    request: Any = SimpleNamespace(
        state=SimpleNamespace(photo_base_url=base, catalogue_reader=reader)
    )
    photos = {BONG: f"{base}/p.jpg"} if base else {}
    assert _photos(request, [BONG, HOMONYM, "Ada"], TMDB) == photos
    assert _photos(request, [BONG], invented_films("1a2b")) == {}  # they have the same ids
    reader.catalogue = None
    assert _photos(request, [BONG], TMDB) == {}


def test_names_of_the_bundle_are_found(bare: TestClient, packed: Packed):
    answer = bare.get("/people", params={"q": "ada"}).json()
    assert answer == {
        "version": packed.manifest.version,
        "names": ["Ada Novak"],
        "found": [{"id": None, "name": "Ada Novak", "films": {}, "photo": None}],
        "is_known": False,
        "next": None,
    }


@pytest.mark.parametrize(
    ("q", "is_known"), [("ADA NOVAK", True), ("Ada", False), ("봉준호", False)]
)
def test_whole_name_that_the_model_knows_is_marked(bare: TestClient, q: str, is_known: bool):
    assert bare.get("/people", params={"q": q}).json()["is_known"] is is_known


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
    first = client.get("/v1/people", params={"q": "a", "limit": 50}).json()["found"]
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
