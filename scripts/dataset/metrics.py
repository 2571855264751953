"""Scores, and the baselines that any model has to beat."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.preprocessing import OrdinalEncoder

from movierating.films.codes import UNKNOWN_CODE
from movierating.registry.manifest import Scores
from scripts.dataset.baselines import NAIVE_BASELINES, NaiveMeans
from scripts.dataset.legacy import CODE_COLUMNS, five_columns, old_model
from scripts.dataset.split import Ratings, Sample, TimeSplit
from scripts.parameters import MIN_VOTES_TO_MEASURE


def rmse(errors: Ratings) -> float:
    """The root of the mean squared error."""
    return float(np.sqrt(np.mean(errors**2)))


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
    """Scores on the held-out films of what any model has to beat, by its name."""
    forecasts = baseline_forecasts(split)
    return {name: score(split.holdout.ratings, each) for name, each in forecasts.items()}


def baseline_forecasts(split: TimeSplit) -> dict[str, Ratings]:
    """What any model has to beat says of the held-out films; by its name, shape (films,).

    The mean of the training films, of the last three years, of the main genre, and the old model;
    all learned from the training films that have the votes to be measured.
    """
    voted = Sample(split.train.frame.query(f"vote_count >= {MIN_VOTES_TO_MEASURE}"))
    taught = voted if len(voted) else split.train
    genres = [film.main_genre for film in taught.films]
    means = NaiveMeans.of(taught.ratings, taught.opened, genres, split.split_date)
    said = [means.forecast(film.main_genre) for film in split.holdout.films]
    forecasts = {name: np.asarray([each[name] for each in said]) for name in NAIVE_BASELINES}
    return forecasts | {"old_model": _old_model(taught, split.holdout)}


def _old_model(taught: Sample, holdout: Sample) -> Ratings:
    """The old system's estimator on its five columns, genre and language coded by the alphabet."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=UNKNOWN_CODE)
    encoder.fit(_categories(taught))

    def columns(sample: Sample) -> pd.DataFrame:
        codes = dict(zip(CODE_COLUMNS, encoder.transform(_categories(sample)).T, strict=True))
        return five_columns(sample.frame.assign(**codes))

    model = old_model().fit(columns(taught), taught.ratings)
    return np.asarray(model.predict(columns(holdout)), float)


def _categories(sample: Sample) -> list[list[str]]:
    return [[film.main_genre or "", film.original_language or ""] for film in sample.films]


def _rounded(value: float) -> float:
    return round(float(value), 6)
