from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from movierating.films.source import TMDB, invented_films
from movierating.ledger.ledger import MADE_PREFIX, UPCOMING_KEY, ForecastLedger
from movierating.ledger.records import Forecast, Upcoming
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import Settings
from scripts.forecast import BackdatedError, forecast, main
from scripts.ledger.forecaster import NoModelError, NothingToForecastError
from scripts.store.film_store import film_store
from tests.support.bundles import RUN_DATE, Packed, pack, put_into_production
from tests.support.dying_bucket import DyingBucket, KilledError
from tests.support.films import columns, moment, releases, tmdb_store, unreleased_film
from tests.support.forecasts import forecast as made

DAY = timedelta(days=1)
SOON = RUN_DATE + 30 * DAY
INVENTED = invented_films("1a2b")


@pytest.fixture
def settings(bucket_settings: Settings, packed: Packed, registry: Registry) -> Settings:
    """Put a model into production; store an upcoming film and one that was released in 2024."""
    put_into_production(registry, packed)
    tmdb_store(bucket_settings).add(
        columns(
            unreleased_film(1),
            {"id": 2, "release_date": "2024-05-01", "vote_count": 500, "vote_average": 8.0},
        )
    )
    return bucket_settings


def stored_forecasts(settings: Settings) -> list[Forecast]:
    return list(ForecastLedger(open_bucket(settings)).read(date.min, date.max))


def view(settings: Settings) -> Upcoming:
    blob = open_bucket(settings).get(UPCOMING_KEY)
    assert blob is not None
    return Upcoming.model_validate_json(blob.raw)


def test_upcoming_film_is_forecast_by_the_model_in_production(settings: Settings, packed: Packed):
    assert forecast(RUN_DATE, settings) == 1
    (made,) = stored_forecasts(settings)
    assert (made.film_id, made.title, made.release_date) == (1, "The Lantern", SOON)
    assert made.original_title == "등불"
    assert (made.day, made.made_at) == (RUN_DATE, moment())
    assert made.version == packed.manifest.version
    assert 0 < made.low < made.rating < made.high < 10
    average = packed.manifest.average_rating
    assert sum(made.reasons.values()) == pytest.approx(made.rating - average, abs=0.01)
    assert made.baselines == {"mean": 8.0, "recent_mean": 8.0, "genre_mean": 8.0}


def test_whole_distribution_of_a_forecast_is_in_the_view(settings: Settings, packed: Packed):
    forecast(RUN_DATE, settings)
    (made,) = stored_forecasts(settings)
    errors = packed.load().model.errors
    assert errors
    assert view(settings).errors[made.version].normalised() == errors
    distribution = made.whole_distribution(errors)
    assert distribution
    assert distribution.quantile(0.1) == pytest.approx(made.low, abs=1e-3)
    assert distribution.quantile(0.9) == pytest.approx(made.high, abs=1e-3)
    assert [each.forecast for each in view(settings).films] == [made]


def test_forecast_names_the_first_release_of_a_film_with_votes_before_it(settings: Settings):
    premiere = releases(("KR", 3, str(SOON)), ("IT", 1, str(SOON - 9 * DAY)))
    early_votes = {"vote_count": 12, "vote_average": 7.5}
    tmdb_store(settings).add(
        columns(unreleased_film(1, SOON, release_dates=premiere, **early_votes), hour=13)
    )
    forecast(RUN_DATE, settings)
    (made,) = stored_forecasts(settings)
    assert made.release_date == SOON - 9 * DAY
    assert (made.release_type, made.release_country) == ("premiere", "IT")
    assert [each.forecast for each in view(settings).films] == [made]


def test_film_is_no_longer_upcoming_after_its_premiere(settings: Settings):
    premiere = releases(("KR", 3, str(SOON)), ("IT", 1, str(RUN_DATE - DAY)))
    tmdb_store(settings).add(columns(unreleased_film(1, SOON, release_dates=premiere), hour=13))
    forecast(RUN_DATE, settings)
    assert view(settings).films == ()


def test_second_run_on_the_same_day_writes_nothing_new(settings: Settings):
    bucket = open_bucket(settings)
    forecast(RUN_DATE, settings)
    before = [(key, bucket.get(key)) for key in bucket.keys("forecasts/")]
    forecast(RUN_DATE, settings)
    assert [(key, bucket.get(key)) for key in bucket.keys("forecasts/")] == before


def test_new_model_on_the_same_day_adds_its_forecast(
    settings: Settings, newer: Packed, registry: Registry, monkeypatch: pytest.MonkeyPatch
):
    forecast(RUN_DATE, settings)
    monkeypatch.setattr("scripts.runtime.clock._clock", lambda: moment(hour=14))
    put_into_production(registry, newer, registry.production())
    forecast(RUN_DATE, settings)
    assert len(stored_forecasts(settings)) == 2
    (upcoming,) = view(settings).films
    assert upcoming.forecast.version == newer.manifest.version


@pytest.mark.parametrize("days", [-1, 1])
def test_forecast_for_another_day_is_refused(settings: Settings, days: int):
    with pytest.raises(BackdatedError, match="dated 2026-11-23, the day it is made"):
        forecast(RUN_DATE + days * DAY, settings)
    assert stored_forecasts(settings) == []


def test_error_without_a_model_in_production_says_what_to_do(bucket_settings: Settings):
    with pytest.raises(NoModelError, match="run the pipeline first"):
        forecast(RUN_DATE, bucket_settings)


def test_command_line_reports_an_error_in_one_sentence(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, settings: Settings
):
    monkeypatch.setattr("scripts.forecast.pipeline_settings", lambda: settings)
    assert main(["--date", "2026-11-22"]) == 1
    assert caplog.messages[-1].startswith("a forecast is dated 2026-11-23")
    assert main([]) == 0


@pytest.mark.parametrize(
    ("release_date", "dates"),
    [
        (RUN_DATE + 90 * DAY, [RUN_DATE + 90 * DAY]),  # moved to a later date
        (RUN_DATE + DAY, [RUN_DATE + DAY]),  # moved to an earlier date
        (RUN_DATE - DAY, []),  # moved to yesterday, so it is released already
        (None, []),
    ],
)
def test_view_follows_a_release_date_that_moved(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    release_date: date | None,
    dates: list[date],
):
    forecast(RUN_DATE, settings)
    monkeypatch.setattr("scripts.runtime.clock._clock", lambda: moment(hour=14))
    moved = unreleased_film(1) | {"release_date": str(release_date or "")}
    tmdb_store(settings).add(columns(moved, hour=13))
    forecast(RUN_DATE, settings)
    assert [each.forecast.release_date for each in view(settings).films] == dates


@pytest.mark.parametrize("flaw", [{"adult": True}, {"video": True}, {"runtime": 12}])
def test_film_found_to_be_no_ordinary_film_leaves_the_view(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, flaw: dict[str, Any]
):
    forecast(RUN_DATE, settings)
    monkeypatch.setattr("scripts.runtime.clock._clock", lambda: moment(hour=14))
    tmdb_store(settings).add(columns(unreleased_film(1, **flaw), hour=13))
    assert forecast(RUN_DATE, settings) == 0
    assert view(settings).films == ()


def test_forecast_is_dated_in_the_time_zone_of_the_pipeline(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    """At 16:00 UTC, the next day has begun in Seoul; the film released on it is not upcoming."""
    tmdb_store(settings).add(columns(unreleased_film(3, RUN_DATE + DAY)))
    monkeypatch.setattr("scripts.runtime.clock._clock", lambda: moment(hour=16))
    with pytest.raises(BackdatedError, match="dated 2026-11-24"):
        forecast(RUN_DATE, settings)
    forecast(RUN_DATE + DAY, settings)
    assert {each.day for each in stored_forecasts(settings)} == {RUN_DATE + DAY}
    assert [each.forecast.film_id for each in view(settings).films] == [1]


def test_two_runs_at_once_store_the_forecasts_once(settings: Settings):
    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(lambda _: forecast(RUN_DATE, settings), range(2)))
    assert counts == [1, 1]
    assert len(open_bucket(settings).keys(MADE_PREFIX)) == 1
    assert len(view(settings).films) == 1


@pytest.mark.parametrize("writes", [0, 1])
def test_next_run_completes_a_run_that_died_between_two_writes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, writes: int
):
    dying = DyingBucket(open_bucket(settings), writes)
    with monkeypatch.context() as patch:
        patch.setattr("scripts.forecast.open_bucket", lambda _: dying)
        with pytest.raises(KilledError):
            forecast(RUN_DATE, settings)
    assert open_bucket(settings).get(UPCOMING_KEY) is None
    forecast(RUN_DATE, settings)
    assert len(stored_forecasts(settings)) == len(view(settings).films) == 1


def test_store_without_upcoming_films_gives_an_empty_view(
    bucket_settings: Settings, packed: Packed, registry: Registry
):
    put_into_production(registry, packed)
    tmdb_store(bucket_settings).add(columns({"id": 2, "release_date": "2024-05-01"}))
    assert forecast(RUN_DATE, bucket_settings) == 0
    assert view(bucket_settings) == Upcoming(as_of=RUN_DATE, source=TMDB, films=())
    assert stored_forecasts(bucket_settings) == []


def test_machine_without_films_of_the_models_source_forecasts_nothing(
    settings: Settings, tmp_path: Path
):
    forecast(RUN_DATE, settings)
    before = view(settings)
    elsewhere = settings.model_copy(update={"data_dir": str(tmp_path / "elsewhere")})
    film_store(elsewhere, INVENTED).add(columns(unreleased_film(1)))
    with pytest.raises(
        NothingToForecastError,
        match=r"was trained on TMDB's films \(api.themoviedb.org\), and DATA_DIR has none of these",
    ):
        forecast(RUN_DATE, elsewhere)
    assert view(settings) == before


def test_after_a_change_of_the_source_only_its_films_are_forecast_and_compared(
    bucket_settings: Settings, registry: Registry, packed: Packed, tmp_path: Path
):
    invented = pack(tmp_path / "invented", source=INVENTED)
    put_into_production(registry, invented)
    for source in (TMDB, INVENTED):
        film_store(bucket_settings, source).add(columns(unreleased_film(1), unreleased_film(2)))
    ForecastLedger(open_bucket(bucket_settings)).append(
        [made(1, RUN_DATE - 7 * DAY, version="old", source=INVENTED)]
    )
    forecast(RUN_DATE, bucket_settings)
    assert [each.week_ago for each in view(bucket_settings).films] == [6.5, None]
    put_into_production(registry, packed, registry.production())
    forecast(RUN_DATE, bucket_settings)
    assert view(bucket_settings).source == TMDB
    assert [each.week_ago for each in view(bucket_settings).films] == [None, None]
    versions = {each.forecast.version for each in view(bucket_settings).films}
    assert versions == {packed.manifest.version}
    assert {each.source for each in stored_forecasts(bucket_settings)} == {TMDB, INVENTED}
