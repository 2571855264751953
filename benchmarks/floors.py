"""The smallest possible forecast errors in the synthetic world.

Three forecasters know all rules of `sandbox.tmdb.quality` and every fact of a film. They differ in
what they know about the talents of its people, companies and collection:

    floor                     the talents themselves, which nobody can know
    floor_learnable           the ratings of their earlier films
    floor_without_histories   nothing

The second is the goal for the model. Most people make only a few films, and luck and the noise of
the votes affect each rating. So even a perfect forecaster can explain only a twelfth of the
variance that talents cause among the newest fifth of the films.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve

from sandbox.tmdb import quality
from sandbox.tmdb.facts import Groups
from sandbox.tmdb.world import World

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BestForecast:
    """The best possible forecast of some films, given the ratings of others.

    Attributes:
        ratings: The expected ratings, shape (films,).
        variances: The variance that remains because talents are unknown, shape (films,).
    """

    ratings: Floats
    variances: Floats


def best_forecast(world: World, training: Sequence[int], holdout: Sequence[int]) -> BestForecast:
    """Forecast films from the rules of the world and the ratings of other films.

    The talents are random effects of known variance, so this is their best linear unbiased
    prediction (Henderson, Biometrics 31, 1975). It sums over films, not people: the covariance of
    two films comes from the people they share.

    Args:
        world: The world.
        training: Ids of the films whose ratings are known; all are rated.
        holdout: Ids of the films to forecast.
    """
    facts, columns = world.facts, world.columns
    seen, wanted = ([columns.position_of[each] for each in ids] for ids in (training, holdout))
    shared = reduce(add, (sd**2 * _alike(groups) for groups, sd in facts.talents))
    noise = quality.IRREDUCIBLE_SD**2 + quality.VOTE_SD**2 / columns.vote_count[seen]
    known = cho_factor(shared[seen][:, seen].toarray() + np.diag(noise))
    across = shared[wanted][:, seen].toarray()
    talents = across @ cho_solve(known, columns.vote_average[seen] - facts.visible[seen])
    settled = np.einsum("ij,ji->i", across, cho_solve(known, across.T))
    return BestForecast(
        ratings=facts.visible[wanted] + talents,
        variances=shared.diagonal()[wanted] - settled,
    )


def learnable_floor(world: World, training: Sequence[int], holdout: Sequence[int]) -> float:
    """The expected RMSE of the best forecast, including luck and the noise of the votes."""
    at = [world.columns.position_of[each] for each in holdout]
    variances = best_forecast(world, training, holdout).variances
    return quality.noise_floor(world.columns.vote_count[at], unseen=np.sqrt(variances))


def _alike(groups: Groups) -> sparse.csr_matrix:
    """The share of a mean talent that each two films have in common, shape (films, films)."""
    people = [person for group in groups for person in group]
    shares = [1 / len(group) for group in groups for _ in group]
    starts = np.cumsum([0, *map(len, groups)])
    rows = sparse.csr_matrix((shares, people, starts))
    return (rows @ rows.T).tocsr()
