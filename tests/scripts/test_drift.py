from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from movierating.films.source import TMDB, invented_films
from movierating.ledger.ledger import TRACK_RECORD_KEY, ForecastLedger
from movierating.ledger.records import TrackRecord
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import Settings
from scripts.drift import check, claim_retraining, main
from scripts.parameters import DRIFT
from scripts.store.film_store import film_store
from tests.support.bundles import RUN_DATE, Packed, pack, put_into_production
from tests.support.films import columns, tmdb_store

DAY = timedelta(days=1)
TOMORROW = RUN_DATE + DAY
FEW = replace(DRIFT, min_films=20, min_scores=20)


def films(first_id: int, opened: date, count: int = 60, **others: Any) -> list[dict[str, Any]]:
    return [
        {"id": first_id + at, "release_date": (opened + at * DAY).isoformat()}
        | {"runtime": 90 + at % 30, "vote_count": 80}
        | others
        for at in range(count)
    ]


def stored(settings: Settings, **recent: Any) -> None:
    """Store films from before the split date (2025-01-01), and recent films with other facts.

    Args:
        settings: Settings that name the working folder.
        **recent: Facts in which the recent films differ from the training films.
    """
    tmdb_store(settings).add(
        columns(*films(1, date(2024, 6, 1)), *films(1001, date(2026, 8, 1), **recent))
    )


@pytest.fixture
def settings(bucket_settings: Settings, packed: Packed, registry: Registry) -> Settings:
    put_into_production(registry, packed)
    return bucket_settings


def ledger_of(settings: Settings) -> ForecastLedger:
    return ForecastLedger(open_bucket(settings))


def test_films_like_the_training_films_are_no_alert(settings: Settings):
    stored(settings)
    report = check(RUN_DATE, settings, FEW)
    assert report is not None
    assert report.alerts == ()
    assert report.figures["psi_main genre"] == pytest.approx(0, abs=0.01)
    assert ledger_of(settings).newest_drift_report() == report


def test_films_unlike_the_training_films_are_an_alert_in_the_ledger_and_the_log(
    settings: Settings, caplog: pytest.LogCaptureFixture
):
    stored(settings, genres=[{"id": 99, "name": "Documentary"}])
    report = check(RUN_DATE, settings, FEW)
    assert report is not None
    assert len(report.alerts) == 1
    assert report.alerts[0].startswith("main genre of recent films differs from the training films")
    assert report.alerts[0] in caplog.text
    assert ledger_of(settings).newest_drift_report() == report
    blob = open_bucket(settings).get(TRACK_RECORD_KEY)
    assert blob is not None
    assert TrackRecord.model_validate_json(blob.raw).alerts == report.alerts


def test_films_of_another_source_are_not_compared(settings: Settings):
    other = invented_films("1a2b")
    film_store(settings, other).add(
        columns(*films(1, date(2024, 6, 1)), *films(1001, date(2026, 8, 1), genres=[]))
    )
    report = check(RUN_DATE, settings, FEW)
    assert report is not None
    assert (report.source, report.figures, report.alerts) == (TMDB, {"films": 0, "scores": 0}, ())
    assert ForecastLedger(open_bucket(settings), other).newest_drift_report() is None


def test_too_few_films_are_not_compared(settings: Settings):
    stored(settings, genres=[])
    report = check(RUN_DATE, settings)
    assert report is not None
    assert report.figures == {"films": 60.0, "scores": 0.0}


@pytest.mark.parametrize("flaw", [{"adult": True}, {"video": True}, {"runtime": 12}])
def test_films_that_the_model_is_not_for_are_not_compared(settings: Settings, flaw: dict[str, Any]):
    stored(settings, **flaw)
    report = check(RUN_DATE, settings, FEW)
    assert report is not None
    assert report.figures == {"films": 0.0, "scores": 0.0}


def test_without_a_model_there_is_nothing_to_check(bucket_settings: Settings):
    assert check(RUN_DATE, bucket_settings) is None
    assert claim_retraining(RUN_DATE, "run", bucket_settings) is None


@pytest.fixture
def drifted(bucket_settings: Settings, registry: Registry, tmp_path: Any) -> Settings:
    """Put yesterday's model into production, and store recent films of a new genre (drift).

    The drift check has run, so the ledger has a drift report with an alert."""
    put_into_production(registry, pack(tmp_path / "old", RUN_DATE - DAY))
    stored(bucket_settings, genres=[{"id": 99, "name": "Documentary"}])
    check(RUN_DATE, bucket_settings, FEW)
    return bucket_settings


def test_alert_claims_one_retraining_per_day_with_its_reason(drifted: Settings):
    claimed = claim_retraining(RUN_DATE, "morning", drifted)
    assert claimed is not None
    assert "main genre" in claimed.reason
    assert claim_retraining(RUN_DATE, "evening", drifted) is None
    assert claim_retraining(RUN_DATE, "morning", drifted) == claimed  # a retry


def test_old_model_in_production_is_an_alert(settings: Settings):
    oldest = timedelta(days=DRIFT.production_days)
    report = check(RUN_DATE + oldest, settings)
    assert report is not None
    assert report.alerts == ()
    report = check(RUN_DATE + oldest + DAY, settings)
    assert report is not None
    assert report.alerts[0].startswith(
        "the model in production is 91 days old, and the limit is 90"
    )


def test_report_of_another_day_claims_no_retraining(drifted: Settings):
    assert claim_retraining(TOMORROW, "run", drifted) is None


def test_model_trained_on_todays_films_is_not_retrained(
    drifted: Settings, registry: Registry, packed: Packed
):
    put_into_production(registry, packed, registry.production())
    assert claim_retraining(RUN_DATE, "run", drifted) is None


def test_command_line_appends_a_report(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("scripts.drift.pipeline_settings", lambda: settings)
    assert main([]) == 0
    assert ledger_of(settings).newest_drift_report() is not None
