import numpy as np
import onnx
import pytest

from movierating.model.features import Matrix
from movierating.model.onnx_model import Graph
from movierating.registry.bundle import GOLDEN_TOLERANCE
from scripts.parameters import MODEL_CONFIG, SEED, ModelType
from scripts.training import onnx_export
from scripts.training.models import Regressor, Targets, UnknownFamilyError, fit_regressor
from scripts.training.onnx_export import to_onnx

FAMILIES = MODEL_CONFIG.families


def films(rows: int = 300) -> tuple[Matrix, Targets]:
    """Create feature vectors and ratings of films; some values are missing, some very large."""
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
def test_onnx_form_predicts_as_the_estimator_does(family: ModelType):
    regressor, matrix = fitted(family)
    answers = Graph(to_onnx(family, regressor, matrix[:5])).predict(matrix)
    np.testing.assert_allclose(answers, regressor.predict(matrix), atol=GOLDEN_TOLERANCE)


@pytest.mark.parametrize("family", FAMILIES)
def test_same_films_give_the_same_bytes(family: ModelType):
    first, matrix = fitted(family)
    second, _ = fitted(family)
    assert to_onnx(family, first, matrix[:5]) == to_onnx(family, second, matrix[:5])


@pytest.mark.parametrize("family", FAMILIES)
def test_operator_sets_are_sorted_so_that_bytes_do_not_depend_on_the_process(family: ModelType):
    regressor, matrix = fitted(family)
    model = onnx.load_from_string(to_onnx(family, regressor, matrix[:5]))
    domains = [each.domain for each in model.opset_import]
    assert domains == sorted(domains)


@pytest.mark.parametrize("family", FAMILIES)
def test_film_without_any_facts_gets_a_rating(family: ModelType):
    regressor, matrix = fitted(family)
    unknown = np.full((1, matrix.shape[1]), np.nan, dtype=np.float32)
    assert 3 < Graph(to_onnx(family, regressor, unknown)).predict(unknown)[0] < 9


def test_threshold_between_two_values_splits_them_in_float32_too():
    # LightGBM splits 0.2 and 0.225 at the double 0.2125. The nearest float32 is larger than that.
    values = np.asarray([[0.2], [0.225]] * 50, dtype=np.float32)
    ratings = np.asarray([5.0, 7.0] * 50)
    steep = {"n_estimators": 5, "learning_rate": 1}
    lgbm = fit_regressor("lgbm", steep, values, ratings, np.ones(100))
    between = np.asarray([[0.2125]], dtype=np.float32)
    answer = Graph(to_onnx("lgbm", lgbm, between)).predict(between)
    assert answer == pytest.approx(lgbm.predict(between))


def test_onnx_form_that_predicts_something_else_is_an_error(monkeypatch: pytest.MonkeyPatch):
    regressor, matrix = fitted("xgboost")
    monkeypatch.setattr(onnx_export, "GOLDEN_TOLERANCE", 0.0)
    with pytest.raises(ArithmeticError, match="the ONNX form of xgboost differs by"):
        to_onnx("xgboost", regressor, matrix)


def test_unknown_family_is_an_error():
    regressor, matrix = fitted("linear")
    with pytest.raises(UnknownFamilyError, match="unknown model family 'catboost'"):
        to_onnx("catboost", regressor, matrix)  # type: ignore[arg-type]
