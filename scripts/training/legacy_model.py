"""Train a model on the five columns of the old system, for users who still load its pickle."""

import pickle
from collections.abc import Mapping
from typing import Any

import numpy as np

from movierating.registry.manifest import Scores
from scripts.dataset.legacy import five_columns
from scripts.dataset.metrics import score
from scripts.dataset.split import TimeSplit
from scripts.parameters import ModelType
from scripts.training.models import fit_regressor


def train_legacy_model(
    family: ModelType, parameters: Mapping[str, Any], split: TimeSplit
) -> tuple[bytes, Scores]:
    """Fit a model of one family to the five columns of the old system.

    Returns:
        The pickled estimator, and its scores on the hold-out films. The pickle can be loaded
        without the code of this project.
    """
    train, holdout = split.train, split.holdout
    equal_weights = np.ones(len(train))
    model = fit_regressor(
        family, parameters, five_columns(train.frame), train.ratings, equal_weights
    )
    scores = score(holdout.ratings, model.predict(five_columns(holdout.frame)))
    return pickle.dumps(model), scores
