"""Refit the selected model on all films, after it was measured without the newest ones.

The hold-out films are the newest films, and a model that never learns from them is a year old when
it begins to forecast. So two models are made. The twin is trained on the films before the split
date, measured on the hold-out films, and stays in the bundle for the gate and the report. The
refitted model is trained on all films in the same way, and serves forecasts. Its errors cannot be
measured before its forecasts are scored, because no films are left that it has not learned from.

The recent bias is not subtracted from its forecasts, because it has learned from the films in which
the bias was found. The error model is the twin's: it needs errors of films that are not training
films.

A refitted model whose forecasts lie too far from those of its twin is refused: the measurements say
nothing about such a model. Then the twin serves forecasts. This happens after a defect, or if there
are so few films that a fifth more of them changes the model much.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from movierating.films.film import Film
from movierating.model.predictor import Predictor
from movierating.model.target_encoding import Effects
from scripts.dataset.split import Sample, TimeSplit
from scripts.parameters import MIN_VOTES_TO_LEARN, ModelConfig
from scripts.training.models import Correction
from scripts.training.selection import TrainingResult, fit
from scripts.training.vectors import estimate_effects

LARGEST_DISTANCE: Final = 0.2  # between a refitted model and its twin, in rating points


@dataclass(frozen=True)
class Refit:
    """A model that was trained on all films.

    Attributes:
        regressor: The fitted model.
        effects: Effects estimated from all films.
        films: All films that it has learned from.
    """

    regressor: Correction
    effects: Effects
    films: Sample


def refit(result: TrainingResult, split: TimeSplit, config: ModelConfig, until: date) -> Refit:
    """Train a model of the selected family on all films.

    The trees get the vectors that the films already have: each was encoded with effects of films
    that were released before it. Only the effects are estimated again.

    Args:
        result: The measured candidates and the vectors of all films.
        split: The films before the split date, and the later ones.
        config: The parameters of each family.
        until: The last day on which a training film may be released.
    """
    family, vectors = result.best.family, result.films
    learned = vectors.select(vectors.votes >= MIN_VOTES_TO_LEARN)
    films = Sample.joined(split.train, split.later)
    effects = estimate_effects(films, until + timedelta(1))
    return Refit(fit(family, config.parameters[family], learned), effects, films)


def distance(refitted: Predictor, twin: Predictor, films: Sequence[Film]) -> float:
    """Compute how far the forecasts of a refitted model lie from those of its twin.

    The hold-out films cannot show this: the refitted model has learned their ratings, and its twin
    has not. On TMDB's films, it forecasts the hold-out films 0.28 points apart from its twin, but
    films that are new to both only 0.08. So both models forecast films from which both have
    learned. There they are 0.08 apart, too, and a defect of the trees or of the effects moves both
    differences alike.

    Args:
        refitted: The refitted model.
        twin: The measured model.
        films: The newest training films of the twin with enough votes.

    Returns:
        The mean absolute difference in rating points.
    """
    return round(float(np.abs(refitted.ratings(films) - twin.ratings(films)).mean()), 6)
