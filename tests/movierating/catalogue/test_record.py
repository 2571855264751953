from datetime import date, timedelta
from pathlib import Path

import pytest

from movierating.catalogue.films import FilmCatalogue
from movierating.catalogue.record import State, find, first_release_since, released_between
from movierating.ledger.records import Forecast, Score
from tests.support.bundles import RUN_DATE
from tests.support.catalogues import catalogue_file, korean_title
from tests.support.films import unreleased_film
from tests.support.forecasts import forecast, scored

DAY = timedelta(days=1)
WEEK_AGO, MONTH_AGO = RUN_DATE - 7 * DAY, RUN_DATE - 30 * DAY


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> FilmCatalogue:
    """Write films of different ages; all but film 5 were forecast before their release."""
    stored = [
        {"id": 1, "title": "Harbour", "vote_count": 3, "release_date": f"{WEEK_AGO}"},
        {"id": 2, "title": "1917", "vote_count": 49, "release_date": f"{MONTH_AGO}"},
        {"id": 3, "title": "Quay", "vote_count": 80, "release_date": f"{MONTH_AGO}"}
        | korean_title("부두의 밤"),
        unreleased_film(4, RUN_DATE + DAY, title="Pier"),
        {"id": 5, "title": "Unforeseen", "vote_count": 4, "release_date": f"{WEEK_AGO}"},
    ]
    made = [
        forecast(1, WEEK_AGO - DAY, rating=6.2),
        forecast(2, MONTH_AGO - 3 * DAY),
        forecast(2, MONTH_AGO - DAY, rating=7.1),
        forecast(2, MONTH_AGO, rating=9.9),  # on the day of the release, so not in the record
        forecast(3, MONTH_AGO - DAY),
        forecast(4),
        forecast(5, WEEK_AGO),
    ]
    scores = [scored(3, release_date=MONTH_AGO, mark="votes")]
    folder = tmp_path_factory.mktemp("record")
    return FilmCatalogue(catalogue_file(folder, stored, sorted(made, key=_day), scores))


def _day(made: Forecast) -> date:
    return made.day


def ids(catalogue: FilmCatalogue, text: str = "", state: State | None = None) -> list[int]:
    films, total = find(catalogue, text, RUN_DATE, state)
    assert total == len(films)
    return [each.film.film_id for each in films]


def test_record_has_the_last_forecast_before_the_release_and_the_score(catalogue: FilmCatalogue):
    (one,), _ = find(catalogue, "1917", RUN_DATE)
    stored = Forecast.model_validate_json(one.forecast)
    assert (stored.day, stored.rating, one.score) == (MONTH_AGO - DAY, 7.1, None)
    (other,), _ = find(catalogue, "quay", RUN_DATE)
    assert other.score
    assert Score.model_validate_json(other.score).mark == "votes"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [1, 2, 3]),
        ("HARB", [1]),
        ("부두", [3]),
        ("3", [3]),
        ("1917", [2]),  # a title of digits
        ("Pier", []),  # not released yet
        ("Unforeseen", []),
        ("!!", []),
        ("9" * 30, []),
    ],
)
def test_film_is_found_by_any_title_and_by_its_id(
    catalogue: FilmCatalogue, text: str, found: list[int]
):
    assert sorted(ids(catalogue, text)) == found


def test_films_that_wait_for_votes_are_listed_with_the_next_to_be_scored_first(
    catalogue: FilmCatalogue,
):
    assert ids(catalogue, state="waiting") == [2, 1]
    assert ids(catalogue, state="scored") == [3]


def test_pages_have_each_film_once(catalogue: FilmCatalogue):
    whole = ids(catalogue)
    pages = [find(catalogue, "", RUN_DATE, None, at, 1) for at in range(len(whole))]
    assert [film.film.film_id for page, _ in pages for film in page] == whole
    assert {total for _, total in pages} == {len(whole)}


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        (WEEK_AGO, WEEK_AGO, [1]),
        (MONTH_AGO, WEEK_AGO, [2, 3, 1]),
        (MONTH_AGO + DAY, WEEK_AGO - DAY, []),
        (RUN_DATE, RUN_DATE + 5 * DAY, []),
    ],
)
def test_films_of_a_span_are_those_released_in_it(
    catalogue: FilmCatalogue, first: date, last: date, found: list[int]
):
    films = released_between(catalogue, first, last, RUN_DATE)
    assert sorted(each.film.film_id for each in films) == sorted(found)
    dates = [each.film.release_date or date.max for each in films]
    assert dates == sorted(dates)


def test_first_release_of_the_record_since_a_day_is_found(catalogue: FilmCatalogue):
    assert first_release_since(catalogue, MONTH_AGO, RUN_DATE) == MONTH_AGO
    assert first_release_since(catalogue, MONTH_AGO + DAY, RUN_DATE) == WEEK_AGO
    assert first_release_since(catalogue, RUN_DATE, RUN_DATE) is None


def test_empty_catalogue_has_an_empty_record(tmp_path: Path):
    catalogue = FilmCatalogue(catalogue_file(tmp_path, []))
    assert find(catalogue, "", RUN_DATE) == ([], 0)
    assert first_release_since(catalogue, date.min, RUN_DATE) is None
