"""Diagnose a trained model: errors by subgroup, learning curve, importance of groups of facts."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from movierating.model.attribution import GROUPS, explain, group_of, mask_features
from movierating.model.features import Matrix
from movierating.model.onnx_model import Model
from movierating.registry.manifest import Scores
from scripts.dataset.metrics import score
from scripts.dataset.split import Ratings, Sample
from scripts.parameters import SEED, VOTE_BANDS, ModelConfig
from scripts.training.selection import TrainingResult, fit
from scripts.training.vectors import FilmVectors

Mask = npt.NDArray[np.bool_]

MIN_SUBGROUP: Final = 20  # films; below this, the scores are noise
_LARGEST_SUBGROUPS: Final = 12  # of languages and of genres each
_CALIBRATION_BINS: Final = 10
_CURVE_SHARES: Final = (0.1, 0.25, 0.5, 1.0)
_EXPLAINED_FILMS: Final = 200  # enough for a stable mean; each takes milliseconds
_MANY_VOTES: Final = 1e9  # with as many votes every film has weight 1


@dataclass(frozen=True)
class Subgroup:
    """Scores on a part of the hold-out films.

    Attributes:
        kind: What its films have in common: language, genre, votes or year.
        name: The language, genre, range of votes or year.
        scores: Errors on its films.
        coverage: Share of its films whose rating lies in the 80 % interval.
    """

    kind: str
    name: str
    scores: Scores
    coverage: float


@dataclass(frozen=True)
class Bin:
    """Films with similar forecasts: mean forecast, mean rating, and number of films."""

    forecast: float
    rating: float
    films: int


@dataclass(frozen=True)
class Diagnosis:
    """The figures that the report shows in addition to the manifest.

    Attributes:
        errors: Forecast minus rating of each hold-out film.
        subgroups: Scores by language, genre, votes and year.
        calibration: The hold-out films in bins of equal size, by forecast.
        curve: Number of training films, and the RMSE on the hold-out films.
        importance: By group of facts, the mean absolute attribution, in rating points.
        ablation: By group of facts, the increase of the hold-out RMSE without it.
        label_ablation: By treatment of ratings with few votes, the increase of the hold-out RMSE
            without it.
        recent_bias: The mean error of the newest fold, subtracted from forecasts, in rating points;
            positive if forecasts were too high.
    """

    errors: Ratings
    subgroups: Sequence[Subgroup]
    calibration: Sequence[Bin]
    curve: Sequence[tuple[int, float]]
    importance: dict[str, float]
    ablation: dict[str, float]
    label_ablation: dict[str, float]
    recent_bias: float


# From training and evaluation films to the RMSE on the latter.
RmseOf = Callable[[FilmVectors, FilmVectors], float]


def diagnose(
    result: TrainingResult, model: Model, holdout: Sample, config: ModelConfig
) -> Diagnosis:
    """Diagnose the best candidate; every figure is of the hold-out films.

    Args:
        result: What training produced.
        model: The best candidate in the form that is served.
        holdout: The hold-out films.
        config: Parameters of each family.
    """
    films = result.films.evaluation_films()
    forecast = model.forecast(films.full).astype(float)
    best = result.best
    parameters = config.parameters[best.family]

    # Effects and recent bias stay those of the full training set; only the trees are fitted again.
    def rmse_of(training: FilmVectors, evaluation: FilmVectors) -> float:
        regressor = fit(best.family, parameters, training, best.recent_bias)
        return score(evaluation.ratings, regressor.predict(evaluation.full)).rmse

    curve = _learning_curve(result.films, rmse_of)
    _, full_rmse = curve[-1]  # all training films, all facts
    return Diagnosis(
        errors=forecast - films.ratings,
        subgroups=subgroup_scores(model, films, holdout),
        calibration=_calibration(forecast, films.ratings),
        curve=curve,
        importance=_importance(model, films),
        ablation=_ablation(result.films, rmse_of, full_rmse),
        label_ablation=_label_ablation(result.films, rmse_of, full_rmse),
        recent_bias=best.recent_bias,
    )


def subgroup_scores(model: Model, films: FilmVectors, holdout: Sample) -> list[Subgroup]:
    """Score the model by language, genre, votes and year; `films` are the vectors of `holdout`."""
    forecast = model.forecast(films.full).astype(float)
    inside = model.covers(films.full, films.ratings)
    return [
        Subgroup(kind, name, score(films.ratings[rows], forecast[rows]), float(inside[rows].mean()))
        for kind, name, rows in _subgroups(holdout)
    ]


def _subgroups(holdout: Sample) -> Iterator[tuple[str, str, Mask]]:
    """Kind, name and rows of every subgroup that is large enough."""
    languages = [film.original_language for film in holdout.films]
    genres = [film.genres for film in holdout.films]
    years = holdout.opened.astype("datetime64[Y]").astype(int) + 1970
    found = [
        *_largest("language", [(code,) if code else () for code in languages]),
        *_largest("genre", genres),
        *(
            ("votes", f"from {low}", (holdout.votes >= low) & (holdout.votes < high))
            for low, high in pairwise((*VOTE_BANDS, np.inf))
        ),
        *(("year", str(year), years == year) for year in np.unique(years)),
    ]
    yield from (each for each in found if each[2].sum() >= MIN_SUBGROUP)


def _largest(kind: str, names: Sequence[Sequence[str]]) -> Iterator[tuple[str, str, Mask]]:
    counts = Counter(name for each in names for name in dict.fromkeys(each))
    # Ties are broken by name: the subgroups are on the model card, and so in the bundle's digest.
    for name in sorted(counts, key=lambda name: (-counts[name], name))[:_LARGEST_SUBGROUPS]:
        yield kind, name, np.asarray([name in each for each in names])


def _calibration(forecast: Ratings, ratings: Ratings) -> list[Bin]:
    order = np.argsort(forecast, kind="stable")
    return [
        Bin(float(forecast[part].mean()), float(ratings[part].mean()), len(part))
        for part in np.array_split(order, min(_CALIBRATION_BINS, len(order)))
    ]


def _learning_curve(films: FilmVectors, rmse_of: RmseOf) -> list[tuple[int, float]]:
    """Train on random shares of the films of all years, so that only their number changes."""
    training, evaluation = films.training_films(), films.evaluation_films()
    order = np.random.default_rng(SEED).permutation(len(training))
    curve = []
    for share in _CURVE_SHARES:
        chosen = np.zeros(len(training), np.bool_)
        chosen[order[: int(len(training) * share)]] = True
        curve.append((int(chosen.sum()), rmse_of(training.select(chosen), evaluation)))
    return curve


def _importance(model: Model, films: FilmVectors) -> dict[str, float]:
    step = max(len(films) // _EXPLAINED_FILMS, 1)
    sizes: dict[str, list[float]] = {}
    for row in films.full[::step]:
        for group, points in explain(model, row[None, :], films.features).items():
            sizes.setdefault(group, []).append(abs(points))
    mean = {group: float(np.mean(each)) for group, each in sizes.items()}
    return dict(sorted(mean.items(), key=lambda item: -item[1]))


def _ablation(films: FilmVectors, rmse_of: RmseOf, full_rmse: float) -> dict[str, float]:
    """Mask each group of facts in both the training and the hold-out films."""
    training, evaluation = films.training_films(), films.evaluation_films()
    losses = {}
    for group in dict.fromkeys(GROUPS.values()):
        hidden = np.asarray([group_of(name) == group for name in films.features])
        if hidden.any() and not np.isnan(training.full[:, hidden]).all():
            rmse = rmse_of(_without(training, hidden), _without(evaluation, hidden))
            losses[group] = rmse - full_rmse
    return dict(sorted(losses.items(), key=lambda item: -item[1]))


def _label_ablation(films: FilmVectors, rmse_of: RmseOf, full_rmse: float) -> dict[str, float]:
    """Undo each treatment of ratings with few votes, in the trees only; effects stay the same."""
    training, evaluation = films.training_films(), films.evaluation_films()
    variants = {
        "weights by votes": replace(training, votes=np.full(len(training), _MANY_VOTES)),
        "correction for few votes": replace(training, targets=training.ratings),
        "minimum number of votes": films.select(films.years > 0),
    }
    return {name: rmse_of(each, evaluation) - full_rmse for name, each in variants.items()}


def _without(films: FilmVectors, hidden: Mask) -> FilmVectors:
    def masked(matrix: Matrix) -> Matrix:
        return mask_features(matrix, np.broadcast_to(~hidden, matrix.shape), films.features)

    return replace(films, full=masked(films.full), form=masked(films.form))
