from datetime import date, timedelta
from typing import Any

import pytest

from movierating.ledger.ledger import TRACK_RECORD_KEY, ForecastLedger
from movierating.ledger.records import DriftReport, TrackRecord
from movierating.s3 import open_bucket
from movierating.settings import Settings
from scripts.score import main, score
from scripts.store.film_store import film_store
from tests.support.bundles import RUN_DATE
from tests.support.films import columns, moment, releases
from tests.support.forecasts import forecast

DAY = timedelta(days=1)
RELEASED = RUN_DATE - 100 * DAY
BEFORE = RELEASED - DAY


@pytest.fixture
def settings(bucket_settings: Settings) -> Settings:
    """Store a film released 100 days ago, with its votes on four days after the release.

    The ledger has two forecasts of it, made before the release.

    Returns:
        Settings that name the bucket and the working folder.
    """
    store = film_store(bucket_settings)
    for age, votes, rating in [(5, 20, 9.0), (25, 60, 8.0), (80, 200, 7.0), (100, 300, 6.0)]:
        store.add(columns(voted(1, votes, rating), day=RELEASED + age * DAY))
    ledger = ForecastLedger(open_bucket(bucket_settings))
    ledger.append([forecast(1, BEFORE - DAY, rating=5.0)])
    ledger.append([forecast(1, BEFORE, rating=6.5, release_date=RELEASED)])
    return bucket_settings


def voted(film_id: int, votes: int, rating: float, released: date = RELEASED) -> dict[str, Any]:
    return {
        "id": film_id,
        "release_date": released.isoformat(),
        "vote_count": votes,
        "vote_average": rating,
    }


def ledger_of(settings: Settings) -> ForecastLedger:
    return ForecastLedger(open_bucket(settings))


def view(settings: Settings) -> TrackRecord:
    blob = open_bucket(settings).get(TRACK_RECORD_KEY)
    assert blob is not None
    return TrackRecord.model_validate_json(blob.raw)


def test_last_forecast_before_the_release_is_scored_with_the_rating_at_each_mark(
    settings: Settings,
):
    assert score(RUN_DATE, settings) == 3
    found = {each.mark: each for each in ledger_of(settings).scores()}
    assert {mark: (each.day - RELEASED, each.actual) for mark, each in found.items()} == {
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
    assert found["90 days"].release_date == RELEASED


def test_forecast_from_after_the_premiere_is_not_scored(settings: Settings):
    premiere = releases(("IT", 1, str(BEFORE)), ("KR", 3, str(RELEASED)))
    film_store(settings).add(columns(voted(1, 300, 6.0) | {"release_dates": premiere}, hour=13))
    score(RUN_DATE, settings)
    scores = ledger_of(settings).scores()
    assert {each.release_date for each in scores} == {BEFORE}
    assert {each.forecast_day for each in scores} == {BEFORE - DAY}


@pytest.mark.parametrize("flaw", [{"adult": True}, {"video": True}, {"runtime": 12}])
def test_film_that_the_model_is_not_for_gets_no_score(settings: Settings, flaw: dict[str, Any]):
    film_store(settings).add(columns(voted(1, 300, 6.0) | flaw, hour=13))
    assert score(RUN_DATE, settings) == 0


def test_late_runs_and_daily_runs_give_the_same_scores(settings: Settings):
    for days in range(75, -1, -15):
        score(RUN_DATE - days * DAY, settings)
    scores = ledger_of(settings).scores()
    bucket = open_bucket(settings)
    assert len(bucket.keys("forecasts/scored/")) == 3
    assert {each.mark: each.actual for each in scores} == {
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


def test_film_without_a_forecast_before_its_release_is_never_scored(settings: Settings):
    film_store(settings).add(columns(voted(2, 90, 7.0)))
    ledger_of(settings).append([forecast(2, RELEASED)])
    score(RUN_DATE, settings)
    assert {each.film_id for each in ledger_of(settings).scores()} == {1}


def test_track_record_counts_each_film_once(settings: Settings):
    score(RUN_DATE, settings)
    record = view(settings)
    assert record.figures is not None
    assert (record.figures.films, record.figures.bias) == (1, -0.5)
    assert [each.actual for each in record.worst] == [7.0]


def test_track_record_shows_the_alerts_of_the_newest_drift_report(settings: Settings):
    report = DriftReport(
        day=RUN_DATE, made_at=moment(), version="v", figures={}, alerts=("genres changed",)
    )
    ledger_of(settings).append_drift_report(report)
    score(RUN_DATE, settings)
    assert view(settings).alerts == ("genres changed",)


def test_empty_ledger_has_an_empty_track_record(bucket_settings: Settings):
    assert score(RUN_DATE, bucket_settings) == 0
    assert view(bucket_settings).figures is None


def test_command_line_scores(monkeypatch: pytest.MonkeyPatch, settings: Settings):
    monkeypatch.setattr("scripts.score.pipeline_settings", lambda: settings)
    assert main([]) == 0
    assert len(ledger_of(settings).scores()) == 3


def moved(settings: Settings, released: date | None) -> dict[str, date]:
    """Change the film's release date, then score its forecasts.

    Returns:
        The day on which the scored forecast was made, by scoring mark.
    """
    film = voted(1, 300, 6.0) | {"release_date": str(released or "")}
    film_store(settings).add(columns(film, hour=13))
    score(RUN_DATE, settings)
    return {each.mark: each.forecast_day for each in ledger_of(settings).scores()}


def test_release_moved_to_a_later_date_is_scored_by_the_new_date(settings: Settings):
    later = RELEASED + 40 * DAY
    assert set(moved(settings, later).values()) == {BEFORE}
    assert {each.release_date for each in ledger_of(settings).scores()} == {later}


def test_release_moved_to_an_earlier_date_is_scored_with_a_forecast_before_it(
    settings: Settings,
):
    assert set(moved(settings, BEFORE).values()) == {BEFORE - DAY}


@pytest.mark.parametrize("released", [BEFORE - DAY, BEFORE - 400 * DAY, None])
def test_film_released_before_its_first_forecast_or_without_a_date_is_not_scored(
    settings: Settings, released: date | None
):
    assert moved(settings, released) == {}


def test_score_stays_when_the_release_date_moves_later(settings: Settings):
    score(RUN_DATE - 50 * DAY, settings)
    before = ledger_of(settings).scores()
    moved(settings, RUN_DATE - 20 * DAY)
    assert [each for each in ledger_of(settings).scores() if each.mark == "votes"] == [
        each for each in before if each.mark == "votes"
    ]


def test_film_removed_from_the_store_keeps_its_scores(settings: Settings):
    score(RUN_DATE, settings)
    before = ledger_of(settings).scores()
    film_store(settings).purge(moment(RUN_DATE + DAY))
    assert score(RUN_DATE, settings) == 0
    assert ledger_of(settings).scores() == before
    assert view(settings).figures is not None
