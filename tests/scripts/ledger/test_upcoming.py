from datetime import timedelta
from typing import Any

import pytest

from movierating.ledger.ledger import ForecastLedger
from movierating.ledger.records import UpcomingFilm
from movierating.s3 import open_bucket
from movierating.settings import Settings
from scripts.ledger.upcoming import select_films, upcoming
from scripts.store.film_store import FilmStore
from tests.support.bundles import RUN_DATE
from tests.support.films import columns, moment, unreleased_film
from tests.support.forecasts import forecast

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("film", "expected"),
    [
        (unreleased_film(1, RUN_DATE + DAY), True),
        (unreleased_film(1, RUN_DATE + 180 * DAY), True),
        (unreleased_film(1, RUN_DATE + 181 * DAY), False),
        (unreleased_film(1, RUN_DATE, vote_count=49, vote_average=7.0), True),
        (unreleased_film(1, RUN_DATE, vote_count=50, vote_average=7.0), False),
        (unreleased_film(1, RUN_DATE - 89 * DAY, vote_count=49, vote_average=7.0), True),
        (unreleased_film(1, RUN_DATE - 90 * DAY, vote_count=49, vote_average=7.0), False),
        (unreleased_film(1, runtime=None), True),
        (unreleased_film(1, runtime=0), True),
        (unreleased_film(1, runtime=12), False),
        (unreleased_film(1, status="Canceled"), False),
        (unreleased_film(1, adult=True), False),
        (unreleased_film(1, video=True), False),
        (unreleased_film(1, genres=[], overview=""), False),
        (unreleased_film(1, genres=[]), True),
        (unreleased_film(1, overview=""), True),
        (unreleased_film(1) | {"release_date": ""}, False),
    ],
)
def test_upcoming_films_and_recent_films_with_few_votes_are_selected(
    tmp_path: Any, film: dict[str, Any], expected: bool
):
    store = FilmStore(tmp_path)
    store.add(columns(film))
    films, _ = select_films(store, RUN_DATE, min_votes=50)
    assert bool(films) == expected


def test_deleted_film_is_no_longer_forecast_and_teaches_no_baseline(tmp_path: Any):
    store = FilmStore(tmp_path)
    rated = {"release_date": "2026-01-05", "vote_average": 7.0, "vote_count": 50}
    store.add(columns(unreleased_film(1), unreleased_film(2), {"id": 3} | rated))
    store.add(columns({"id": 4} | rated | {"vote_average": 1.0}))
    store.bury({1: moment(hour=13), 4: moment(hour=13)})
    films, means = select_films(store, RUN_DATE, min_votes=50)
    assert [each.film_id for each in films] == [2]
    assert means is not None
    assert means.mean == 7.0


def test_naive_means_use_released_feature_films_with_enough_votes(tmp_path: Any):
    store = FilmStore(tmp_path)
    store.add(
        columns(
            {"id": 1, "release_date": "2026-01-05", "vote_average": 7.0, "vote_count": 50},
            {"id": 2, "release_date": "2001-01-05", "vote_average": 4.0, "vote_count": 900},
            {"id": 3, "release_date": "2026-01-05", "vote_average": 1.0, "vote_count": 49},
            {"id": 4, "release_date": "2026-01-05", "vote_average": 1.0, "runtime": 9},
            {"id": 5, "release_date": "2026-01-05", "vote_average": 1.0, "adult": True},
            {"id": 6, "release_date": "2026-01-05", "vote_average": 1.0, "video": True},
        )
    )
    _, means = select_films(store, RUN_DATE, min_votes=50)
    assert means is not None
    assert (means.mean, means.recent_mean) == (5.5, 7.0)


def view_of(ledger: ForecastLedger) -> tuple[UpcomingFilm, ...]:
    """Return the view of upcoming films, from the ledger's forecasts made on `RUN_DATE`.

    The release dates are those in the forecasts."""
    release_dates = {each.film_id: each.release_date for each in ledger.read(RUN_DATE, RUN_DATE)}
    return upcoming(ledger, RUN_DATE, release_dates).films


@pytest.fixture
def ledger(bucket_settings: Settings) -> ForecastLedger:
    return ForecastLedger(open_bucket(bucket_settings))


def test_view_has_the_change_of_a_forecast_in_a_week(ledger: ForecastLedger):
    for days, rating in [(15, 1.0), (9, 5.0), (8, 6.0), (3, 6.2), (0, 6.5)]:
        ledger.append([forecast(1, RUN_DATE - days * DAY, rating=rating)])
    (film,) = view_of(ledger)
    assert film.change == pytest.approx(0.5)


def test_film_without_a_forecast_a_week_ago_has_no_change(ledger: ForecastLedger):
    ledger.append([forecast(1, RUN_DATE - 20 * DAY), forecast(2, RUN_DATE - 20 * DAY)])
    ledger.append([forecast(1)])
    (film,) = view_of(ledger)
    assert film.change is None


def test_view_lists_unreleased_films_by_release_date(ledger: ForecastLedger):
    release_dates = [(1, RUN_DATE + 9 * DAY), (2, RUN_DATE), (3, RUN_DATE + DAY)]
    ledger.append([forecast(at, release_date=day) for at, day in release_dates])
    assert [each.forecast.film_id for each in view_of(ledger)] == [3, 1]


def test_change_uses_an_older_forecast_if_there_was_no_run_a_week_ago(ledger: ForecastLedger):
    ledger.append([forecast(1, RUN_DATE - 10 * DAY, rating=5.0)])  # the last run
    ledger.append([forecast(1, rating=6.0)])
    (film,) = view_of(ledger)
    assert film.change == pytest.approx(1.0)
