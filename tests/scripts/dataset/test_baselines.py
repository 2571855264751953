from datetime import date

import numpy as np
import pytest

from scripts.dataset.baselines import NaiveMeans

DAY = date(2026, 11, 23)


def means(*films: tuple[str, str | None, float]) -> NaiveMeans:
    """Compute naive baselines on `DAY` from films, each given as (release date, genre, rating)."""
    opened, genres, ratings = zip(*films, strict=True)
    return NaiveMeans.of(np.asarray(ratings), np.asarray(opened, "datetime64[D]"), genres, DAY)


def test_each_baseline_is_the_mean_that_its_name_says():
    found = means(
        ("2001-01-01", "Drama", 4.0), ("2023-11-23", "Drama", 6.0), ("2023-11-22", None, 8.0)
    )
    assert found.forecast("Drama") == {"mean": 6.0, "recent_mean": 6.0, "genre_mean": 5.0}
    assert found.forecast(None)["genre_mean"] == 8.0
    assert found.forecast("Western")["genre_mean"] == 6.0


def test_recent_mean_is_the_mean_of_all_without_recent_films():
    found = means(("2001-01-01", "Drama", 4.0), ("2002-01-01", "Drama", 5.0))
    assert found.recent_mean == pytest.approx(4.5)
