import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from scripts.training import ridge
from scripts.training.ridge import NotConvergedError, fit_ridge
from scripts.training.vocabulary import Floats
from tests.support.training_run import token_system

# Every x86 processor of the last ten years can run both kernels.
KERNELS = ("Haswell", "Prescott")


def _exactly(matrix: sparse.csr_matrix, targets: Floats, weights: Floats, penalty: float) -> Floats:
    """Solve the normal equations as a dense system; return coefficients, then the intercept."""
    dense = np.column_stack([matrix.toarray(), np.ones(len(targets))])
    penalties = np.diag([penalty] * matrix.shape[1] + [0])
    solution: Floats = np.linalg.solve(
        dense.T @ (weights[:, None] * dense) + penalties, dense.T @ (weights * targets)
    )
    return solution


@pytest.mark.parametrize("penalty", [1.0, 30.0])
def test_solution_is_that_of_the_normal_equations(penalty: float):
    rng = np.random.default_rng(1)
    # More columns than those whose problem is solved exactly, so the solver has to iterate.
    matrix = sparse.random(900, 700, 0.01, "csr", random_state=2)
    targets, weights = rng.normal(6, 1, 900), rng.uniform(0.01, 1, 900)
    found = fit_ridge(matrix, targets, weights, penalty)
    expected = _exactly(matrix, targets, weights, penalty)
    assert np.abs(found.coefficients - expected[:-1]).max() < 1e-8
    assert abs(found.intercept - expected[-1]) < 1e-8


def test_solution_is_complete_where_early_iterations_are_far_from_it():
    matrix, targets, weights = token_system(films=2_000)
    found = fit_ridge(matrix, targets, weights)
    expected = _exactly(matrix, targets, weights, 1.0)
    assert np.abs(found.coefficients - expected[:-1]).max() < 1e-7


def test_token_without_films_gets_no_effect():
    matrix = sparse.csr_matrix(([1.0, 1.0], ([0, 1], [0, 2])), shape=(3, 3))
    found = fit_ridge(matrix, np.asarray([7.0, 5.0, 6.0]), np.ones(3))
    assert found.coefficients[1] == 0
    assert found.coefficients[0] == pytest.approx(-found.coefficients[2])


def test_solver_that_does_not_converge_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ridge, "_MAX_ITERATIONS", 1)
    with pytest.raises(NotConvergedError, match=r"did not converge in 1 iterations; raise the"):
        fit_ridge(*token_system(films=200))


def _trained_with(kernels: tuple[str, ...]) -> list[dict[str, Any]]:
    """Train a model in a process per kernel, all at the same time; return what each prints."""
    command = [sys.executable, "-m", "tests.support.training_run"]
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(
            command,
            env=os.environ | one_thread | {"OPENBLAS_CORETYPE": kernel},
            stdout=subprocess.PIPE,
            text=True,
        )
        for kernel in kernels
    ]
    printed = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(kernels)
    return [json.loads(each) for each in printed]


def test_training_gives_the_same_model_with_every_kernel():
    """With the earlier solver, which stopped too early, RMSE differed by 0.0009 on real films."""
    first, second = _trained_with(KERNELS)
    if first.pop("kernel") == second.pop("kernel"):
        pytest.skip("this processor has only one of the kernels")
    assert round(first["rmse"], 4) == round(second["rmse"], 4)
    assert first == second
