from datetime import date

import numpy as np
import pytest

from benchmarks.distribution import VIEWS, Predicted, figures, predictions, rolling_vectors
from tests.support.samples import SMALL, SPLIT_DATE, years_of_films


def test_figures_are_those_of_the_probability_of_7_or_more():
    films = Predicted(
        chances={6.0: np.ones(4), 7.0: np.array([0.8, 0.4, 0.1, 0.5]), 8.0: np.zeros(4)},
        crps=np.array([0.2, 0.4, 0.2, 0.4]),
        low=np.full(4, 6.0),
        high=np.full(4, 7.5),
        errors=np.array([-0.1, 0.3, 0.1, -0.3]),
        ratings=np.array([7.0, 6.9, 5.0, 8.0]),
    )
    assert figures(films) == {
        "films": 4,
        "crps": pytest.approx(0.3),
        "mae": pytest.approx(0.2),
        "off": pytest.approx(0.05),
        "brier": pytest.approx(0.115),
        "base_brier": 0.25,
        "coverage80": 0.5,
        "width80": 1.5,
    }


def test_each_year_is_forecast_from_the_years_before_it():
    frame = years_of_films(per_year=40)
    frame = frame[frame["release_date"] < SPLIT_DATE.isoformat()]
    found = predictions(rolling_vectors(frame, SPLIT_DATE), SMALL, years=1)
    last = date(SPLIT_DATE.year - 1, 1, 1).isoformat()
    expected = ((frame["release_date"] >= last) & (frame["vote_count"] >= 50)).sum()
    assert list(found) == list(VIEWS)
    for each in found.values():
        assert len(each.ratings) == pytest.approx(expected, abs=3)
        # The interval contains about 80 % of the ratings of films that no model was trained on.
        assert 0.5 < figures(each)["coverage80"] <= 1
