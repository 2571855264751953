"""What a trained model can and cannot do: by slice, by size of data, by group of facts."""

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

MIN_SUBGROUP: Final = 20  # films, or its figures are luck
_LARGEST_SUBGROUPS: Final = 12  # of languages and of genres each
_CALIBRATION_BINS: Final = 10
_CURVE_SHARES: Final = (0.1, 0.25, 0.5, 1.0)
_EXPLAINED_FILMS: Final = 200
_MANY_VOTES: Final = 1e9


@dataclass(frozen=True)
class Subgroup:
    """Some of the held-out films.

    Attributes:
        kind: What they have in common: genre, language, votes or year.
        coverage: Share of them whose rating lay inside the 80 % interval.
    """

    kind: str
    name: str
    scores: Scores
    coverage: float


@dataclass(frozen=True)
class Bin:
    """Films of about the same forecast: the mean of it, and of what their audiences said."""

    forecast: float
    rating: float
    films: int


@dataclass(frozen=True)
class Diagnosis:
    """What the report shows beside the manifest.

    Attributes:
        errors: Forecast minus rating of each held-out film.
        calibration: The held-out films in bins of equal size, by forecast.
        curve: Number of films that taught, and the RMSE on the held-out ones.
        importance: By group of facts, the mean size of what it adds, in rating points.
        ablation: By group of facts, how much the RMSE on the held-out films grows without it.
        labels: By what is done to ratings of few votes, how much it grows where that is left out.
        bias: What was taken off the forecasts, in rating points: how far too high those of the
            last months before the split had been.
    """

    errors: Ratings
    subgroups: Sequence[Subgroup]
    calibration: Sequence[Bin]
    curve: Sequence[tuple[int, float]]
    importance: dict[str, float]
    ablation: dict[str, float]
    labels: dict[str, float]
    bias: float


def diagnose(
    learned: TrainingResult, model: Model, holdout: Sample, config: ModelConfig
) -> Diagnosis:
    """Look closely at the chosen model; every figure is of the held-out films."""
    films = learned.films.evaluation_films()
    forecast = model.forecast(films.full).astype(float)
    best = learned.best
    parameters = config.parameters[best.family]

    # Track records, and the bias taken off, are always those of the whole model.
    def rmse_of(taught: FilmVectors, measured: FilmVectors) -> float:
        regressor = fit(best.family, parameters, taught, best.bias)
        return score(measured.ratings, regressor.predict(measured.full)).rmse

    curve = _curve(learned.films, rmse_of)
    _, whole = curve[-1]  # of all that is known of all films that teach
    return Diagnosis(
        errors=forecast - films.ratings,
        subgroups=subgroup_scores(model, films, holdout),
        calibration=_calibration(forecast, films.ratings),
        curve=curve,
        importance=_importance(model, films),
        ablation=_ablation(learned.films, rmse_of, whole),
        labels=_labels(learned.films, rmse_of, whole),
        bias=best.bias,
    )


def subgroup_scores(model: Model, films: FilmVectors, holdout: Sample) -> list[Subgroup]:
    """The held-out films by language, genre, votes and year; `films` are those of `holdout`."""
    forecast = model.forecast(films.full).astype(float)
    inside = model.covers(films.full, films.ratings)
    return [
        Subgroup(kind, name, score(films.ratings[rows], forecast[rows]), float(inside[rows].mean()))
        for kind, name, rows in _subgroups(holdout)
    ]


def _subgroups(holdout: Sample) -> Iterator[tuple[str, str, Mask]]:
    """Kind, name and rows of every slice that is large enough."""
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
    # Ties by name: the slices are on the model card, and so in the model's digest.
    for name in sorted(counts, key=lambda name: (-counts[name], name))[:_LARGEST_SUBGROUPS]:
        yield kind, name, np.asarray([name in each for each in names])


def _calibration(forecast: Ratings, ratings: Ratings) -> list[Bin]:
    order = np.argsort(forecast, kind="stable")
    return [
        Bin(float(forecast[part].mean()), float(ratings[part].mean()), len(part))
        for part in np.array_split(order, min(_CALIBRATION_BINS, len(order)))
    ]


RmseOf = Callable[[FilmVectors, FilmVectors], float]


def _curve(films: FilmVectors, rmse_of: RmseOf) -> list[tuple[int, float]]:
    """Films are drawn at random from all years, so that only their number changes."""
    taught, measured = films.training_films(), films.evaluation_films()
    order = np.random.default_rng(SEED).permutation(len(taught))
    curve = []
    for share in _CURVE_SHARES:
        chosen = np.zeros(len(taught), np.bool_)
        chosen[order[: int(len(taught) * share)]] = True
        curve.append((int(chosen.sum()), rmse_of(taught.select(chosen), measured)))
    return curve


def _importance(model: Model, films: FilmVectors) -> dict[str, float]:
    step = max(len(films) // _EXPLAINED_FILMS, 1)
    sizes: dict[str, list[float]] = {}
    for row in films.full[::step]:
        for group, points in explain(model, row[None, :], films.features).items():
            sizes.setdefault(group, []).append(abs(points))
    mean = {group: float(np.mean(each)) for group, each in sizes.items()}
    return dict(sorted(mean.items(), key=lambda item: -item[1]))


def _ablation(films: FilmVectors, rmse_of: RmseOf, whole: float) -> dict[str, float]:
    """Each group is hidden from training and from the held-out films alike."""
    taught, measured = films.training_films(), films.evaluation_films()
    losses = {}
    for group in dict.fromkeys(GROUPS.values()):
        hidden = np.asarray([group_of(name) == group for name in films.features])
        if hidden.any() and not np.isnan(taught.full[:, hidden]).all():
            losses[group] = rmse_of(_without(taught, hidden), _without(measured, hidden)) - whole
    return dict(sorted(losses.items(), key=lambda item: -item[1]))


def _labels(films: FilmVectors, rmse_of: RmseOf, whole: float) -> dict[str, float]:
    """Of the trees alone."""
    taught, measured = films.training_films(), films.evaluation_films()
    otherwise = {
        "weights by votes": replace(taught, votes=np.full(len(taught), _MANY_VOTES)),
        "few votes taken off": replace(taught, targets=taught.ratings),
        "films of few votes left out": films.select(films.years > 0),
    }
    return {name: rmse_of(each, measured) - whole for name, each in otherwise.items()}


def _without(films: FilmVectors, hidden: Mask) -> FilmVectors:
    def covered(matrix: Matrix) -> Matrix:
        return mask_features(matrix, np.broadcast_to(~hidden, matrix.shape), films.features)

    return replace(films, full=covered(films.full), form=covered(films.form))
