from datetime import date, timedelta
from typing import Any

import pytest

from movierating.ledger.ledger import TRACK_RECORD_KEY, ForecastLedger
from movierating.ledger.records import DriftReport, TrackRecord
from movierating.s3 import open_bucket
from movierating.settings import Settings
from scripts.score import Outcome, main, outcomes, score
from scripts.store.film_store import film_store
from tests.support.bundles import RUN_DATE
from tests.support.films import columns, moment
from tests.support.forecasts import forecast

DAY = timedelta(days=1)
OPENED = RUN_DATE - 100 * DAY
BEFORE = OPENED - DAY


@pytest.fixture
def settings(bucket_settings: Settings) -> Settings:
    """A film that was forecast twice before it opened 100 days ago, and has votes of since then."""
    store = film_store(bucket_settings)
    for age, votes, rating in [(5, 20, 9.0), (25, 60, 8.0), (80, 200, 7.0), (100, 300, 6.0)]:
        store.add(columns(voted(1, votes, rating), day=OPENED + age * DAY))
    ledger = ForecastLedger(open_bucket(bucket_settings))
    ledger.say([forecast(1, BEFORE - DAY, rating=5.0)])
    ledger.say([forecast(1, BEFORE, rating=6.5, release_date=OPENED)])
    return bucket_settings


def voted(film_id: int, votes: int, rating: float, opened: date = OPENED) -> dict[str, Any]:
    return {
        "id": film_id,
        "release_date": opened.isoformat(),
        "vote_count": votes,
        "vote_average": rating,
    }


def ledger_of(settings: Settings) -> ForecastLedger:
    return ForecastLedger(open_bucket(settings))


def view(settings: Settings) -> TrackRecord:
    blob = open_bucket(settings).get(TRACK_RECORD_KEY)
    assert blob is not None
    return TrackRecord.model_validate_json(blob.raw)


def test_last_forecast_before_the_release_is_held_against_what_was_known_at_each_mark(
    settings: Settings,
):
    assert score(RUN_DATE, settings) == 3
    found = {each.mark: each for each in ledger_of(settings).scores()}
    assert {mark: (each.day - OPENED, each.actual) for mark, each in found.items()} == {
        "votes": (25 * DAY, 8.0),
        "30 days": (30 * DAY, 8.0),
        "90 days": (90 * DAY, 7.0),
    }
    assert {each.forecast_day for each in found.values()} == {BEFORE}
    assert {mark: (each.error, each.inside) for mark, each in found.items()} == {
        "votes": (-1.5, False),
        "30 days": (-1.5, False),
        "90 days": (-0.5, True),
    }
    assert found["90 days"].baselines == forecast().baselines
    assert found["90 days"].release_date == OPENED


def test_scores_are_the_same_whenever_they_are_made(settings: Settings):
    for days in range(75, -1, -15):
        score(RUN_DATE - days * DAY, settings)
    piecemeal = ledger_of(settings).scores()
    bucket = open_bucket(settings)
    assert len(bucket.keys("forecasts/scored/")) == 3
    assert {each.mark: each.actual for each in piecemeal} == {
        "votes": 8.0,
        "30 days": 8.0,
        "90 days": 7.0,
    }


def test_scoring_again_changes_no_byte(settings: Settings):
    score(RUN_DATE, settings)
    bucket = open_bucket(settings)
    before = [(key, bucket.get(key)) for key in bucket.keys("")]
    assert score(RUN_DATE, settings) == 0
    assert [(key, bucket.get(key)) for key in bucket.keys("")] == before


def test_film_that_was_forecast_only_after_its_release_is_never_scored(settings: Settings):
    film_store(settings).add(columns(voted(2, 90, 7.0)))
    ledger_of(settings).say([forecast(2, OPENED)])
    score(RUN_DATE, settings)
    assert {each.film_id for each in ledger_of(settings).scores()} == {1}


def test_track_record_counts_each_film_once(settings: Settings):
    score(RUN_DATE, settings)
    shown = view(settings)
    assert shown.figures is not None
    assert (shown.figures.films, shown.figures.bias) == (1, -0.5)
    assert [each.actual for each in shown.worst] == [7.0]


def test_track_record_shows_what_the_newest_check_for_drift_found(settings: Settings):
    report = DriftReport(
        day=RUN_DATE, made_at=moment(), version="v", figures={}, alerts=("genres changed",)
    )
    ledger_of(settings).report_drift(report)
    score(RUN_DATE, settings)
    assert view(settings).alerts == ("genres changed",)


def test_empty_ledger_has_an_empty_track_record(bucket_settings: Settings):
    assert score(RUN_DATE, bucket_settings) == 0
    assert view(bucket_settings).figures is None


def row(*votes: tuple[int, float | None, int]) -> dict[str, Any]:
    """A film that opened at `OPENED`, with votes by age in days."""
    known = [
        {"date": OPENED + age * DAY, "vote_average": rating, "vote_count": count}
        for age, rating, count in votes
    ]
    return {"id": 1, "release_date": OPENED, "votes": known}


@pytest.mark.parametrize(
    ("film", "age", "marks"),
    [
        (row(), 100, {}),
        (row((-3, 9.0, 80)), 100, {}),  # of a festival, or in error
        (row((5, None, 0)), 100, {}),
        (row((5, 7.0, 49)), 29, {}),
        (row((5, 7.0, 49)), 30, {"30 days": 7.0}),
        (row((5, 7.0, 50)), 5, {"votes": 7.0}),
        (row((5, 7.0, 50), (9, 8.0, 60)), 30, {"votes": 7.0, "30 days": 8.0}),
        (row((31, 7.0, 50)), 31, {"votes": 7.0}),
        (row((31, 7.0, 50)), 90, {"votes": 7.0, "90 days": 7.0}),
        (row((31, 7.0, 50)), 30, {}),
    ],
)
def test_film_is_due_at_its_marks_with_the_rating_of_then(
    film: dict[str, Any], age: int, marks: dict[str, float]
):
    found: list[Outcome] = list(outcomes(film, OPENED + age * DAY, min_votes=50))
    assert {each.mark: each.rating for each in found} == marks


def test_command_line_scores(monkeypatch: pytest.MonkeyPatch, settings: Settings):
    monkeypatch.setattr("scripts.score.pipeline_settings", lambda: settings)
    assert main([]) == 0
    assert len(ledger_of(settings).scores()) == 3


def moved(settings: Settings, opened: date | None) -> dict[str, date]:
    """Let the release date of the film become another; by mark, the day of its forecast."""
    film = voted(1, 300, 6.0) | {"release_date": str(opened or "")}
    film_store(settings).add(columns(film, hour=13))
    score(RUN_DATE, settings)
    return {each.mark: each.forecast_day for each in ledger_of(settings).scores()}


def test_release_that_was_put_off_is_scored_by_its_new_date(settings: Settings):
    later = OPENED + 40 * DAY
    assert set(moved(settings, later).values()) == {BEFORE}
    assert {each.release_date for each in ledger_of(settings).scores()} == {later}


def test_release_that_was_brought_forward_is_scored_by_what_was_said_before_it(
    settings: Settings,
):
    assert set(moved(settings, BEFORE).values()) == {BEFORE - DAY}


@pytest.mark.parametrize("opened", [BEFORE - DAY, BEFORE - 400 * DAY, None])
def test_film_that_had_opened_before_its_first_forecast_or_has_no_date_is_not_scored(
    settings: Settings, opened: date | None
):
    assert moved(settings, opened) == {}


def test_score_of_an_earlier_release_date_stays(settings: Settings):
    score(RUN_DATE - 50 * DAY, settings)
    before = ledger_of(settings).scores()
    moved(settings, RUN_DATE - 20 * DAY)
    assert [each for each in ledger_of(settings).scores() if each.mark == "votes"] == [
        each for each in before if each.mark == "votes"
    ]


def test_film_that_tmdb_has_no_more_keeps_its_scores(settings: Settings):
    score(RUN_DATE, settings)
    before = ledger_of(settings).scores()
    film_store(settings).purge(moment(RUN_DATE + DAY))
    assert score(RUN_DATE, settings) == 0
    assert ledger_of(settings).scores() == before
    assert view(settings).figures is not None
