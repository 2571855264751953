"""Measure how reliable the predicted distributions are, on the years before a date.

Each year is forecast from the years before it: the model is trained on these, and the distribution
comes from the errors on the three years before it, as in the pipeline. The feature vectors are
built once, because those of a year contain only what was known when the year began.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.accuracy import read_films
from benchmarks.figures import report
from movierating.model.distribution import (
    SCORED_LEVELS,
    STATED_RATINGS,
    Numbers,
    RatingDistributions,
    crps,
)
from movierating.model.distribution_scores import DistributionScores
from movierating.model.features import Matrix, choose_features
from movierating.model.onnx_model import SMALLEST_ERROR
from scripts.dataset.split import Ratings, Sample, TimeSplit
from scripts.parameters import FOLDS, MIN_FILMS_PER_FLAG, MODEL_CONFIG, ModelConfig
from scripts.training.intervals import ErrorModel, fit_error_model
from scripts.training.selection import Fold, backtest, without_recent_bias
from scripts.training.vectors import FilmVectors, build_vectors

YEARS: Final = 8
VIEWS: Final = ("all_facts", "form", "masked")
RATING: Final = 7.0  # the figures say how reliable the probability of this rating or more is
_PARSER: Final = argparse.ArgumentParser(
    prog="python -m benchmarks.distribution", description=__doc__
)
_PARSER.add_argument("--films", type=Path, nargs="+", required=True, help="parquet files")
_PARSER.add_argument(
    "--until",
    type=date.fromisoformat,
    default=date(2022, 1, 1),
    help=f"forecast the {YEARS} years before it (default: %(default)s)",
)
_PARSER.add_argument("--json", type=Path, help="also write the figures to this file")


@dataclass(frozen=True)
class Predicted:
    """The predicted distributions of films with their ratings, each of shape (films,).

    Attributes:
        chances: By rating, the probability of this rating or more.
        crps: The error of each distribution.
        low: Lower ends of the 80 % intervals.
        high: Upper ends of the 80 % intervals.
        errors: Forecast minus rating.
        ratings: The ratings.
    """

    chances: Mapping[float, Numbers]
    crps: Numbers
    low: Numbers
    high: Numbers
    errors: Ratings
    ratings: Ratings

    @classmethod
    def of(
        cls, error_model: ErrorModel, matrix: Matrix, errors: Ratings, ratings: Ratings
    ) -> "Predicted":
        """Predict the distributions of films whose forecasts have the given errors."""
        sizes = np.maximum(error_model.regressor.predict(matrix), SMALLEST_ERROR)
        found = RatingDistributions(
            ratings + errors, error_model.quantile * sizes, error_model.errors
        )
        return cls(
            {rating: found.at_least(rating) for rating in STATED_RATINGS},
            crps([found.quantile(level) for level in SCORED_LEVELS], ratings),
            found.quantile(0.1),
            found.quantile(0.9),
            errors,
            ratings,
        )

    @classmethod
    def joined(cls, parts: Sequence["Predicted"]) -> "Predicted":
        """Join the films of several years."""
        names = ("crps", "low", "high", "errors", "ratings")
        columns = [np.concatenate([getattr(part, name) for part in parts]) for name in names]
        chances = {
            rating: np.concatenate([part.chances[rating] for part in parts])
            for rating in STATED_RATINGS
        }
        return cls(chances, *columns)


def rolling_vectors(films: pd.DataFrame, until: date) -> FilmVectors:
    """Build the feature vectors of the films released before a date."""
    split = TimeSplit(Sample(films), Sample(films.iloc[:0]), until)
    vectors, _ = build_vectors(split, choose_features(split.train.films, MIN_FILMS_PER_FLAG))
    return vectors


def predictions(
    vectors: FilmVectors, config: ModelConfig = MODEL_CONFIG, years: int = YEARS
) -> dict[str, Predicted]:
    """Forecast the last years, each from the years before it.

    Args:
        vectors: The feature vectors of all films.
        config: The parameters of the model family LightGBM, which the folds choose on these films.
        years: How many years to forecast.

    Returns:
        The predictions by the facts that the model gets: all, those of the form, or some of these.
    """
    rolled = [range(year, year + 1) for year in range(1, years + FOLDS + 1)]
    folds = backtest("lgbm", config.parameters["lgbm"], vectors, rolled)
    by_year = [dict(_year(folds[at:])) for at in range(years)]
    return {view: Predicted.joined([each[view] for each in by_year]) for view in VIEWS}


def _year(folds: Sequence[Fold]) -> Iterator[tuple[str, Predicted]]:
    """Predict the first fold from the next ones, which are older."""
    past = folds[1 : FOLDS + 1]
    error_model = fit_error_model(list(without_recent_bias(past)))
    newest = folds[0].minus(past[0].recent_bias)
    errors = (newest.errors, newest.form_errors, newest.masked_errors)
    for view, matrix, off in zip(VIEWS, newest.films.views, errors, strict=True):
        yield view, Predicted.of(error_model, matrix, off, newest.films.ratings)


def figures(predicted: Predicted) -> dict[str, Any]:
    """Compute this benchmark's measured values for one set of known facts."""
    scores = DistributionScores.of(predicted.chances, predicted.crps, predicted.ratings)
    (chance,) = (each for each in scores.at_least if each.rating == RATING)
    inside = (predicted.low <= predicted.ratings) & (predicted.ratings <= predicted.high)
    return {
        "films": scores.films,
        "crps": scores.crps,
        "mae": round(float(np.abs(predicted.errors).mean()), 4),
        "off": chance.off,
        "brier": chance.brier,
        "base_brier": chance.base_brier,
        "coverage80": round(float(inside.mean()), 4),
        "width80": round(float((predicted.high - predicted.low).mean()), 4),
    }


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark with the command-line options, and print the measured values."""
    arguments = _PARSER.parse_args(argv)
    films = read_films(arguments.films)
    vectors = rolling_vectors(
        films[films["release_date"] < arguments.until.isoformat()], arguments.until
    )
    found = {view: figures(each) for view, each in predictions(vectors).items()}
    report(arguments.json, **found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
