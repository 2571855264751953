"""The smallest possible forecast errors (floors) in the synthetic world of invented films.

In this world, the people, companies and collection of a film have random talents, which raise or
lower its rating. Three ideal forecasters know all rules of `sandbox.tmdb.quality` and every fact
about a film. They differ in what they know about the talents:

    floor                     the talents themselves, which no real forecaster can know
    floor_learnable           the ratings of earlier films with the same people, as signs of talent
    floor_without_histories   nothing

The goal of our model is `floor_learnable`. Earlier films reveal little about talents, because most
people make only a few films, and because luck and noisy votes affect each rating. So even the ideal
forecaster explains only a twelfth of the variance that talents cause in the newest fifth of films.
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
    """The best possible forecast for some films, from the ratings of other films.

    Attributes:
        ratings: The expected ratings, shape (films,).
        variances: The variance that remains because the talents are not exactly known, shape
            (films,).
    """

    ratings: Floats
    variances: Floats


def best_forecast(world: World, training: Sequence[int], holdout: Sequence[int]) -> BestForecast:
    """Forecast films from the rules of the world and the ratings of other films.

    The talents are random effects with known variance. So the best forecast is their best linear
    unbiased prediction (Henderson, Biometrics 31, 1975). It is computed from the covariances
    between films: two films vary together if they share people.

    Args:
        world: The synthetic world.
        training: Ids of the films with known ratings; every one must have votes.
        holdout: Ids of the films to forecast.
    """
    facts, columns = world.facts, world.columns
    seen, wanted = ([columns.position_of[each] for each in ids] for ids in (training, holdout))
    shared = reduce(add, (sd**2 * _alike(groups) for groups, sd in facts.talents))
    noise = quality.IRREDUCIBLE_SD**2 + quality.VOTE_SD**2 / columns.vote_count[seen]
    # The Cholesky factor is computed once, because two systems of equations share it.
    known = cho_factor(shared[seen][:, seen].toarray() + np.diag(noise))
    across = shared[wanted][:, seen].toarray()
    talents = across @ cho_solve(known, columns.vote_average[seen] - facts.visible[seen])
    settled = np.einsum("ij,ji->i", across, cho_solve(known, across.T))
    return BestForecast(
        ratings=facts.visible[wanted] + talents,
        variances=shared.diagonal()[wanted] - settled,
    )


def learnable_floor(world: World, training: Sequence[int], holdout: Sequence[int]) -> float:
    """Return the RMSE to expect from the best forecast, including luck and noise in the votes."""
    at = [world.columns.position_of[each] for each in holdout]
    variances = best_forecast(world, training, holdout).variances
    return quality.noise_floor(world.columns.vote_count[at], unseen=np.sqrt(variances))


def _alike(groups: Groups) -> sparse.csr_matrix:
    """Return how much of their mean talent each two films share, shape (films, films).

    For example, two films by the same single director share all of it, which is 1.
    """
    people = [person for group in groups for person in group]
    shares = [1 / len(group) for group in groups for _ in group]
    starts = np.cumsum([0, *map(len, groups)])
    rows = sparse.csr_matrix((shares, people, starts))
    return (rows @ rows.T).tocsr()
