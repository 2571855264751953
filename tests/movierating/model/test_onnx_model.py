from dataclasses import replace

import numpy as np
import pytest

from movierating.model.distribution import NormalisedErrors
from movierating.model.features import Matrix
from movierating.model.onnx_model import SMALLEST_ERROR, Graph, GraphError, Model
from scripts.training.models import fit_regressor
from scripts.training.onnx_export import to_onnx


def linear(*factors: float, level: float = 0.0) -> Graph:
    """Create an ONNX graph; its output is `level` plus the sum of each feature times its factor."""
    matrix = np.random.default_rng(1).normal(0, 1, (200, len(factors))).astype(np.float32)
    targets = level + matrix.astype(float) @ np.asarray(factors)
    ridge = fit_regressor("linear", {"alpha": 1e-6}, matrix, targets, np.ones(len(matrix)))
    return Graph(to_onnx("linear", ridge, matrix))


def rows(*values: tuple[float, ...]) -> Matrix:
    return np.asarray(values, dtype=np.float32)


@pytest.fixture(scope="module")
def model() -> Model:
    """Create a model that returns its first feature as the rating, its second as the error."""
    return Model(linear(1, 0), linear(0, 1), quantile=1.5)


def test_graph_returns_one_number_per_row():
    answers = linear(1, 2, level=3).predict(rows((0, 0), (1, 0), (0, 1)))
    assert answers.shape == (3,)
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers, [3, 4, 5], atol=1e-3)


def test_no_rows_give_no_numbers():
    assert linear(1, 2).predict(np.empty((0, 2), np.float32)).shape == (0,)


@pytest.mark.parametrize("raw", [b"", b"no graph", b"\x80\x04N."])
def test_bytes_that_are_not_a_graph_are_refused(raw: bytes):
    with pytest.raises(GraphError, match="the bytes are not an ONNX graph"):
        Graph(raw)


def test_ratings_are_clamped_to_0_and_10(model: Model):
    ratings = model.forecast(rows((6.5, 1), (-3, 1), (12, 1)))
    np.testing.assert_allclose(ratings, [6.5, 0, 10], atol=1e-3)


def test_half_width_is_the_quantile_times_the_predicted_error(model: Model):
    half_widths = model.half_widths(rows((6, 1), (6, 0.4)))
    np.testing.assert_allclose(half_widths, [1.5, 0.6], atol=1e-3)


def test_interval_covers_ratings_within_its_half_width(model: Model):
    covered = model.covers(rows((6, 1), (6, 1), (6, 0.4)), np.array([7.4, 7.6, 5.0]))
    assert covered.tolist() == [True, False, False]


def test_interval_and_distribution_follow_the_errors_of_the_folds(model: Model):
    errors = NormalisedErrors.of([*np.linspace(-2, 0, 50), *np.linspace(0, 1, 50)], np.ones(100))
    skewed, matrix = replace(model, errors=errors), rows((6, 1), (6, 0.4))
    low, high = skewed.intervals(matrix)
    np.testing.assert_allclose(low, [6 - 1.5 * 1.6, 6 - 0.6 * 1.6], atol=0.05)
    np.testing.assert_allclose(high, [6 + 1.5 * 0.8, 6 + 0.6 * 0.8], atol=0.05)
    assert skewed.covers(matrix, np.array([4.0, 6.7])).tolist() == [True, False]
    found = skewed.distributions(matrix)
    assert found is not None
    np.testing.assert_allclose(found.at_least(6.0), [0.5, 0.5], atol=0.01)


def test_model_of_format_2_has_no_distribution(model: Model):
    assert model.distributions(rows((6, 1))) is None


@pytest.mark.parametrize("error", [0.0, -1.0, SMALLEST_ERROR / 2])
def test_predicted_error_has_a_lower_limit(model: Model, error: float):
    assert model.half_widths(rows((6, error)))[0] == pytest.approx(1.5 * SMALLEST_ERROR)


def test_rating_and_half_width_do_not_depend_on_other_rows(model: Model):
    matrix = np.random.default_rng(2).uniform(0, 5, (20, 2)).astype(np.float32)
    for answer in (model.forecast, model.half_widths):
        alone = np.concatenate([answer(matrix[at : at + 1]) for at in range(len(matrix))])
        np.testing.assert_allclose(answer(matrix), alone, atol=1e-5)
