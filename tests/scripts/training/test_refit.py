from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from movierating.films.film import Film
from movierating.model.onnx_model import Graph, Model
from movierating.model.predictor import Predictor
from movierating.model.target_encoding import ALL_EFFECTS, Effects, EffectTable
from scripts.dataset.split import Sample, TimeSplit
from scripts.parameters import MIN_VOTES_TO_COUNT, MIN_VOTES_TO_MEASURE, ModelConfig
from scripts.training import refit as module
from scripts.training.models import Correction
from scripts.training.onnx_export import to_onnx
from scripts.training.refit import LARGEST_DISTANCE, Refit, distance, refit
from scripts.training.selection import TrainingResult, fit, train_candidates
from scripts.training.vectors import FilmVectors
from tests.support.samples import SMALL, SPLIT_DATE, split_of, years_of_films

LINEAR = ModelConfig(model_type="linear", parameters=SMALL.parameters)
TREES = ModelConfig(model_type="lgbm", parameters=SMALL.parameters)
UNTIL = SPLIT_DATE.replace(year=SPLIT_DATE.year + 1)


@pytest.fixture(scope="module")
def split() -> TimeSplit:
    """Split films; every third of the newest has few votes, and one of these too few to count."""
    frame = years_of_films()
    late = np.flatnonzero(frame["release_date"] >= SPLIT_DATE.isoformat())
    votes = frame["vote_count"].to_numpy().copy()
    votes[late[::3]] = MIN_VOTES_TO_MEASURE - 1
    votes[late[3]] = MIN_VOTES_TO_COUNT - 1
    directors = frame["directors"].to_numpy().copy()
    directors[late[0]] = '["Newcomer"]'
    return split_of(frame.assign(vote_count=votes, directors=directors))


@pytest.fixture(scope="module")
def result(split: TimeSplit) -> TrainingResult:
    return train_candidates(split, LINEAR)


@pytest.fixture(scope="module")
def refitted(split: TimeSplit, result: TrainingResult) -> Refit:
    return refit(result, split, LINEAR, UNTIL)


def test_refitted_model_learns_from_every_film_with_enough_votes(split: TimeSplit, refitted: Refit):
    assert split.few_votes is not None
    expected = len(split.train) + len(split.holdout) + len(split.few_votes)
    assert len(refitted.films) == expected
    assert refitted.films.votes.min() >= MIN_VOTES_TO_COUNT
    assert set(split.few_votes.votes) == {MIN_VOTES_TO_MEASURE - 1}


def test_films_of_a_joined_sample_are_those_of_its_rows(refitted: Refit):
    assert refitted.films.films == Sample(refitted.films.frame).films


def test_effects_include_people_of_the_newest_films(result: TrainingResult, refitted: Refit):
    newcomer = Film(directors=("Newcomer",))
    assert np.isnan(result.effects.encode(newcomer)["effect=director"]) or (
        result.effects.encode(newcomer)["effect=director"] == 0
    )
    assert refitted.effects.encode(newcomer)["effect=director"] != 0
    assert refitted.effects.as_of > result.effects.as_of


def test_trees_are_trained_on_the_newest_films_and_no_recent_bias_is_subtracted(
    split: TimeSplit, result: TrainingResult, monkeypatch: pytest.MonkeyPatch
):
    """Each film is encoded with effects of earlier films only, as it is in service."""
    seen: list[tuple[FilmVectors, tuple[object, ...]]] = []

    def remembering(
        _family: object, _parameters: object, films: FilmVectors, *bias: object
    ) -> None:
        seen.append((films, bias))

    monkeypatch.setattr(module, "fit", remembering)
    biased = replace(
        result, candidates=[replace(each, recent_bias=0.3) for each in result.candidates]
    )
    refit(biased, split, LINEAR, UNTIL)
    ((films, bias),) = seen
    assert bias == ()
    assert (films.years == 0).sum() == len(split.later)
    assert len(films) > len(result.films.training_films())
    measured = result.films.evaluation_films()
    column = films.column(ALL_EFFECTS)
    newest = films.select((films.years == 0) & (films.votes >= MIN_VOTES_TO_MEASURE))
    np.testing.assert_array_equal(newest.full[:, column], measured.full[:, column])


def test_few_votes_films_change_nothing_that_is_measured(split: TimeSplit, result: TrainingResult):
    without = train_candidates(replace(split, few_votes=None), LINEAR)
    assert without.best.holdout == result.best.holdout
    assert without.best.train == result.best.train
    assert without.baselines == result.baselines


@pytest.fixture(scope="module")
def trees(split: TimeSplit) -> TrainingResult:
    return train_candidates(split, TREES)


@pytest.fixture(scope="module")
def refitted_trees(split: TimeSplit, trees: TrainingResult) -> Refit:
    return refit(trees, split, TREES, UNTIL)


def predictor(result: TrainingResult, regressor: Correction, effects: Effects) -> Predictor:
    graph = Graph(to_onnx("lgbm", regressor, result.films.full))
    return Predictor(result.films.features, effects, Model(graph, graph, 1.0))


def measured_distance(split: TimeSplit, result: TrainingResult, refitted: Refit) -> float:
    return distance(
        predictor(result, refitted.regressor, refitted.effects),
        predictor(result, result.best.regressor, result.effects),
        split.train.newest(len(split.holdout)).films,
    )


def test_sound_refit_is_near_its_twin(
    split: TimeSplit, trees: TrainingResult, refitted_trees: Refit
):
    assert 0 < measured_distance(split, trees, refitted_trees) < LARGEST_DISTANCE / 2


def test_distance_does_not_contain_the_ratings_of_the_holdout_films():
    """The served effects contain them, so forecasts for these films differ much from the twin's."""
    frame = years_of_films()
    late = np.flatnonzero(frame["release_date"] >= SPLIT_DATE.isoformat())
    ratings = frame["vote_average"].to_numpy().copy()
    ratings[late] += np.where(np.arange(len(late)) % 2, 0.8, -0.8)
    newcomers = [f'["Newcomer {at}"]' if at in late else "[]" for at in range(len(frame))]
    people = dict.fromkeys(("directors", "writers", "companies"), newcomers)
    split = split_of(frame.assign(vote_average=ratings, **people))
    result = train_candidates(split, TREES)
    refitted = refit(result, split, TREES, UNTIL)
    served = predictor(result, refitted.regressor, refitted.effects)
    twin = predictor(result, result.best.regressor, result.effects)
    films = split.holdout.films
    assert np.abs(served.ratings(films) - twin.ratings(films)).mean() > LARGEST_DISTANCE
    assert measured_distance(split, result, refitted) < LARGEST_DISTANCE


@pytest.mark.parametrize("shift", [0.3, -0.3])
def test_refit_with_broken_trees_is_far_from_its_twin(
    split: TimeSplit, trees: TrainingResult, refitted_trees: Refit, shift: float
):
    learned = trees.films.training_films()
    broken = fit("lgbm", TREES.parameters["lgbm"], learned, bias=shift)
    found = measured_distance(split, trees, replace(refitted_trees, regressor=broken))
    assert found > LARGEST_DISTANCE


def without_runtime(effects: Effects) -> Effects:
    empty = EffectTable((), np.empty((0, 2)))
    return replace(effects, tables={**effects.tables, "runtime": empty})


def with_another_average(effects: Effects) -> Effects:
    return replace(effects, average=effects.average + 0.3)


@pytest.mark.parametrize("broken", [without_runtime, with_another_average])
def test_refit_with_broken_effects_is_far_from_its_twin(
    split: TimeSplit,
    trees: TrainingResult,
    refitted_trees: Refit,
    broken: Callable[[Effects], Effects],
):
    effects = broken(refitted_trees.effects)
    found = measured_distance(split, trees, replace(refitted_trees, effects=effects))
    assert found > LARGEST_DISTANCE
