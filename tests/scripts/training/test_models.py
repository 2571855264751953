from typing import Any, get_args

import numpy as np
import optuna
import pytest

from scripts.parameters import MODEL_CONFIG, ModelConfig, ModelType
from scripts.training.models import FAMILIES, UnknownFamilyError, family_named, fit_regressor
from scripts.training.selection import train_candidates
from tests.support.samples import split_of, years_of_films


def test_every_model_type_has_a_family_and_parameters():
    assert set(FAMILIES) == set(get_args(ModelType)) == set(MODEL_CONFIG.parameters)


@pytest.mark.parametrize("family", FAMILIES)
def test_parameters_in_use_lie_inside_the_search_space(family: ModelType):
    trial: Any = optuna.trial.FixedTrial(MODEL_CONFIG.parameters[family])
    # Optuna warns if a parameter is outside the search space, and pytest makes warnings errors.
    family_named(family).suggest(trial)


def test_unknown_family_is_an_error_that_names_the_known_ones():
    known = "known families: xgboost, lgbm, rf, linear"
    with pytest.raises(UnknownFamilyError, match=f"unknown model family 'catboost'; {known}"):
        fit_regressor("catboost", {}, np.zeros((9, 1)), np.ones(9), np.ones(9))  # type: ignore[arg-type]


@pytest.mark.parametrize("parameters", [{}, {"catboost": {}}])
def test_unknown_family_in_the_configuration_stops_training(parameters: Any):
    config = ModelConfig("catboost", parameters)  # type: ignore[arg-type]
    with pytest.raises(UnknownFamilyError, match="unknown model family 'catboost'"):
        train_candidates(split_of(years_of_films()), config)


@pytest.mark.parametrize("family", FAMILIES)
def test_film_with_more_weight_has_more_influence(family: ModelType):
    matrix = np.zeros((200, 1), dtype=np.float32)
    ratings, first = np.repeat([5.0, 7.0], 100), np.repeat([100.0, 1.0], 100)
    parameters = MODEL_CONFIG.parameters[family]
    better, worse = (
        fit_regressor(family, parameters, matrix, ratings, weights).predict(matrix)[0]
        for weights in (first[::-1], first)
    )
    assert worse < 5.5
    assert better > 6.5
