import json
from pathlib import Path

import pytest

from scripts.store.schema import (
    FIELDS,
    NESTED,
    SCHEMA,
    compact_json,
    film_record,
    unexpected_fields,
)
from tests.support.bundles import RUN_DATE
from tests.support.films import FILM, moment


def test_film_of_the_tests_is_in_the_form_of_tmdb():
    assert unexpected_fields(FILM) == []
    assert len(FIELDS) == len(set(FIELDS)) == 26


def test_recorded_answer_is_in_the_form_of_tmdb(tmdb_shared: Path):
    film = json.loads((tmdb_shared / "api" / "recorded" / "movie_550_append.json").read_bytes())
    assert unexpected_fields(film) == ["translations"]  # which it was not asked for
    record = film_record(film, moment(), RUN_DATE)
    assert record.keys() == set(SCHEMA.names) - {"votes"}
    assert json.loads(record["extra"]).keys() == {"external_ids", "images"}
    assert len(record["credits"]) < 0.5 * len(json.dumps(film["credits"]))


@pytest.mark.parametrize("name", [*FIELDS, "credits", "translations"])
def test_absent_field_is_odd(name: str):
    assert unexpected_fields({key: value for key, value in FILM.items() if key != name}) == [name]


@pytest.mark.parametrize("name", [*FIELDS, "keywords", "release_dates"])
def test_field_of_another_type_is_odd(name: str):
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
    ],
)
def test_null_is_odd_only_where_tmdb_always_knows(change: dict[str, object], odd: list[str]):
    assert unexpected_fields(FILM | change) == odd


def test_field_that_tmdb_adds_is_kept():
    record = film_record(FILM | {"softcore": False, "awards": [1]}, moment(), None)
    assert json.loads(record["extra"]) == {"softcore": False, "awards": [1]}
    assert film_record(FILM, moment(), None)["extra"] is None


def test_what_only_a_page_needs_is_left_out():
    cast = [{"id": 3, "name": "Kim", "order": 0, "profile_path": "/a.jpg", "credit_id": "5"}]
    assert compact_json({"cast": cast}) == '{"cast":[{"id":3,"name":"Kim","order":0}]}'
