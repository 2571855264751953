"""Train the five-column model for users of the old system."""

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
    """Fit a family to the five old columns.

    Returns:
        The pickled estimator, which loads without any of our code, and its hold-out scores.
    """
    train, holdout = split.train, split.holdout
    equal_weights = np.ones(len(train))
    model = fit_regressor(
        family, parameters, five_columns(train.frame), train.ratings, equal_weights
    )
    scores = score(holdout.ratings, model.predict(five_columns(holdout.frame)))
    return pickle.dumps(model), scores
