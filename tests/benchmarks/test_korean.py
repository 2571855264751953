from datetime import date

import numpy as np
import pandas as pd
import pytest

from benchmarks.korean import difference, figures, mood_figures, with_pairs
from movierating.model.plot_weights import DIMENSIONS
from scripts.dataset.plot_vectors import KOREAN_VECTOR, PLOT_VECTOR

SAID = pd.DataFrame(
    {"english": [6.4, 6.0] * 10, "korean": [6.3, 6.1] * 10, "unknown": [6.2] * 20, "rating": 6.2}
)


def test_errors_are_measured_from_the_ratings():
    found = figures(SAID)
    errors = [found[f"rmse_{name}"] for name in ("english", "korean", "unknown")]
    assert errors == [0.2, 0.1, 0.0]
    assert found["korean_minus_english"] == [-0.1, -0.1, -0.1]


def test_interval_of_a_difference_holds_what_chance_explains():
    first = np.random.default_rng(1).normal(0, 1, 400)
    found, low, high = difference(first, first[::-1])  # the same errors, so the same RMSE
    assert low < found == 0 < high
    assert difference(first, 2 * first)[2] < 0


def test_korean_plots_are_joined_to_their_films():
    pairs = pd.DataFrame({"id": [2], "overview_ko": ["편지"]})
    laid = with_pairs(pd.DataFrame({"id": [1, 2]}), pairs)["overview_ko"]
    assert laid.notna().tolist() == [False, True]
    assert laid[1] == "편지"


@pytest.mark.parametrize("tells", [True, False])
def test_mood_is_found_only_if_the_vectors_tell_it(tells: bool):
    random = np.random.default_rng(1)
    polarity = random.uniform(-0.3, 0.3, 900)
    vectors = random.normal(0, 0.05, (900, DIMENSIONS))
    vectors[:, 0] = 3 * polarity
    korean = vectors - 0.5 if tells else random.permutation(vectors) - 0.5
    films = pd.DataFrame(
        {
            "release_date": ["2018-01-01"] * 600 + ["2020-01-01"] * 300,
            "overview_sentiment": polarity,
            PLOT_VECTOR: [*vectors],
            KOREAN_VECTOR: [*korean],
        }
    )
    found = mood_figures(films, date(2019, 1, 1))
    assert found["mood_films"] == 300
    assert (found["mood_agrees"] > 0.6) == tells
    assert found["mood_agrees_by_chance"] == pytest.approx(1 / 3, abs=0.03)
