import unicodedata
from typing import Any

import pytest

from movierating.films.film import Entity
from scripts.store.parsing import main_genre, parse_film, to_frame
from tests.support.films import columns


@pytest.mark.parametrize(
    ("genres", "expected"),
    [
        ('[{"id":80,"name":"Crime"},{"id":18,"name":"Drama"}]', "Crime"),
        ("[]", None),
        ("", None),
        ('[{"id":80}]', None),
    ],
)
def test_main_genre_is_the_first(genres: str, expected: str | None):
    assert main_genre(genres) == expected


def test_film_without_votes_is_parsed():
    table = columns({"vote_count": 0, "vote_average": 0.0, "runtime": 0, "budget": 0})
    (row,) = to_frame(table).to_dict("records")
    film = parse_film(row)
    assert film.main_genre == "Crime"
    assert (film.runtime_minutes, film.budget_usd) == (None, None)


def test_people_companies_collections_and_keywords_have_their_ids():
    facts = {
        "production_companies": [{"id": 1, "name": "Lantern Films"}, {"id": 2, "name": "Sea"}],
        "belongs_to_collection": {"id": 3, "name": "Lanterns"},
        "keywords": {"keywords": [{"id": 4, "name": "island"}]},
        "credits": {
            "cast": [{"id": 5, "name": "Ada", "order": 1}, {"id": 6, "name": "Ada", "order": 0}],
            "crew": [{"id": 5, "name": "Ada", "job": "Director", "department": "Directing"}],
        },
    }
    (row,) = to_frame(columns(facts)).to_dict("records")
    film = parse_film(row)
    assert film.companies == (Entity(1, "Lantern Films"), Entity(2, "Sea"))
    assert film.franchise == Entity(3, "Lanterns")
    assert film.keywords == (Entity(4, "island"),)
    assert film.cast == (Entity(6, "Ada"), Entity(5, "Ada"))
    assert film.directors == (Entity(5, "Ada"),)


@pytest.mark.parametrize("number", [None, 0, -1, 2**53, True, 1.5, "7"])
def test_person_whose_id_is_unusable_is_known_by_name(number: Any):
    people: dict[str, list[Any]] = {"cast": [{"id": number, "name": "Ada"}], "crew": []}
    (row,) = to_frame(columns({"credits": people})).to_dict("records")
    assert parse_film(row).cast == ("Ada",)


def test_texts_are_normalised():
    korean = unicodedata.normalize("NFD", "등대지기")
    crew = [
        {"name": " Ada\u00a0 Novak", "job": "Director"},
        {"name": "Ada Novak", "job": "Director"},
    ]
    facts = {
        "title": korean,
        "overview": "A  ship\r\nsails\u200b.",
        "production_companies": [{"name": "Ｌａｎｔｅｒｎ Films"}],
        "credits": {"cast": [], "crew": crew},
    }
    (row,) = to_frame(columns(facts)).to_dict("records")
    film = parse_film(row)
    assert (film.title, film.companies) == ("등대지기", ("Lantern Films",))
    assert film.directors == ("Ada Novak",)
    assert film.plot is not None
    assert film.plot.text == "A ship sails."
