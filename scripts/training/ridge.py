"""Solve ridge regressions on sparse matrices of tokens, with the same result on every processor.

The solver is the conjugate gradient method. The linear algebra library (BLAS) has another version
(kernel) of each sum for each kind of processor, and these versions round differently. An iterative
solver that stops early amplifies the differences: its result then depends on the processor in the
fifth decimal place. So this solver iterates until only the last digits of a float still change.

To need few iterations, this solver first solves the part of the problem with the heaviest columns
exactly, and uses this solution in each iteration (as a preconditioner). The heaviest columns are
those of genres and other frequent tokens. They depend on each other most, so they would need the
most iterations.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse.linalg import LinearOperator, cg
from threadpoolctl import ThreadpoolController

from movierating.errors import ExplainedError
from scripts.training.vocabulary import Floats

_EXACT_COLUMNS: Final = 500  # with more, the exact solution takes longer than the saved iterations
# Largest residual, relative to the right side. Effects are rounded to `DIGITS` decimal places, and
# the error of an effect is then about 1e-9.
_TOLERANCE: Final = 1e-10
_MAX_ITERATIONS: Final = 2_000  # training on TMDB's films needs 40


class NotConvergedError(ExplainedError, ArithmeticError):
    """The solver did not reach the tolerance, so the result would depend on the processor."""

    def __init__(self) -> None:
        """Create the error; its message names the number of iterations."""
        super().__init__(
            f"the ridge regression did not converge in {_MAX_ITERATIONS} iterations; raise the "
            "shrinkage in `EffectsConfig`"
        )


@dataclass(frozen=True)
class RidgeFit:
    """A fitted ridge regression: the coefficient of each column, and the intercept."""

    coefficients: Floats
    intercept: float


def fit_ridge(
    matrix: sparse.csr_matrix, targets: Floats, weights: Floats, penalty: float = 1.0
) -> RidgeFit:
    """Fit a ridge regression with an intercept; the intercept has no penalty.

    Args:
        matrix: One row per film, one column per token, shape (films, columns).
        targets: The values to predict, shape (films,).
        weights: The weight of each film, shape (films,).
        penalty: The penalty of a squared coefficient.

    Raises:
        NotConvergedError: The solver did not reach its tolerance.
    """
    transposed, total = matrix.T.tocsr(), weights.sum()
    means, mean = transposed @ weights / total, float((weights * targets).sum() / total)

    def normal_matrix(coefficients: Floats) -> Floats:
        """Multiply by the matrix of the normal equations, without building it."""
        fitted = matrix @ coefficients
        centred = weights * (fitted - (weights * fitted).sum() / total)
        product: Floats = transposed @ centred + penalty * coefficients
        return product

    # One BLAS thread is faster: in such small sums, several threads mostly wait for each other.
    with _libraries().limit(limits=1, user_api="blas"):
        coefficients, failed = cg(
            _operator(normal_matrix, len(means)),
            transposed @ (weights * (targets - mean)),
            rtol=_TOLERANCE,
            maxiter=_MAX_ITERATIONS,
            M=_operator(_preconditioner(matrix, weights, means, penalty), len(means)),
        )
    if failed:
        raise NotConvergedError
    return RidgeFit(coefficients, mean - float((means * coefficients).sum()))


def _preconditioner(
    matrix: sparse.csr_matrix, weights: Floats, means: Floats, penalty: float
) -> Callable[[Floats], Floats]:
    """Return a function that solves the normal equations approximately.

    The approximation is exact for the heaviest columns together, and treats each other column as
    independent of all columns.
    """
    total = weights.sum()
    diagonal = matrix.multiply(matrix).T @ weights - total * means**2 + penalty
    heaviest = np.argsort(-diagonal, kind="stable")[:_EXACT_COLUMNS]
    block = matrix[:, heaviest]
    weighted = sparse.csr_matrix(block.multiply(weights[:, None]))
    gram = (block.T @ weighted).toarray() - total * np.outer(means[heaviest], means[heaviest])
    factor = cho_factor(gram + penalty * np.eye(len(heaviest)))

    def solve(residual: Floats) -> Floats:
        solution: Floats = residual / diagonal
        solution[heaviest] = cho_solve(factor, residual[heaviest])
        return solution

    return solve


def _operator(product: Callable[[Floats], Floats], size: int) -> LinearOperator:
    return LinearOperator((size, size), matvec=product, dtype=np.float64)


@cache
def _libraries() -> ThreadpoolController:
    """Find the loaded libraries that use threads; cached, because the search takes 5 ms."""
    return ThreadpoolController()
