from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from movierating.ledger.ledger import TRACK_RECORD_KEY, ForecastLedger
from movierating.ledger.records import Score, TrackRecord
from movierating.registry.manifest import Manifest
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import Settings
from scripts.drift import (
    Shift,
    check,
    claim_retraining,
    input_alerts,
    main,
    recent,
    residual_alerts,
    shift,
)
from scripts.parameters import DRIFT
from scripts.store.film_store import film_store
from tests.support.bundles import RUN_DATE, Packed, pack, put_into_production
from tests.support.films import columns
from tests.support.forecasts import scored

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


def stored(settings: Settings, **of_late: Any) -> None:
    """Films that taught (the split is on 2025-01-01), and those of late."""
    film_store(settings).add(
        columns(*films(1, date(2024, 6, 1)), *films(1001, date(2026, 8, 1), **of_late))
    )


@pytest.fixture
def settings(bucket_settings: Settings, packed: Packed, registry: Registry) -> Settings:
    put_into_production(registry, packed)
    return bucket_settings


def ledger_of(settings: Settings) -> ForecastLedger:
    return ForecastLedger(open_bucket(settings))


def test_shares_that_stay_do_not_move():
    assert shift(["a", "b"] * 50, ["b", "a"] * 50).psi == pytest.approx(0, abs=1e-9)


def test_shift_is_the_one_worked_out_by_hand():
    # With half a film more: 80.5 and 20.5 of 101, then 20.5 and 80.5.
    old, new = np.asarray([80.5, 20.5]) / 101, np.asarray([20.5, 80.5]) / 101
    expected = float(np.sum((new - old) * np.log(new / old)))
    found = shift(["a"] * 80 + ["b"] * 20, ["a"] * 20 + ["b"] * 80)
    assert found.psi == pytest.approx(expected)


def test_label_that_one_side_has_never_seen_is_no_infinite_shift():
    assert np.isfinite(shift(["a"] * 50, ["b"] * 50).psi)


def test_luck_alone_passes_its_bound_hardly_ever():
    rng = np.random.default_rng(3)
    drawn = [[str(at) for at in rng.integers(0, 10, size)] for _ in range(60) for size in (300, 90)]
    shifts = [shift(before, now) for before, now in zip(drawn[::2], drawn[1::2], strict=True)]
    assert sum(each.psi > each.luck for each in shifts) <= 1


def test_small_or_lucky_shift_is_no_alert():
    shifts = {"genre": Shift(0.2, 0.1), "language": Shift(0.4, 0.5), "budget": Shift(0.3, 0.1)}
    (alert,) = input_alerts(shifts, DRIFT)
    assert (
        alert == "budget of films is not what the model learned from (PSI 0.30, the limit is 0.25)"
    )


@pytest.fixture(scope="session")
def manifest(packed: Packed) -> Manifest:
    """Of a model with a held-out RMSE of 0.7."""
    return packed.manifest


def errors(*values: float, count: int = 60) -> list[Score]:
    """Scores with these errors in turn; those within 1.0 are inside the interval."""
    return [scored(at, actual=6.5 - values[at % len(values)]) for at in range(count)]


@pytest.mark.parametrize(
    ("scores", "alerts"),
    [
        (errors(0.5, -0.5, 0.5, -0.5, 1.2, -1.2, 0.1, -0.1, 0.2, -0.2), []),
        (errors(0.5, 0.5, 0.5, 0.5, 1.2), ["are off by +0.64"]),
        (errors(-2.0, 2.0, 0.1, -0.1, 0.1, -0.1, 0.1, -0.1), ["where training measured 0.70"]),
        (errors(-0.1, 0.1), ["hold 100%"]),
        (errors(1.1, -1.1, 0.1, -0.1), ["hold 50%"]),
        ([], []),
    ],
)
def test_errors_that_passed_a_limit_are_told(
    scores: list[Score], alerts: list[str], manifest: Manifest
):
    found = list(residual_alerts(scores, manifest, DRIFT))
    assert len(found) == len(alerts)
    assert all(expected in each for expected, each in zip(alerts, found, strict=True))


def test_scores_that_are_old_or_of_few_votes_are_left_out():
    late = [scored(at, day=RUN_DATE - 10 * DAY) for at in range(20)]
    old = [scored(100 + at, day=RUN_DATE - 90 * DAY) for at in range(20)]
    few = [scored(200 + at, votes=49) for at in range(20)]
    assert len(recent([*late, *old, *few], RUN_DATE, 50, FEW)) == 20
    assert recent([*late[:19], *old, *few], RUN_DATE, 50, FEW) == []


def test_films_as_the_model_knows_them_are_no_alert(settings: Settings):
    stored(settings)
    report = check(RUN_DATE, settings, FEW)
    assert report is not None
    assert report.alerts == ()
    assert report.figures["psi_main genre"] == pytest.approx(0, abs=0.01)
    assert ledger_of(settings).newest_drift() == report


def test_films_unlike_those_that_taught_are_an_alert_in_the_ledger_and_the_log(
    settings: Settings, caplog: pytest.LogCaptureFixture
):
    stored(settings, genres=[{"id": 99, "name": "Documentary"}])
    report = check(RUN_DATE, settings, FEW)
    assert report is not None
    assert len(report.alerts) == 1
    assert report.alerts[0].startswith("main genre of films is not what the model learned from")
    assert report.alerts[0] in caplog.text
    assert ledger_of(settings).newest_drift() == report
    shown = open_bucket(settings).get(TRACK_RECORD_KEY)
    assert shown is not None
    assert TrackRecord.model_validate_json(shown.raw).alerts == report.alerts


def test_few_films_are_not_compared(settings: Settings):
    stored(settings, genres=[])
    report = check(RUN_DATE, settings)
    assert report is not None
    assert report.figures == {"films": 60.0, "scores": 0.0}


def test_without_a_model_there_is_nothing_to_check(bucket_settings: Settings):
    assert check(RUN_DATE, bucket_settings) is None
    assert claim_retraining(RUN_DATE, "run", bucket_settings) is None


@pytest.fixture
def drifted(bucket_settings: Settings, registry: Registry, tmp_path: Any) -> Settings:
    """A model of yesterday in production, and films that drifted since."""
    put_into_production(registry, pack(tmp_path / "old", RUN_DATE - DAY))
    stored(bucket_settings, genres=[{"id": 99, "name": "Documentary"}])
    check(RUN_DATE, bucket_settings, FEW)
    return bucket_settings


def test_alert_claims_one_retraining_a_day_with_its_reason(drifted: Settings):
    claimed = claim_retraining(RUN_DATE, "morning", drifted)
    assert claimed is not None
    assert "main genre" in claimed.reason
    assert claim_retraining(RUN_DATE, "evening", drifted) is None
    assert claim_retraining(RUN_DATE, "morning", drifted) == claimed  # tried again


def test_report_of_another_day_claims_nothing(drifted: Settings):
    assert claim_retraining(TOMORROW, "run", drifted) is None


def test_model_that_learned_from_the_films_of_the_day_is_not_trained_again(
    drifted: Settings, registry: Registry, packed: Packed
):
    put_into_production(registry, packed, registry.production())
    assert claim_retraining(RUN_DATE, "run", drifted) is None


def test_command_line_checks(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("scripts.drift.pipeline_settings", lambda: settings)
    assert main([]) == 0
    assert ledger_of(settings).newest_drift() is not None
