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
    """Rated films before and after the split. Films with few votes are left out."""
    rated = world.columns.vote_count >= 5
    early = world.facts.released < SPLIT
    ids = world.columns.ids
    return ids[rated & early].tolist(), ids[rated & ~early].tolist()


@pytest.fixture(scope="module")
def small() -> World:
    return World(TODAY, size=300)


def talent_by_talent(world: World, taught: Ids, asked: Ids) -> BestForecast:
    """The same forecast from Henderson's equations, with an unknown per person and company."""
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
    seen, to_say = ([columns.position_of[each] for each in ids] for ids in (taught, asked))
    noise = quality.IRREDUCIBLE_SD**2 + quality.VOTE_SD**2 / columns.vote_count[seen]
    weighted = shares[seen].T / noise
    doubts = np.linalg.inv(weighted @ shares[seen] + np.diag(1 / np.asarray(variances)))
    talents = doubts @ weighted @ (columns.vote_average[seen] - facts.visible[seen])
    rows = shares[to_say]
    return BestForecast(facts.visible[to_say] + rows @ talents, np.diag(rows @ doubts @ rows.T))


def test_best_forecast_is_the_one_that_estimates_every_talent(small: World):
    taught, asked = parts(small)
    found, expected = (each(small, taught, asked) for each in (best_forecast, talent_by_talent))
    assert found.ratings == pytest.approx(expected.ratings)
    assert found.doubts == pytest.approx(expected.doubts)


def test_learnable_floor_is_the_error_of_the_best_forecast():
    errors, floors = [], []
    for seed in range(12):
        world = World(TODAY, seed, size=300)
        taught, asked = parts(world)
        at = [world.columns.position_of[each] for each in asked]
        errors.append(world.columns.vote_average[at] - best_forecast(world, taught, asked).ratings)
        floors.append(learnable_floor(world, taught, asked))
    assert rmse(np.concatenate(errors)) == pytest.approx(np.mean(floors), rel=0.05)


def test_learnable_floor_is_between_the_other_two():
    world = World(TODAY, size=1500)
    taught, asked = parts(world)
    learnable = learnable_floor(world, taught, asked)
    assert world.noise_floor(asked) < learnable < world.noise_floor(asked, histories=False)


def test_more_rated_films_reduce_the_uncertainty(small: World):
    taught, asked = parts(small)
    few, many = (best_forecast(small, some, asked).doubts for some in (taught[::2], taught))
    assert np.all(many <= few + 1e-12)
    assert many.mean() < few.mean()


def test_no_model_of_ours_is_better_than_the_best_forecast(run: Run):
    world = World(RUN_DATE)
    split = TimeSplit.of_newest(read_cleaned(run.files.cleaned))
    taught, asked = (each.frame["id"].tolist() for each in (split.train, split.holdout))
    ratings = split.holdout.ratings
    ours = Packed(run.bundle, run.manifest).load().forecast(split.holdout.films)
    assert rmse(ratings - ours) > rmse(ratings - best_forecast(world, taught, asked).ratings)
