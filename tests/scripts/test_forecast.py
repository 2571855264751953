from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from movierating.films.film import Film
from movierating.ledger.ledger import MADE, UPCOMING_KEY, ForecastLedger
from movierating.ledger.records import Forecast, Upcoming, UpcomingFilm
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import Settings
from scripts.forecast import (
    BackdatedError,
    Forecaster,
    NoModelError,
    forecast,
    inputs_sha256,
    look_up,
    main,
    upcoming,
)
from scripts.store.film_store import FilmStore, film_store
from tests.support.bundles import RUN_DATE, Packed, put_into_production
from tests.support.dying_bucket import DyingBucket, KilledError
from tests.support.films import columns, moment
from tests.support.forecasts import forecast as said_of

DAY = timedelta(days=1)
SOON = RUN_DATE + 30 * DAY


@pytest.fixture
def settings(bucket_settings: Settings, packed: Packed, registry: Registry) -> Settings:
    """A model in production, and a store with a film to come and one that opened long ago."""
    put_into_production(registry, packed)
    film_store(bucket_settings).add(
        columns(
            unreleased(1),
            {"id": 2, "release_date": "2024-05-01", "vote_count": 500, "vote_average": 8.0},
        )
    )
    return bucket_settings


def unreleased(film_id: int, opens: date = SOON, **others: Any) -> dict[str, Any]:
    votes = {"vote_count": 0, "vote_average": 0.0}
    return {"id": film_id, "release_date": opens.isoformat()} | votes | others


def said(settings: Settings) -> list[Forecast]:
    return list(ForecastLedger(open_bucket(settings)).said(date.min, date.max))


def view(settings: Settings) -> Upcoming:
    blob = open_bucket(settings).get(UPCOMING_KEY)
    assert blob is not None
    return Upcoming.model_validate_json(blob.raw)


def test_film_to_come_is_forecast_by_the_model_in_production(settings: Settings, packed: Packed):
    assert forecast(RUN_DATE, settings) == 1
    (made,) = said(settings)
    assert (made.film_id, made.title, made.release_date) == (1, "The Lantern", SOON)
    assert made.original_title == "등불"
    assert (made.day, made.made_at) == (RUN_DATE, moment())
    assert made.version == packed.manifest.version
    assert 0 < made.low < made.rating < made.high < 10
    average = packed.manifest.average_rating
    assert sum(made.reasons.values()) == pytest.approx(made.rating - average, abs=0.01)
    assert made.baselines == {"mean": 8.0, "recent_mean": 8.0, "genre_mean": 8.0}
    assert [each.forecast for each in view(settings).films] == [made]


def test_doing_it_again_on_the_day_writes_nothing_new(settings: Settings):
    bucket = open_bucket(settings)
    forecast(RUN_DATE, settings)
    before = [(key, bucket.get(key)) for key in bucket.keys("forecasts/")]
    forecast(RUN_DATE, settings)
    assert [(key, bucket.get(key)) for key in bucket.keys("forecasts/")] == before


def test_new_model_on_the_same_day_is_heard_too(
    settings: Settings, newer: Packed, registry: Registry, monkeypatch: pytest.MonkeyPatch
):
    forecast(RUN_DATE, settings)
    monkeypatch.setattr("scripts.runtime.clock._clock", lambda: moment(hour=14))
    put_into_production(registry, newer, registry.production())
    forecast(RUN_DATE, settings)
    assert len(said(settings)) == 2
    (shown,) = view(settings).films
    assert shown.forecast.version == newer.manifest.version


@pytest.mark.parametrize("days", [-1, 1])
def test_forecast_of_another_day_is_refused(settings: Settings, days: int):
    with pytest.raises(BackdatedError, match="dated 2026-11-23, the day it is made"):
        forecast(RUN_DATE + days * DAY, settings)
    assert said(settings) == []


def test_without_a_model_in_production_it_says_what_to_do(bucket_settings: Settings):
    with pytest.raises(NoModelError, match="run the pipeline first"):
        forecast(RUN_DATE, bucket_settings)


@pytest.mark.parametrize(
    ("film", "expected"),
    [
        (unreleased(1, RUN_DATE + DAY), True),
        (unreleased(1, RUN_DATE + 180 * DAY), True),
        (unreleased(1, RUN_DATE + 181 * DAY), False),
        (unreleased(1, RUN_DATE, vote_count=49, vote_average=7.0), True),
        (unreleased(1, RUN_DATE, vote_count=50, vote_average=7.0), False),
        (unreleased(1, RUN_DATE - 89 * DAY, vote_count=49, vote_average=7.0), True),
        (unreleased(1, RUN_DATE - 90 * DAY, vote_count=49, vote_average=7.0), False),
        (unreleased(1, runtime=None), True),
        (unreleased(1, runtime=0), True),
        (unreleased(1, runtime=12), False),
        (unreleased(1, status="Canceled"), False),
        (unreleased(1, adult=True), False),
        (unreleased(1, video=True), False),
        (unreleased(1, genres=[], overview=""), False),
        (unreleased(1, genres=[]), True),
        (unreleased(1, overview=""), True),
        (unreleased(1, release_date=""), False),
    ],
)
def test_films_to_come_and_those_of_late_with_few_votes_are_forecast(
    tmp_path: Any, film: dict[str, Any], expected: bool
):
    store = FilmStore(tmp_path)
    store.add(columns(film))
    subjects, _ = look_up(store, RUN_DATE, min_votes=50)
    assert bool(subjects) == expected


def test_means_are_those_of_the_day(tmp_path: Any):
    store = FilmStore(tmp_path)
    store.add(
        columns(
            {"id": 1, "release_date": "2026-01-05", "vote_average": 7.0, "vote_count": 50},
            {"id": 2, "release_date": "2001-01-05", "vote_average": 4.0, "vote_count": 900},
            {"id": 3, "release_date": "2026-01-05", "vote_average": 1.0, "vote_count": 49},
            {"id": 4, "release_date": "2026-01-05", "vote_average": 1.0, "runtime": 9},
        )
    )
    _, means = look_up(store, RUN_DATE, min_votes=50)
    assert means is not None
    assert (means.mean, means.recent_mean) == (5.5, 7.0)


def test_without_rated_films_nothing_is_said_beside_the_forecast(tmp_path: Any, packed: Packed):
    store = FilmStore(tmp_path)
    store.add(columns(unreleased(1)))
    subjects, means = look_up(store, RUN_DATE, min_votes=50)
    (made,) = Forecaster.of(packed.load()).forecast(subjects, means, moment(), RUN_DATE)
    assert made.baselines == {}


def test_hash_of_the_inputs_changes_with_any_fact():
    film = Film(title="The Lantern", genres=("Drama",), runtime_minutes=100)
    others = [replace(film, runtime_minutes=101.0), replace(film, directors=("Ada Novak",))]
    assert inputs_sha256(film) == inputs_sha256(replace(film))
    assert len({inputs_sha256(each) for each in [film, *others]}) == 3


def shown(ledger: ForecastLedger) -> tuple[UpcomingFilm, ...]:
    """The view of `RUN_DATE`, of all films that were forecast on it."""
    opens = {each.film_id: each.release_date for each in ledger.said(RUN_DATE, RUN_DATE)}
    return upcoming(ledger, RUN_DATE, opens).films


@pytest.fixture
def ledger(bucket_settings: Settings) -> ForecastLedger:
    return ForecastLedger(open_bucket(bucket_settings))


def test_view_shows_how_a_forecast_changed_since_last_week(ledger: ForecastLedger):
    for days, rating in [(15, 1.0), (9, 5.0), (8, 6.0), (3, 6.2), (0, 6.5)]:
        ledger.say([said_of(1, RUN_DATE - days * DAY, rating=rating)])
    (film,) = shown(ledger)
    assert film.change == pytest.approx(0.5)


def test_film_that_was_not_forecast_last_week_has_no_change(ledger: ForecastLedger):
    ledger.say([said_of(1, RUN_DATE - 20 * DAY), said_of(2, RUN_DATE - 20 * DAY)])
    ledger.say([said_of(1)])
    (film,) = shown(ledger)
    assert film.change is None


def test_view_holds_films_that_have_not_opened_by_release_date(ledger: ForecastLedger):
    opens = [(1, RUN_DATE + 9 * DAY), (2, RUN_DATE), (3, RUN_DATE + DAY)]
    ledger.say([said_of(at, release_date=day) for at, day in opens])
    assert [each.forecast.film_id for each in shown(ledger)] == [3, 1]


def test_command_line_tells_of_a_mistake_in_one_sentence(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, settings: Settings
):
    monkeypatch.setattr("scripts.forecast.pipeline_settings", lambda: settings)
    assert main(["--date", "2026-11-22"]) == 1
    assert caplog.messages[-1].startswith("a forecast is dated 2026-11-23")
    assert main([]) == 0


@pytest.mark.parametrize(
    ("opens", "dates"),
    [
        (RUN_DATE + 90 * DAY, [RUN_DATE + 90 * DAY]),  # put off
        (RUN_DATE + DAY, [RUN_DATE + DAY]),  # brought forward
        (RUN_DATE - DAY, []),  # it turns out to have opened
        (None, []),
    ],
)
def test_film_whose_release_date_has_moved_is_shown_with_the_new_one_or_not_at_all(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, opens: date | None, dates: list[date]
):
    forecast(RUN_DATE, settings)
    monkeypatch.setattr("scripts.runtime.clock._clock", lambda: moment(hour=14))
    moved = unreleased(1) | {"release_date": str(opens or "")}
    film_store(settings).add(columns(moved, hour=13))
    forecast(RUN_DATE, settings)
    assert [each.forecast.release_date for each in view(settings).films] == dates


def test_day_is_that_of_the_pipelines_time_zone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    """At four in the afternoon of Greenwich it is the next day in Seoul, where a film opens."""
    film_store(settings).add(columns(unreleased(3, RUN_DATE + DAY)))
    monkeypatch.setattr("scripts.runtime.clock._clock", lambda: moment(hour=16))
    with pytest.raises(BackdatedError, match="dated 2026-11-24"):
        forecast(RUN_DATE, settings)
    forecast(RUN_DATE + DAY, settings)
    assert {each.day for each in said(settings)} == {RUN_DATE + DAY}
    assert [each.forecast.film_id for each in view(settings).films] == [1]


def test_day_without_a_run_leaves_no_gap_in_the_view(ledger: ForecastLedger):
    ledger.say([said_of(1, RUN_DATE - 10 * DAY, rating=5.0)])  # then the machine was off
    ledger.say([said_of(1, rating=6.0)])
    (film,) = shown(ledger)
    assert film.change == pytest.approx(1.0)


def test_two_schedulers_at_once_write_the_same_once(settings: Settings):
    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(lambda _: forecast(RUN_DATE, settings), range(2)))
    assert counts == [1, 1]
    assert len(open_bucket(settings).keys(MADE)) == 1
    assert len(view(settings).films) == 1


@pytest.mark.parametrize("writes", [0, 1])
def test_run_that_dies_between_two_writes_is_made_up_for_by_the_next(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, writes: int
):
    dying = DyingBucket(open_bucket(settings), writes)
    with monkeypatch.context() as patch:
        patch.setattr("scripts.forecast.open_bucket", lambda _: dying)
        with pytest.raises(KilledError):
            forecast(RUN_DATE, settings)
    assert open_bucket(settings).get(UPCOMING_KEY) is None
    forecast(RUN_DATE, settings)
    assert len(said(settings)) == len(view(settings).films) == 1


def test_bucket_that_holds_only_a_model_gets_an_empty_view(
    bucket_settings: Settings, packed: Packed, registry: Registry
):
    put_into_production(registry, packed)
    assert forecast(RUN_DATE, bucket_settings) == 0
    assert view(bucket_settings) == Upcoming(as_of=RUN_DATE, films=())
    assert said(bucket_settings) == []
