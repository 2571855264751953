from datetime import date

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.floors import BestForecast, best_forecast, learnable_floor
from sandbox.tmdb import quality
from sandbox.tmdb.world import World
from scripts.dataset.split import TimeSplit
from scripts.dataset.table import read_cleaned
from tests.support.bundles import RUN_DATE, Packed
from tests.support.pipeline_run import Run

TODAY = date(2026, 11, 23)
SPLIT = np.datetime64("2020-01-01")

Ids = list[int]


def rmse(errors: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(errors))))


def parts(world: World) -> tuple[Ids, Ids]:
    """Return the ids of training films and of hold-out films, both with at least 5 votes."""
    rated = world.columns.vote_count >= 5
    early = world.facts.released < SPLIT
    ids = world.columns.ids
    return ids[rated & early].tolist(), ids[rated & ~early].tolist()


@pytest.fixture(scope="module")
def small() -> World:
    return World(TODAY, size=300)


def talent_by_talent(world: World, training: Ids, holdout: Ids) -> BestForecast:
    """Compute the best possible forecast in a second way, with Henderson's mixed-model equations.

    In the invented films, each person, company and collection has a talent: a hidden number that
    changes the ratings of its films. The equations have one unknown per talent.
    """
    facts, columns = world.facts, world.columns
    designs, variances = [], []
    for groups, sd in facts.talents:
        design = np.zeros((len(groups), 1 + max(max(group, default=0) for group in groups)))
        for row, group in enumerate(groups):
            for person in group:
                design[row, person] += 1 / len(group)
        designs.append(design)
        variances += [sd**2] * design.shape[1]
    shares = np.hstack(designs)
    seen, to_say = ([columns.position_of[each] for each in ids] for ids in (training, holdout))
    noise = quality.IRREDUCIBLE_SD**2 + quality.VOTE_SD**2 / columns.vote_count[seen]
    weighted = shares[seen].T / noise
    covariances = np.linalg.inv(weighted @ shares[seen] + np.diag(1 / np.asarray(variances)))
    talents = covariances @ weighted @ (columns.vote_average[seen] - facts.visible[seen])
    rows = shares[to_say]
    return BestForecast(
        facts.visible[to_say] + rows @ talents, np.diag(rows @ covariances @ rows.T)
    )


def test_best_forecast_equals_the_one_that_estimates_each_talent(small: World):
    training, holdout = parts(small)
    found, expected = (each(small, training, holdout) for each in (best_forecast, talent_by_talent))
    assert found.ratings == pytest.approx(expected.ratings)
    assert found.variances == pytest.approx(expected.variances)


def test_learnable_floor_equals_the_error_of_the_best_forecast():
    errors, floors = [], []
    for seed in range(12):
        world = World(TODAY, seed, size=300)
        training, holdout = parts(world)
        at = [world.columns.position_of[each] for each in holdout]
        errors.append(
            world.columns.vote_average[at] - best_forecast(world, training, holdout).ratings
        )
        floors.append(learnable_floor(world, training, holdout))
    assert rmse(np.concatenate(errors)) == pytest.approx(np.mean(floors), rel=0.05)


def test_learnable_floor_lies_between_the_other_two_floors():
    world = World(TODAY, size=1500)
    training, holdout = parts(world)
    learnable = learnable_floor(world, training, holdout)
    assert world.noise_floor(holdout) < learnable < world.noise_floor(holdout, histories=False)


def test_more_rated_films_reduce_the_uncertainty(small: World):
    training, holdout = parts(small)
    few, many = (
        best_forecast(small, some, holdout).variances for some in (training[::2], training)
    )
    assert np.all(many <= few + 1e-12)
    assert many.mean() < few.mean()


def test_trained_model_is_not_better_than_the_best_forecast(run: Run):
    world = World(RUN_DATE)
    split = TimeSplit.of_newest(read_cleaned(run.files.cleaned))
    training, holdout = (each.frame["id"].tolist() for each in (split.train, split.holdout))
    ratings = split.holdout.ratings
    ours = Packed(run.bundle, run.manifest).load().measured.ratings(split.holdout.films)
    assert rmse(ratings - ours) > rmse(ratings - best_forecast(world, training, holdout).ratings)
