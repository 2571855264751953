import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.film_facts import FilmFacts
from app.tmdb_form import own_form
from movierating.films.film import Entity
from movierating.films.tmdb import entities

CREDITS = {
    "cast": [{"name": "Jo Lindqvist", "order": 1}, {"name": "Kim Minseo", "order": 0}],
    "crew": [
        {"name": "Ada Novak", "job": "Director", "department": "Directing"},
        {"name": "Ada Novak", "job": "Screenplay", "department": "Writing"},
        {"name": "Lee Sun", "job": "Novel", "department": "Writing"},
        {"name": "Ray Light", "job": "Gaffer", "department": "Lighting"},
    ],
}


def error_of(body: Any) -> dict[str, Any]:
    with pytest.raises(ValidationError) as raised:
        FilmFacts.model_validate(body)
    (error,) = raised.value.errors()
    return dict(error)


def test_film_as_tmdb_sends_it_has_the_same_facts_as_in_our_form(tmdb_shared: Path):
    raw = (tmdb_shared / "api/recorded/movie_550_append.json").read_text("utf-8")
    film = json.loads(raw)
    facts = FilmFacts.model_validate(film)
    own = FilmFacts(
        title="Fight Club",
        overview=film["overview"],
        genres=["Drama", "Thriller"],
        language="en",
        runtime=139,
        release_date=date(1999, 9, 10),  # the premiere in Venice, before `release_date`
        budget=63_000_000,
        countries=["DE", "US"],
        directors=[Entity(7467, "David Fincher")],
        writers=[Entity(7468, "Chuck Palahniuk"), Entity(7469, "Jim Uhls")],
        cast=list(entities(film["credits"]["cast"])),
        companies=list(entities(film["production_companies"])),
        keywords=list(entities(film["keywords"]["keywords"])),
    )
    assert facts.model_dump(include=set(FilmFacts.model_fields)) == own.model_dump()
    assert "vote_average" in (facts.model_extra or {})


def test_people_of_one_name_are_two_people_and_one_id_is_one_person():
    cast = [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Ada"}, {"id": 1, "name": "Ada N."}]
    facts = FilmFacts.model_validate({"overview": "A.", "credits": {"cast": cast, "crew": []}})
    assert facts.cast == [Entity(1, "Ada"), Entity(2, "Ada")]


def test_collection_of_a_film_of_tmdb_is_read(tmdb_shared: Path):
    raw = (tmdb_shared / "api/recorded/movie_348.json").read_text("utf-8")
    assert FilmFacts.model_validate_json(raw).collection == Entity(8091, "Alien Collection")


@pytest.mark.parametrize("name", ["upcoming_page1", "popular_page1", "top_rated_page1"])
def test_entries_of_the_lists_of_tmdb_are_read(tmdb_shared: Path, name: str):
    raw = (tmdb_shared / f"api/lists/{name}.json").read_text("utf-8")
    for entry in json.loads(raw)["results"]:
        facts = FilmFacts.model_validate(entry)
        assert len(facts.genres) == len(entry["genre_ids"])
        assert not any(genre.isdecimal() for genre in facts.genres)
        assert facts.language == entry["original_language"]


@pytest.mark.parametrize(
    ("tmdb", "field", "value"),
    [
        ({"original_language": "ko"}, "language", "ko"),
        ({"genre_ids": [18, 27]}, "genres", ["Drama", "Horror"]),
        ({"production_countries": [{"iso_3166_1": "KR"}]}, "countries", ["KR"]),
        ({"production_companies": [{"name": "A"}, {"id": 2, "name": ""}]}, "companies", ["A"]),
        ({"production_companies": None}, "companies", []),
        (
            {"belongs_to_collection": {"id": 1, "name": "Lanterns"}},
            "collection",
            Entity(1, "Lanterns"),
        ),
        ({"production_companies": [{"id": 2, "name": "A"}]}, "companies", [Entity(2, "A")]),
        ({"belongs_to_collection": None}, "collection", None),
        ({"credits": CREDITS}, "directors", ["Ada Novak"]),
        ({"credits": CREDITS}, "writers", ["Ada Novak", "Lee Sun"]),
        ({"credits": CREDITS}, "cast", ["Kim Minseo", "Jo Lindqvist"]),
        ({"credits": {}}, "cast", []),
        ({"keywords": {"results": [{"name": "lantern"}]}}, "keywords", ["lantern"]),
        ({"keywords": {}}, "keywords", []),
        ({"credits": None}, "cast", []),
    ],
)
def test_field_of_tmdb_is_read(tmdb: dict[str, Any], field: str, value: Any):
    facts = FilmFacts.model_validate({"overview": "A ship sails."} | tmdb)
    assert getattr(facts, field) == value
    assert not facts.model_extra


@pytest.mark.parametrize(
    ("sent", "day"),
    [
        ("2027-05-01", "2027-04-20"),
        ("2027-04-01", "2027-04-01"),
        ("", "2027-04-20"),
        (None, "2027-04-20"),
    ],
)
def test_first_release_in_any_country_is_used(sent: str | None, day: str):
    released = {"release_date": "2027-04-20T00:00:00.000Z", "type": 1}
    dates = {"results": [{"iso_3166_1": "IT", "release_dates": [released]}]}
    body = {"genres": ["Drama"], "release_date": sent, "release_dates": dates}
    assert str(FilmFacts.model_validate(body).release_date) == day


def test_impossible_date_beside_release_dates_is_still_refused():
    body = {"genres": ["Drama"], "release_date": 0, "release_dates": {"results": []}}
    assert error_of(body)["loc"] == ("release_date",)


def test_our_field_wins_over_the_same_fact_of_tmdb():
    body = {"overview": "A.", "companies": ["Ours"], "production_companies": [{"name": "Theirs"}]}
    facts = FilmFacts.model_validate(body | {"directors": ["Lee Sun"], "credits": CREDITS})
    assert (facts.companies, facts.directors) == (["Ours"], ["Lee Sun"])
    assert facts.cast == ["Kim Minseo", "Jo Lindqvist"]
    assert [(field, reason) for field, _, reason in facts.reading.unused] == [
        ("production_companies", "companies is sent as well, and is used"),
        ("credits.crew", "directors is sent as well, and is used"),
        ("credits.crew", "only who directs or writes is used"),
    ]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"credits": []}, ("credits",)),
        ({"credits": "Ada Novak"}, ("credits",)),
        ({"release_dates": [1]}, ("release_dates",)),
        ({"keywords": {"lantern": 1}}, ("keywords",)),
        ({"production_companies": 5}, ("production_companies",)),
        ({"production_companies": [{"name": "x" * 201}]}, ("production_companies", 0)),
        ({"production_countries": [5]}, ("production_countries", 0)),
        ({"belongs_to_collection": 5}, ("belongs_to_collection",)),
        ({"original_language": 5}, ("original_language",)),
        ({"genre_ids": [1.5]}, ("genre_ids", 0)),
        (
            {"credits": {"crew": [{"name": "x" * 201, "job": "Director"}]}},
            ("credits", "crew"),
        ),
    ],
)
def test_error_names_the_field_as_it_was_sent(body: dict[str, Any], place: tuple[Any, ...]):
    assert error_of({"overview": "A ship sails."} | body)["loc"] == place


def test_body_in_our_form_stays_as_it_is():
    body = {"genres": ["Drama"], "cast": ["Ada Novak"], "soundtrack": 5}
    form = own_form(body)
    assert (form.facts, form.sent_as, form.unused) == (body, {}, [])
