"""Calculate error metrics, and the forecasts of the baselines that a model has to beat."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierating.films.codes import UNKNOWN_CODE
from movierating.registry.manifest import Scores
from scripts.dataset.baselines import NAIVE_BASELINES, NaiveMeans
from scripts.dataset.legacy import CODE_COLUMNS, five_columns, old_model
from scripts.dataset.split import Ratings, Sample, TimeSplit
from scripts.parameters import MIN_VOTES_TO_MEASURE


def rmse(errors: Ratings) -> float:
    """Return the root mean squared error, from errors of shape (films,)."""
    return float(np.sqrt(np.mean(errors**2)))


def score(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> Scores:
    """Calculate the error metrics of forecasts, in rating points.

    A positive bias means that the forecasts are too high.

    Args:
        actual: TMDB's ratings, shape (films,).
        forecast: The forecast ratings of the same films, shape (films,).
    """
    # Imported here, because this import takes a second, and the ledger only needs `rmse`.
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    actual, forecast = np.asarray(actual, float), np.asarray(forecast, float)
    return Scores(
        n=len(actual),
        rmse=_rounded(root_mean_squared_error(actual, forecast)),
        mae=_rounded(mean_absolute_error(actual, forecast)),
        r2=_rounded(r2_score(actual, forecast)),
        bias=_rounded(float(np.mean(forecast - actual))),
    )


def baselines(split: TimeSplit) -> dict[str, Scores]:
    """Return each baseline's error metrics on the hold-out films, by the baseline's name."""
    forecasts = baseline_forecasts(split)
    return {name: score(split.holdout.ratings, each) for name, each in forecasts.items()}


def baseline_forecasts(split: TimeSplit) -> dict[str, Ratings]:
    """Forecast the hold-out films with each baseline: three mean ratings, and the old model.

    Baselines are fitted only to training films with at least `MIN_VOTES_TO_MEASURE` votes, because
    all hold-out films have at least as many. If no training film has so many votes, all training
    films are used.

    Returns:
        The forecasts by the baseline's name, each of shape (films,).
    """
    voted = Sample(split.train.frame.query(f"vote_count >= {MIN_VOTES_TO_MEASURE}"))
    rated = voted if len(voted) else split.train
    genres = [film.main_genre for film in rated.films]
    means = NaiveMeans.of(rated.ratings, rated.opened, genres, split.split_date)
    by_film = [means.forecast(film.main_genre) for film in split.holdout.films]
    forecasts = {name: np.asarray([each[name] for each in by_film]) for name in NAIVE_BASELINES}
    return forecasts | {"old_model": _old_model(rated, split.holdout)}


def _old_model(rated: Sample, holdout: Sample) -> Ratings:
    """Fit the old system's estimator to the rated films, and forecast the hold-out films.

    Genres and languages get their codes in alphabetical order, as in the old system. The codes in
    the cleaned file are not used: they depend on the model in production, so the score of this
    baseline would depend on it, too.
    """
    from sklearn.preprocessing import OrdinalEncoder  # slow; see `score`

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
    # Scores are part of the version's name, and their last digits may differ between machines.
    return round(float(value), 6)
