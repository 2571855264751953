"""Diagnose a trained model: errors by subgroup, learning curve, importance of feature groups."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from movierating.model.attribution import GROUPS, explain, group_of, mask_features
from movierating.model.distribution_scores import DistributionScores, score_distributions
from movierating.model.features import Matrix
from movierating.model.onnx_model import Model
from movierating.registry.evidence import Narrowing, SubgroupReliability
from movierating.registry.manifest import Scores
from scripts.dataset.metrics import score
from scripts.dataset.split import Ratings, Sample
from scripts.evaluation.narrowing import narrowing
from scripts.evaluation.reliability import ForecastFilms, reliability
from scripts.parameters import SEED, VOTE_BANDS, ModelConfig
from scripts.training.selection import TrainingResult, fit
from scripts.training.vectors import FilmVectors

Mask = npt.NDArray[np.bool_]

MIN_SUBGROUP: Final = 20  # films; the scores of a smaller subgroup are noise
_LARGEST_SUBGROUPS: Final = 12  # at most 12 languages and 12 genres get scores of their own
_CALIBRATION_BINS: Final = 10
_CURVE_SHARES: Final = (0.1, 0.25, 0.5, 1.0)  # of the training films; one model per share
_EXPLAINED_FILMS: Final = 200  # enough for a stable mean; to explain one film takes milliseconds
_MANY_VOTES: Final = 1e9  # with so many votes, the number of votes no longer lowers any weight


@dataclass(frozen=True)
class Subgroup:
    """A model's scores on one part of the hold-out films, such as the films in Korean.

    Attributes:
        kind: Which fact the films have in common: language, genre, votes or year.
        name: The value of that fact, such as `ko`, `Drama`, `from 100` (votes) or `2026`.
        scores: The errors of the forecasts for its films.
        coverage: Fraction of its films whose rating lies inside the 80 % interval.
    """

    kind: str
    name: str
    scores: Scores
    coverage: float


@dataclass(frozen=True)
class Bin:
    """A group of films with similar forecasts: mean forecast, mean rating, and number of films."""

    forecast: float
    rating: float
    films: int


@dataclass(frozen=True)
class Diagnosis:
    """The measurements of a model that its report shows in addition to the manifest.

    Attributes:
        errors: Forecast minus rating of each hold-out film, shape (films,).
        subgroups: Scores by language, genre, votes and year.
        calibration: The hold-out films, sorted by forecast and cut into bins of equal size.
        curve: The learning curve: pairs of a number of training films and the RMSE on the hold-out
            films.
        importance: By feature group: mean absolute contribution to a forecast, in rating points.
        ablation: By feature group: how much the RMSE on the hold-out films rises if the group is
            masked.
        label_ablation: By treatment of ratings with few votes, such as their smaller weight: how
            much the RMSE on the hold-out films rises if training omits this treatment.
        recent_bias: The mean error of the newest fold in rating points, which is subtracted from
            forecasts; positive if forecasts were too high.
        distribution: The scores of the predicted distributions on the hold-out films, if the model
            gets all facts (`all_facts`) or only those in the UI's short form (`form`).
        reliability: The bias and coverage of each language and genre, on the folds and the
            hold-out films together.
        narrowing: By how much each fact narrows the intervals of the hold-out films.
    """

    errors: Ratings
    subgroups: Sequence[Subgroup]
    calibration: Sequence[Bin]
    curve: Sequence[tuple[int, float]]
    importance: dict[str, float]
    ablation: dict[str, float]
    label_ablation: dict[str, float]
    recent_bias: float
    distribution: dict[str, DistributionScores]
    reliability: tuple[SubgroupReliability, ...]
    narrowing: tuple[Narrowing, ...]


# A function that trains on its first argument and returns the RMSE on its second.
RmseOf = Callable[[FilmVectors, FilmVectors], float]


def diagnose(
    result: TrainingResult, model: Model, holdout: Sample, config: ModelConfig
) -> Diagnosis:
    """Measure the errors of the best candidate model on the hold-out films.

    Args:
        result: The result of the training: its candidates, effects and feature vectors.
        model: The best candidate as an ONNX model, before its refit on all films.
        holdout: The hold-out films.
        config: Parameters of each model family. They are needed because more models are trained:
            for the learning curve, and without single feature groups.
    """
    films = result.films.evaluation_films()
    forecast = model.forecast(films.full).astype(float)
    best = result.best
    parameters = config.parameters[best.family]

    # To save time, only the trees are fitted again. The effects and the recent bias are not
    # estimated again; they come from the full training set.
    def rmse_of(training: FilmVectors, evaluation: FilmVectors) -> float:
        regressor = fit(best.family, parameters, training, best.recent_bias)
        return score(evaluation.ratings, regressor.predict(evaluation.full)).rmse

    curve = _learning_curve(result.films, rmse_of)
    _, full_rmse = curve[-1]  # trained on all training films and all facts
    return Diagnosis(
        errors=forecast - films.ratings,
        subgroups=subgroup_scores(model, films, holdout),
        calibration=_calibration(forecast, films.ratings),
        curve=curve,
        importance=_importance(model, films),
        ablation=_ablation(result.films, rmse_of, full_rmse),
        label_ablation=_label_ablation(result.films, rmse_of, full_rmse),
        recent_bias=best.recent_bias,
        distribution=_distribution_scores(model, films),
        reliability=reliability(ForecastFilms.of(model, best.folds, films), films.features),
        narrowing=narrowing(model, films),
    )


def subgroup_scores(model: Model, films: FilmVectors, holdout: Sample) -> list[Subgroup]:
    """Score a model on subgroups of the hold-out films: by language, genre, votes and year.

    Args:
        model: The model.
        films: The feature vectors of the hold-out films.
        holdout: The same films in the same order, with the facts that define the subgroups.
    """
    forecast = model.forecast(films.full).astype(float)
    inside = model.covers(films.full, films.ratings)
    return [
        Subgroup(kind, name, score(films.ratings[rows], forecast[rows]), float(inside[rows].mean()))
        for kind, name, rows in _subgroups(holdout)
    ]


def _subgroups(holdout: Sample) -> Iterator[tuple[str, str, Mask]]:
    """Yield kind, name and row mask of every subgroup with at least `MIN_SUBGROUP` films."""
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
    # Names break ties, so that a rerun gives the same subgroups: the model card lists them, and
    # its text is part of the bundle's digest.
    for name in sorted(counts, key=lambda name: (-counts[name], name))[:_LARGEST_SUBGROUPS]:
        yield kind, name, np.asarray([name in each for each in names])


def _distribution_scores(model: Model, films: FilmVectors) -> dict[str, DistributionScores]:
    views = {"all_facts": films.full, "form": films.form}
    predicted = {name: model.distributions(view) for name, view in views.items()}
    return {
        name: score_distributions(each, films.ratings) for name, each in predicted.items() if each
    }


def _calibration(forecast: Ratings, ratings: Ratings) -> list[Bin]:
    order = np.argsort(forecast, kind="stable")
    return [
        Bin(float(forecast[part].mean()), float(ratings[part].mean()), len(part))
        for part in np.array_split(order, min(_CALIBRATION_BINS, len(order)))
    ]


def _learning_curve(films: FilmVectors, rmse_of: RmseOf) -> list[tuple[int, float]]:
    """Train on random parts of the training films, and measure the RMSE on the hold-out films.

    Because the parts are random, each has the same mix of old and new films, and only the number of
    films differs.
    """
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
    """Mask one feature group at a time, train again, and return how much the RMSE rises, by group.

    The group is masked in the training films and in the hold-out films.
    """
    training, evaluation = films.training_films(), films.evaluation_films()
    losses = {}
    for group in dict.fromkeys(GROUPS.values()):
        hidden = np.asarray([group_of(name) == group for name in films.features])
        if hidden.any() and not np.isnan(training.full[:, hidden]).all():
            rmse = rmse_of(_without(training, hidden), _without(evaluation, hidden))
            losses[group] = rmse - full_rmse
    return dict(sorted(losses.items(), key=lambda item: -item[1]))


def _label_ablation(films: FilmVectors, rmse_of: RmseOf, full_rmse: float) -> dict[str, float]:
    """Measure how much each treatment of ratings with few votes improves the model.

    One treatment, for example, gives such ratings a smaller weight. For each treatment, a model is
    trained without it.

    Only the model's trees are trained again. The target-encoded effects are still estimated with
    all treatments.

    Returns:
        By treatment: how much the RMSE on the hold-out films rises without it.
    """
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
