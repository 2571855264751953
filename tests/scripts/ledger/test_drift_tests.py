from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from movierating.ledger.records import Score
from movierating.registry.manifest import Manifest
from scripts.ledger.drift_tests import (
    Shift,
    input_alerts,
    recent_scores,
    residual_alerts,
    shift,
)
from scripts.parameters import DRIFT
from tests.support.bundles import RUN_DATE, Packed
from tests.support.forecasts import scored

DAY = timedelta(days=1)
FEW = replace(DRIFT, min_films=20, min_scores=20)


def test_unchanged_shares_give_no_shift():
    assert shift(["a", "b"] * 50, ["b", "a"] * 50).psi == pytest.approx(0, abs=1e-9)


def test_shift_equals_a_calculation_by_hand():
    # `shift` adds half a film to each label. So the shares are 80.5 and 20.5 of 101 before, and
    # 20.5 and 80.5 of 101 after.
    old, new = np.asarray([80.5, 20.5]) / 101, np.asarray([20.5, 80.5]) / 101
    expected = float(np.sum((new - old) * np.log(new / old)))
    found = shift(["a"] * 80 + ["b"] * 20, ["a"] * 20 + ["b"] * 80)
    assert found.psi == pytest.approx(expected)


def test_label_missing_on_one_side_gives_a_finite_shift():
    assert np.isfinite(shift(["a"] * 50, ["b"] * 50).psi)


def test_shift_by_chance_rarely_exceeds_its_bound():
    rng = np.random.default_rng(3)
    drawn = [[str(at) for at in rng.integers(0, 10, size)] for _ in range(60) for size in (300, 90)]
    shifts = [shift(before, now) for before, now in zip(drawn[::2], drawn[1::2], strict=True)]
    assert sum(each.psi > each.by_chance for each in shifts) <= 1


def test_shift_below_the_limit_or_the_chance_bound_is_no_alert():
    shifts = {"genre": Shift(0.2, 0.1), "language": Shift(0.4, 0.5), "budget": Shift(0.3, 0.1)}
    (alert,) = input_alerts(shifts, DRIFT)
    assert alert == "budget of recent films differs from the training films (PSI 0.30, limit 0.25)"


@pytest.fixture(scope="session")
def manifest(packed: Packed) -> Manifest:
    """Return the manifest of a model whose RMSE on the hold-out films is 0.7."""
    return packed.manifest


def errors(*values: float, count: int = 60) -> list[Score]:
    """Create `count` scores whose errors (forecast minus rating) repeat `values` in turn.

    The 80 % interval of each forecast contains errors up to 1.0 in either direction.
    """
    return [scored(at, actual=6.5 - values[at % len(values)]) for at in range(count)]


@pytest.mark.parametrize(
    ("scores", "alerts"),
    [
        (errors(0.5, -0.5, 0.5, -0.5, 1.2, -1.2, 0.1, -0.1, 0.2, -0.2), []),
        (errors(0.5, 0.5, 0.5, 0.5, 1.2), ["are off by +0.64"]),
        (
            errors(-2.0, 2.0, 0.1, -0.1, 0.1, -0.1, 0.1, -0.1),
            ["the measured model had 0.70 on the hold-out films"],
        ),
        (errors(-0.1, 0.1), ["contain 100% of the ratings"]),
        (errors(1.1, -1.1, 0.1, -0.1), ["contain 50% of the ratings"]),
        ([], []),
    ],
)
def test_each_error_measure_beyond_its_limit_is_an_alert(
    scores: list[Score], alerts: list[str], manifest: Manifest
):
    found = list(residual_alerts(scores, manifest, DRIFT))
    assert len(found) == len(alerts)
    assert all(expected in each for expected, each in zip(alerts, found, strict=True))


def test_old_scores_and_scores_with_few_votes_are_left_out():
    new = [scored(at, day=RUN_DATE - 10 * DAY) for at in range(20)]
    old = [scored(100 + at, day=RUN_DATE - 90 * DAY) for at in range(20)]
    few = [scored(200 + at, votes=49) for at in range(20)]
    assert len(recent_scores([*new, *old, *few], RUN_DATE, 50, FEW)) == 20
    assert recent_scores([*new[:19], *old, *few], RUN_DATE, 50, FEW) == []
