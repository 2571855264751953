from datetime import timedelta
from pathlib import Path

import pytest

from app.film_facts import FilmFacts
from movierating.catalogue.films import FilmCatalogue
from tests.support.bundles import RUN_DATE
from tests.support.catalogues import catalogue_file, korean_title
from tests.support.films import FILM, unreleased_film

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("film", "is_listed"),
    [
        ({"vote_count": 10, "release_date": "1999-01-01"}, True),
        ({"vote_count": 9, "release_date": "1999-01-01"}, False),
        ({"vote_count": 0, "release_date": f"{RUN_DATE - 89 * DAY}"}, True),
        ({"vote_count": 0, "release_date": f"{RUN_DATE - 90 * DAY}"}, False),
        (unreleased_film(1, RUN_DATE + 2000 * DAY), True),
        (unreleased_film(1, adult=True), False),
        (unreleased_film(1, video=True), False),
        (unreleased_film(1, runtime=20), False),
        ({"vote_count": 500, "release_date": ""}, False),
    ],
)
def test_films_to_come_recent_ones_and_known_ones_are_listed(
    tmp_path: Path, film: dict[str, object], is_listed: bool
):
    path = catalogue_file(tmp_path, [film])
    assert FilmCatalogue(path).about.films == is_listed


def test_empty_store_gives_an_empty_catalogue(tmp_path: Path):
    catalogue = FilmCatalogue(catalogue_file(tmp_path, []))
    assert catalogue.about.films == 0
    assert catalogue.search("lantern", RUN_DATE) == []


def test_facts_are_valid_input_for_a_forecast(tmp_path: Path):
    crew = [
        {"id": 8, "name": "Ada Novak", "job": "Director", "department": "Directing"},
        {"id": 9, "name": "Bo Lind", "job": "Screenplay", "department": "Writing"},
    ]
    collection = {"id": 4, "name": "Lantern Collection"}
    people = {"cast": FILM["credits"]["cast"], "crew": crew}
    film = FILM | {"credits": people, "belongs_to_collection": collection}
    facts = FilmCatalogue(catalogue_file(tmp_path, [film])).facts(1, RUN_DATE)
    assert facts
    assert FilmFacts.model_validate(facts).model_extra == {}
    assert facts["directors"] == [{"id": 8, "name": "Ada Novak"}]
    assert facts["writers"] == [{"id": 9, "name": "Bo Lind"}]
    assert (facts["collection"], facts["language"]) == (collection, "ko")
    assert (facts["runtime"], facts["budget"], facts["countries"]) == (101, 5_000_000, ["KR"])


def test_film_without_english_plot_has_its_korean_one(tmp_path: Path):
    film = {"overview": "", **korean_title("등불", "아름다운 등불 이야기.")}
    facts = FilmCatalogue(catalogue_file(tmp_path, [film])).facts(1, RUN_DATE)
    assert facts
    assert facts["overview"] == "아름다운 등불 이야기."


def test_rating_without_votes_is_unknown(tmp_path: Path):
    film = FilmCatalogue(catalogue_file(tmp_path, [unreleased_film(1)])).film(1, RUN_DATE)
    assert film
    assert (film.rating, film.votes) == (None, 0)


def test_equal_input_gives_an_equal_file(tmp_path: Path):
    one, other = (catalogue_file(tmp_path, name=f"{name}.sqlite") for name in "ab")
    assert one.read_bytes() == other.read_bytes()
