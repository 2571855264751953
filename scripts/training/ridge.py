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
from functools import cache, cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
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


@dataclass(frozen=True)
class Dense:
    """Columns in which most films have a value, such as the components of plots' vectors.

    Attributes:
        columns: One row per film.
        scale: Factor of all columns. It is a number of its own, because scaled columns would be a
            second large matrix.
    """

    columns: Floats
    scale: float = 1.0


@dataclass(frozen=True)
class _Design:
    """All columns: the sparse columns of tokens, then the dense ones."""

    tokens: sparse.csr_matrix
    dense: Dense

    @cached_property
    def _transposed(self) -> sparse.csr_matrix:
        return self.tokens.T.tocsr()

    def times(self, coefficients: Floats) -> Floats:
        """Multiply by one coefficient per column, shape (films,)."""
        count = self.tokens.shape[1]
        product: Floats = self.tokens @ coefficients[:count]
        return product + self.dense.columns @ (coefficients[count:] * self.dense.scale)

    def transposed_times(self, by_film: Floats) -> Floats:
        """Multiply the transposed columns by one number per film, shape (columns,)."""
        dense = self.dense.columns.T @ by_film * self.dense.scale
        product: Floats = np.concatenate([self._transposed @ by_film, dense])
        return product

    def gram(self, tokens: npt.NDArray[np.intp], weights: Floats) -> Floats:
        """Return the weighted products of some token columns and all dense columns."""
        block, columns = self.tokens[:, tokens], self.dense.columns
        weighted = sparse.csr_matrix(block.multiply(weights[:, None]))
        mixed = weighted.T @ columns * self.dense.scale
        dense = columns.T @ (columns * weights[:, None]) * self.dense.scale**2
        return np.block([[(block.T @ weighted).toarray(), mixed], [mixed.T, dense]])


def fit_ridge(
    matrix: sparse.csr_matrix,
    targets: Floats,
    weights: Floats,
    penalty: float = 1.0,
    dense: Dense | None = None,
) -> RidgeFit:
    """Fit a ridge regression with an intercept; the intercept has no penalty.

    Args:
        matrix: One row per film, one column per token, shape (films, columns).
        targets: The values to predict, shape (films,).
        weights: The weight of each film, shape (films,).
        penalty: The penalty of a squared coefficient.
        dense: More columns, which get the last coefficients; their coefficients are those of the
            scaled columns.

    Raises:
        NotConvergedError: The solver did not reach its tolerance.
    """
    design = _Design(matrix, dense or Dense(np.empty((matrix.shape[0], 0))))
    total = weights.sum()
    # One BLAS thread is faster: in such small sums, several threads mostly wait for each other.
    with _libraries().limit(limits=1, user_api="blas"):
        means = design.transposed_times(weights) / total
        mean = float((weights * targets).sum() / total)

        def normal_matrix(coefficients: Floats) -> Floats:
            """Multiply by the matrix of the normal equations, without building it."""
            fitted = design.times(coefficients)
            centred = weights * (fitted - (weights * fitted).sum() / total)
            product: Floats = design.transposed_times(centred) + penalty * coefficients
            return product

        coefficients, failed = cg(
            _operator(normal_matrix, len(means)),
            design.transposed_times(weights * (targets - mean)),
            rtol=_TOLERANCE,
            maxiter=_MAX_ITERATIONS,
            M=_operator(_preconditioner(design, weights, means, penalty), len(means)),
        )
    if failed:
        raise NotConvergedError
    return RidgeFit(coefficients, mean - float((means * coefficients).sum()))


def _preconditioner(
    design: _Design, weights: Floats, means: Floats, penalty: float
) -> Callable[[Floats], Floats]:
    """Return a function that solves the normal equations approximately.

    The approximation is exact for the heaviest columns together, and treats each other column as
    independent of all columns.
    """
    total, count = weights.sum(), design.tokens.shape[1]
    spread = design.tokens.multiply(design.tokens).T @ weights - total * means[:count] ** 2
    heaviest = np.argsort(-spread, kind="stable")[:_EXACT_COLUMNS]
    exact = np.concatenate([heaviest, np.arange(count, len(means))])
    gram = design.gram(heaviest, weights) - total * np.outer(means[exact], means[exact])
    factor = cho_factor(gram + penalty * np.eye(len(exact)))
    diagonal = np.ones(len(means))  # the dense columns are all in `exact`
    diagonal[:count] = spread + penalty

    def solve(residual: Floats) -> Floats:
        solution: Floats = residual / diagonal
        solution[exact] = cho_solve(factor, residual[exact])
        return solution

    return solve


def _operator(product: Callable[[Floats], Floats], size: int) -> LinearOperator:
    return LinearOperator((size, size), matvec=product, dtype=np.float64)


@cache
def _libraries() -> ThreadpoolController:
    """Find the loaded libraries that use threads; cached, because the search takes 5 ms."""
    return ThreadpoolController()
