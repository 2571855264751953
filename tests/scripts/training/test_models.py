import numpy as np
import onnx
import pytest

from movierating.model.features import Matrix
from movierating.model.onnx_model import Graph
from movierating.registry.bundle import GOLDEN_TOLERANCE
from scripts.parameters import MODEL_CONFIG, SEED, ModelType
from scripts.training import models
from scripts.training.models import Regressor, Targets, fit_regressor, to_onnx

FAMILIES = MODEL_CONFIG.families


def films(rows: int = 300) -> tuple[Matrix, Targets]:
    """Films with missing facts and values that float32 cannot hold exactly."""
    rng = np.random.default_rng(SEED)
    matrix = np.round(rng.uniform(-1, 1, (rows, 6)), 4).astype(np.float32)
    matrix[:, 0] *= 1e8
    matrix[rng.random(matrix.shape) < 0.2] = np.nan
    known = np.nan_to_num(matrix)
    ratings = 6 + known[:, 1] + known[:, 2] * known[:, 3] + rng.normal(0, 0.3, rows)
    return matrix, ratings


def fitted(family: ModelType) -> tuple[Regressor, Matrix]:
    matrix, ratings = films()
    small = {} if family == "linear" else {"n_estimators": 60}
    parameters = MODEL_CONFIG.parameters[family] | small
    return fit_regressor(family, parameters, matrix[:200], ratings[:200], np.ones(200)), matrix


@pytest.mark.parametrize("family", FAMILIES)
def test_onnx_form_answers_as_the_estimator_does(family: ModelType):
    regressor, matrix = fitted(family)
    answers = Graph(to_onnx(family, regressor, matrix[:5])).predict(matrix)
    np.testing.assert_allclose(answers, regressor.predict(matrix), atol=GOLDEN_TOLERANCE)


@pytest.mark.parametrize("family", FAMILIES)
def test_same_films_give_the_same_bytes(family: ModelType):
    first, matrix = fitted(family)
    second, _ = fitted(family)
    assert to_onnx(family, first, matrix[:5]) == to_onnx(family, second, matrix[:5])


@pytest.mark.parametrize("family", FAMILIES)
def test_bytes_do_not_depend_on_how_this_process_hashes_strings(family: ModelType):
    regressor, matrix = fitted(family)
    model = onnx.load_from_string(to_onnx(family, regressor, matrix[:5]))
    domains = [each.domain for each in model.opset_import]
    assert domains == sorted(domains)


@pytest.mark.parametrize("family", FAMILIES)
def test_film_of_which_nothing_is_known_gets_a_rating(family: ModelType):
    regressor, matrix = fitted(family)
    unknown = np.full((1, matrix.shape[1]), np.nan, dtype=np.float32)
    assert 3 < Graph(to_onnx(family, regressor, unknown)).predict(unknown)[0] < 9


@pytest.mark.parametrize("family", FAMILIES)
def test_film_of_more_weight_teaches_more(family: ModelType):
    matrix = np.zeros((200, 1), dtype=np.float32)
    ratings, first = np.repeat([5.0, 7.0], 100), np.repeat([100.0, 1.0], 100)
    parameters = MODEL_CONFIG.parameters[family]
    better, worse = (
        fit_regressor(family, parameters, matrix, ratings, weights).predict(matrix)[0]
        for weights in (first[::-1], first)
    )
    assert worse < 5.5
    assert better > 6.5


def test_splits_on_the_very_values_of_films_are_kept_apart():
    # The threshold between 0.2 and 0.225 is 0.2125 in float64, and above it in float32.
    values = np.asarray([[0.2], [0.225]] * 50, dtype=np.float32)
    ratings = np.asarray([5.0, 7.0] * 50)
    steep = {"n_estimators": 5, "learning_rate": 1}
    lgbm = fit_regressor("lgbm", steep, values, ratings, np.ones(100))
    between = np.asarray([[0.2125]], dtype=np.float32)
    answer = Graph(to_onnx("lgbm", lgbm, between)).predict(between)
    assert answer == pytest.approx(lgbm.predict(between))


def test_form_that_answers_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch):
    regressor, matrix = fitted("xgboost")
    monkeypatch.setattr(models, "GOLDEN_TOLERANCE", 0.0)
    with pytest.raises(ArithmeticError, match="the ONNX form of xgboost differs by"):
        to_onnx("xgboost", regressor, matrix)
