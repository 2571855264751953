"""Scores, and the baselines that any model has to beat."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from movierating.manifest import Scores
from scripts.legacy import five_columns, old_model
from scripts.parameters import MIN_VOTES_TO_MEASURE
from scripts.samples import Ratings, TimeSplit

RECENT_YEARS: Final = 3


def score(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> Scores:
    """Errors of forecasts in rating points; the bias is positive when they are too high."""
    actual, forecast = np.asarray(actual, float), np.asarray(forecast, float)
    return Scores(
        n=len(actual),
        rmse=_rounded(root_mean_squared_error(actual, forecast)),
        mae=_rounded(mean_absolute_error(actual, forecast)),
        r2=_rounded(r2_score(actual, forecast)),
        bias=_rounded(float(np.mean(forecast - actual))),
    )


def baselines(split: TimeSplit) -> dict[str, Scores]:
    """Scores on the held-out films of what any model has to beat.

    The mean of all training films, of the last three years, of the main genre, and the old
    five-column model on the training films that have the votes to be measured.
    """
    forecasts = {
        "mean": _constant(split, split.train.ratings.mean()),
        "recent_mean": _constant(split, _recent_mean(split)),
        "genre_mean": _genre_mean(split),
        "old_model": _old_model(split),
    }
    return {name: score(split.holdout.ratings, each) for name, each in forecasts.items()}


def _constant(split: TimeSplit, value: float) -> Ratings:
    return np.full(len(split.holdout), value)


def _recent_mean(split: TimeSplit) -> float:
    start = pd.Timestamp(split.split_date) - pd.DateOffset(years=RECENT_YEARS)
    recent = split.train.frame["release_date"] >= start.date().isoformat()
    return float(split.train.ratings[recent if recent.any() else slice(None)].mean())


def _genre_mean(split: TimeSplit) -> Ratings:
    means = split.train.frame.groupby("genre_encoded")["vote_average"].mean()
    codes = split.holdout.frame["genre_encoded"]
    return codes.map(means).fillna(split.train.ratings.mean()).to_numpy(float)


def _old_model(split: TimeSplit) -> Ratings:
    voted = split.train.frame.query(f"vote_count >= {MIN_VOTES_TO_MEASURE}")
    model = old_model().fit(five_columns(voted), voted["vote_average"])
    return np.asarray(model.predict(five_columns(split.holdout.frame)), float)


def _rounded(value: float) -> float:
    return round(float(value), 6)
