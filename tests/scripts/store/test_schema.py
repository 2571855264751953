import json
from pathlib import Path

import pytest

from scripts.store.schema import (
    FIELDS,
    HISTORIES,
    NESTED,
    SCHEMA,
    compact_json,
    film_record,
    unexpected_fields,
)
from tests.support.bundles import RUN_DATE
from tests.support.films import FILM, moment


def test_film_of_the_tests_has_tmdbs_format():
    assert unexpected_fields(FILM) == []
    assert len(FIELDS) == len(set(FIELDS)) == 26


def test_recorded_response_has_the_expected_format(tmdb_shared: Path):
    film = json.loads((tmdb_shared / "api" / "recorded" / "movie_550_append.json").read_bytes())
    assert unexpected_fields(film) == ["translations"]  # recorded without them
    record = film_record(film, moment(), RUN_DATE)
    assert record.keys() == set(SCHEMA.names) - HISTORIES.keys()
    assert json.loads(record["extra"]).keys() == {"external_ids", "images"}
    assert len(record["credits"]) < 0.5 * len(json.dumps(film["credits"]))


@pytest.mark.parametrize("name", [*FIELDS, "credits", "translations"])
def test_absent_field_is_unexpected(name: str):
    assert unexpected_fields({key: value for key, value in FILM.items() if key != name}) == [name]


@pytest.mark.parametrize("name", [*FIELDS, "keywords", "release_dates"])
def test_field_of_another_type_is_unexpected(name: str):
    value = "unexpected" if name in NESTED or name in {"adult", "video"} else ["unexpected"]
    assert unexpected_fields(FILM | {name: value}) == [name]


@pytest.mark.parametrize(
    ("change", "odd"),
    [
        ({"runtime": None}, []),
        ({"overview": None}, []),
        ({"title": None}, ["title"]),
        ({"vote_count": None}, ["vote_count"]),
        ({"vote_count": True}, ["vote_count"]),
        ({"vote_average": 7}, []),
        ({"credits": {"crew": []}}, ["credits"]),
        ({"credits": {"cast": [], "crew": None}}, ["credits"]),
    ],
)
def test_null_is_unexpected_only_in_fields_that_tmdb_always_fills(
    change: dict[str, object], odd: list[str]
):
    assert unexpected_fields(FILM | change) == odd


def test_new_field_of_tmdb_is_kept():
    record = film_record(FILM | {"softcore": False, "awards": [1]}, moment(), None)
    assert json.loads(record["extra"]) == {"softcore": False, "awards": [1]}
    assert film_record(FILM, moment(), None)["extra"] is None


def test_parts_that_only_a_web_page_needs_are_left_out():
    cast = [{"id": 3, "name": "Kim", "order": 0, "profile_path": "/a.jpg", "credit_id": "5"}]
    assert compact_json({"cast": cast}) == '{"cast":[{"id":3,"name":"Kim","order":0}]}'
