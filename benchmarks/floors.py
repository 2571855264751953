"""Compute the smallest possible forecast errors (floors) for invented films.

The films and their ratings are invented by the program `sandbox.tmdb` (the synthetic world). There,
every person, company and film series has a talent: a random number of rating points, positive or
negative. The talents behind a film change its rating.

A floor is the error of an ideal forecaster. It knows all rules in `sandbox.tmdb.quality` and every
fact about a film. There are three floors, because the forecaster can know more or less about the
talents:

    floor                     It knows the talents themselves. No real forecaster can know them.
    floor_learnable           It knows the ratings of earlier films by the same people.
    floor_without_histories   It knows nothing about the talents.

The error of our model should be close to `floor_learnable`. Earlier films tell little about the
talents: most people make only a few films, and luck and noisy votes affect each rating. So in the
newest fifth of the films, even the ideal forecaster explains only a twelfth of the variance that
the talents cause.
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
    """The best possible forecasts for some films, computed from the ratings of other films.

    Attributes:
        ratings: The expected rating of each film, shape (films,).
        variances: The variance of each film's expected rating, shape (films,). It is above zero
            because the talents of the film's people are not exactly known.
    """

    ratings: Floats
    variances: Floats


def best_forecast(world: World, training: Sequence[int], holdout: Sequence[int]) -> BestForecast:
    """Compute the best possible forecasts of invented films from the ratings of other films.

    The talents of people are random effects with a known variance. So the best forecast is the best
    linear unbiased prediction of these effects (Henderson, Biometrics 31, 1975). It is computed
    from the covariances between films: the ratings of two films are correlated if the films have
    people in common.

    Args:
        world: The synthetic world, which invented the films and their ratings.
        training: Ids of the films with known ratings. Each of these films must have votes.
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
    """Return the smallest RMSE that a model trained on `training` can reach on `holdout`.

    Part of this error is luck and noise in the votes, which nobody can forecast.

    Args:
        world: The synthetic world, which invented the films and their ratings.
        training: Ids of the films with known ratings.
        holdout: Ids of the films to forecast.
    """
    at = [world.columns.position_of[each] for each in holdout]
    variances = best_forecast(world, training, holdout).variances
    return quality.noise_floor(world.columns.vote_count[at], unseen=np.sqrt(variances))


def _alike(groups: Groups) -> sparse.csr_matrix:
    """Return, for each pair of films, how similar their groups of people are.

    The result has the shape (films, films). An entry is 1 if both films have the same single
    director, and 0 if they have no person in common. Multiplied by the variance of one person's
    talent, it is the covariance of the two films' ratings.

    Args:
        groups: For each film, the numbers of its people of one kind, such as its directors.
    """
    people = [person for group in groups for person in group]
    shares = [1 / len(group) for group in groups for _ in group]
    starts = np.cumsum([0, *map(len, groups)])
    rows = sparse.csr_matrix((shares, people, starts))
    return (rows @ rows.T).tocsr()
