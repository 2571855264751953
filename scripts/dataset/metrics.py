"""Error metrics, and the baselines that a model has to beat."""

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
    """The errors of forecasts, in rating points; a positive bias means forecasts are too high.

    Args:
        actual: Ratings, shape (films,).
        forecast: Forecast ratings, shape (films,).
    """
    actual, forecast = np.asarray(actual, float), np.asarray(forecast, float)
    return Scores(
        n=len(actual),
        rmse=_rounded(root_mean_squared_error(actual, forecast)),
        mae=_rounded(mean_absolute_error(actual, forecast)),
        r2=_rounded(r2_score(actual, forecast)),
        bias=_rounded(float(np.mean(forecast - actual))),
    )


def baselines(split: TimeSplit) -> dict[str, Scores]:
    """The scores of each baseline on the hold-out films, by name."""
    forecasts = baseline_forecasts(split)
    return {name: score(split.holdout.ratings, each) for name, each in forecasts.items()}


def baseline_forecasts(split: TimeSplit) -> dict[str, Ratings]:
    """The forecasts of each baseline for the hold-out films, by name; each of shape (films,).

    The baselines are the naive means and the old system's model. Like the hold-out films, the
    training films need `MIN_VOTES_TO_MEASURE`; if none has them, all are used.
    """
    voted = Sample(split.train.frame.query(f"vote_count >= {MIN_VOTES_TO_MEASURE}"))
    rated = voted if len(voted) else split.train
    genres = [film.main_genre for film in rated.films]
    means = NaiveMeans.of(rated.ratings, rated.opened, genres, split.split_date)
    by_film = [means.forecast(film.main_genre) for film in split.holdout.films]
    forecasts = {name: np.asarray([each[name] for each in by_film]) for name in NAIVE_BASELINES}
    return forecasts | {"old_model": _old_model(rated, split.holdout)}


def _old_model(rated: Sample, holdout: Sample) -> Ratings:
    """The forecasts of the old system's estimator.

    Genres and languages are coded in alphabetical order, as in the old system. The codes of the
    cleaned file would depend on the bundle in production, and so would the score.
    """
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=UNKNOWN_CODE)
    encoder.fit(_categories(rated))

    def columns(sample: Sample) -> pd.DataFrame:
        codes = dict(zip(CODE_COLUMNS, encoder.transform(_categories(sample)).T, strict=True))
        return five_columns(sample.frame.assign(**codes))

    model = old_model().fit(columns(rated), rated.ratings)
    return np.asarray(model.predict(columns(holdout)), float)


def _categories(sample: Sample) -> list[list[str]]:
    return [[film.main_genre or "", film.original_language or ""] for film in sample.films]


def _rounded(value: float) -> float:
    # Scores are part of the version, and the last digits may differ between machines.
    return round(float(value), 6)
