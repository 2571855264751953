from datetime import date, timedelta

import pytest

from movierating.ledger.records import SubgroupFigures
from scripts.ledger.track_record import figures, newest_per_film, track_record
from tests.support.bundles import RUN_DATE
from tests.support.forecasts import scored


def films_by_name(found: tuple[SubgroupFigures, ...], kind: str) -> dict[str, int]:
    return {each.name: each.figures.films for each in found if each.kind == kind}


def test_figures_equal_a_calculation_by_hand():
    # Both films were forecast as 6.5 with the interval 5.5 to 7.5, and by all baselines as 6.0.
    found = figures([scored(1, 6.0), scored(2, 8.0)])
    assert found.model_dump() == {
        "films": 2,
        "rmse": pytest.approx(((0.5**2 + 1.5**2) / 2) ** 0.5, abs=1e-4),
        "mae": 1.0,
        "bias": -0.5,
        "coverage": 0.5,
        "baselines": dict.fromkeys(
            ["genre_mean", "mean", "recent_mean"], pytest.approx(2**0.5, abs=1e-4)
        ),
    }


def test_distributions_of_the_forecasts_that_have_one_are_scored():
    old = scored(3, 7.5, at_least=None, crps=None)
    found = track_record([scored(1, 6.5), scored(2, 7.1, crps=0.5), old], RUN_DATE, 50)
    assert found.distribution is not None
    assert (found.distribution.films, found.distribution.crps) == (2, 0.4)
    six, seven, eight = found.distribution.at_least
    assert (six.share, seven.share, eight.share) == (1.0, 0.5, 0.0)
    assert seven.brier == pytest.approx((0.25**2 + 0.75**2) / 2, abs=1e-4)
    assert seven.base_brier == 0.25


def test_track_record_of_forecasts_without_distributions_has_none():
    scores = [scored(at, at_least=None, crps=None) for at in range(3)]
    assert track_record(scores, RUN_DATE, 50).distribution is None
    assert track_record([], RUN_DATE, 50).distribution is None


def test_baseline_that_some_forecasts_lack_is_left_out():
    found = figures([scored(1), scored(2, baselines={"mean": 6.0})])
    assert list(found.baselines) == ["mean"]


def test_newest_score_of_a_film_counts():
    early = scored(1, mark="votes", day=RUN_DATE - timedelta(30))
    assert newest_per_film([scored(1), early]) == [scored(1)]


def test_scores_with_few_votes_are_left_out():
    found = track_record([scored(1, votes=49), scored(2, votes=50)], RUN_DATE, 50)
    assert [each.film_id for each in found.worst] == [2]


def test_months_are_in_order_and_a_film_counts_once_per_mark():
    scores = [
        scored(1, release_date=date(2026, 3, 1)),
        scored(2, release_date=date(2025, 12, 31)),
        scored(1, release_date=date(2026, 3, 1), mark="votes", day=date(2026, 3, 9)),
    ]
    found = track_record(scores, RUN_DATE, 50).parts
    assert list(films_by_name(found, "month")) == ["2025-12", "2026-03"]
    assert films_by_name(found, "mark") == {"90 days": 2, "votes": 1}


def test_genres_and_languages_with_few_films_are_left_out():
    scores = [scored(at, genre="Drama" if at else "Western", language=None) for at in range(11)]
    found = track_record(scores, RUN_DATE, 50).parts
    assert films_by_name(found, "genre") == {"Drama": 10}
    assert films_by_name(found, "language") == {}


def test_each_film_is_in_one_range_of_votes():
    scores = [scored(at, votes=votes) for at, votes in enumerate([50, 99, 100, 5000])]
    found = films_by_name(track_record(scores, RUN_DATE, 50).parts, "votes")
    assert found == {"from 50": 2, "from 100": 1, "from 1000": 1}


def test_worst_and_best_forecasts_are_listed_in_order():
    scores = [scored(at, actual=6.5 + at / 10) for at in range(30)]
    found = track_record(scores, RUN_DATE, 50)
    assert [each.film_id for each in found.worst] == list(range(29, 19, -1))
    assert [each.film_id for each in found.best] == list(range(10))


def test_calibration_bins_hold_films_with_similar_forecasts():
    scores = [scored(at, actual=5.0 + at // 10, rating=6.0 + at // 10) for at in range(20)]
    low, high = track_record(scores, RUN_DATE, 50).calibration
    assert (low.forecast, low.actual, low.films) == (6.0, 5.0, 10)
    assert (high.forecast, high.actual, high.films) == (7.0, 6.0, 10)


def test_without_scores_there_are_no_figures():
    found = track_record([], RUN_DATE, 50)
    assert (found.figures, found.parts, found.calibration, found.worst) == (None, (), (), ())
