import gzip
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from movierating.films.source import TMDB, invented_films
from movierating.ledger.ledger import MADE_PREFIX, TRACK_RECORD_KEY, ForecastLedger
from movierating.ledger.records import DriftReport, TrackRecord
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import Settings
from scripts.score import main, score
from tests.support.bundles import RUN_DATE, Packed, pack, put_into_production
from tests.support.films import columns, moment, releases, tmdb_store
from tests.support.forecasts import forecast, scored

DAY = timedelta(days=1)
RELEASED = RUN_DATE - 100 * DAY
BEFORE = RELEASED - DAY
INVENTED = invented_films("1a2b")


@pytest.fixture
def settings(bucket_settings: Settings, registry: Registry, packed: Packed) -> Settings:
    """Store a film released 100 days ago, with its votes on four days after the release.

    The ledger has two forecasts of it, made before the release.

    Returns:
        Settings that name the bucket and the working folder.
    """
    put_into_production(registry, packed)
    store = tmdb_store(bucket_settings)
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
    stated = forecast().distribution
    assert stated is not None
    assert found["90 days"].at_least == stated.at_least
    assert {mark: each.crps for mark, each in found.items()} == {
        "votes": stated.crps(8.0),
        "30 days": stated.crps(8.0),
        "90 days": stated.crps(7.0),
    }
    assert found["90 days"].release_date == RELEASED


def test_forecasts_of_version_1_0_0_are_scored_without_a_distribution(settings: Settings):
    bucket = open_bucket(settings)
    for key in bucket.keys(MADE_PREFIX):
        blob = bucket.get(key)
        assert blob is not None
        lines = [json.loads(line) for line in gzip.decompress(blob.raw).splitlines()]
        old = [{name: each[name] for name in each if name != "distribution"} for each in lines]
        bucket.put(key, gzip.compress("\n".join(map(json.dumps, old)).encode()))
    assert score(RUN_DATE, settings) == 3
    assert {(each.at_least, each.crps) for each in ledger_of(settings).scores()} == {(None, None)}
    assert view(settings).distribution is None


def test_forecast_from_after_the_premiere_is_not_scored(settings: Settings):
    premiere = releases(("IT", 1, str(BEFORE)), ("KR", 3, str(RELEASED)))
    tmdb_store(settings).add(columns(voted(1, 300, 6.0) | {"release_dates": premiere}, hour=13))
    score(RUN_DATE, settings)
    scores = ledger_of(settings).scores()
    assert {each.release_date for each in scores} == {BEFORE}
    assert {each.forecast_day for each in scores} == {BEFORE - DAY}


@pytest.mark.parametrize("flaw", [{"adult": True}, {"video": True}, {"runtime": 12}])
def test_film_that_the_model_is_not_for_gets_no_score(settings: Settings, flaw: dict[str, Any]):
    tmdb_store(settings).add(columns(voted(1, 300, 6.0) | flaw, hour=13))
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


def test_films_of_another_source_are_neither_scored_nor_counted(settings: Settings):
    ledger = ledger_of(settings)
    # Film 1 has the id of the film of TMDB.
    ledger.append([forecast(1, BEFORE, rating=9.9, source=INVENTED)])
    others = [scored(film_id, mark="votes", source=INVENTED) for film_id in (1, 2)]
    ledger.append_scores(RUN_DATE - DAY, others)
    alarm = DriftReport(
        day=RUN_DATE, made_at=moment(), version="v", figures={}, alerts=("x",), source=INVENTED
    )
    ledger.append_drift_report(alarm)
    assert score(RUN_DATE, settings) == 3
    record = view(settings)
    assert record.source == TMDB
    assert record.figures is not None
    assert (record.figures.films, record.figures.bias, record.alerts) == (1, -0.5, ())
    own = ForecastLedger(open_bucket(settings), INVENTED)
    assert {each.film_id for each in own.scores()} == {1, 2}


def test_records_of_version_1_0_0_belong_to_the_source_of_their_model(
    settings: Settings, registry: Registry, tmp_path: Path
):
    """Old records name no source, only a model, whose source is known even after its deletion."""
    old = pack(tmp_path / "old", level=5.0, source="127.0.0.1")
    registry.publish(old.folder, old.manifest)
    version = old.manifest.version
    ledger_of(settings).append([forecast(1, BEFORE, rating=9.9, version=version)])
    ledger_of(settings).append_scores(RUN_DATE - DAY, [scored(2, version=version)])
    assert score(RUN_DATE, settings) == 3
    registry._versions.remove(version)
    assert score(RUN_DATE, settings) == 0
    record = view(settings)
    assert record.figures is not None
    assert record.figures.films == 1


def test_film_without_a_forecast_before_its_release_is_never_scored(settings: Settings):
    tmdb_store(settings).add(columns(voted(2, 90, 7.0)))
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
    tmdb_store(settings).add(columns(film, hour=13))
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
    tmdb_store(settings).purge(moment(RUN_DATE + DAY))
    assert score(RUN_DATE, settings) == 0
    assert ledger_of(settings).scores() == before
    assert view(settings).figures is not None
