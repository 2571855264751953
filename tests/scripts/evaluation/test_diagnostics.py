import numpy as np
import pytest

from movierating.model.onnx_model import Graph, Model
from scripts.dataset.metrics import rmse
from scripts.dataset.split import TimeSplit
from scripts.evaluation.diagnostics import (
    MIN_SUBGROUP,
    Diagnosis,
    _ablation,
    _label_ablation,
    diagnose,
)
from scripts.parameters import MIN_VOTES_TO_LEARN, ModelConfig
from scripts.training.intervals import fit_error_model
from scripts.training.onnx_export import to_onnx
from scripts.training.selection import TrainingResult, fit, train_candidates
from scripts.training.vectors import FilmVectors
from tests.support.samples import split_of, years_of_films

CONFIG = ModelConfig("lgbm", {"lgbm": {"n_estimators": 90, "num_leaves": 4}})


@pytest.fixture(scope="module")
def split() -> TimeSplit:
    return split_of(years_of_films(per_year=120))


@pytest.fixture(scope="module")
def learned(split: TimeSplit) -> TrainingResult:
    return train_candidates(split, CONFIG)


@pytest.fixture(scope="module")
def diagnosis(split: TimeSplit, learned: TrainingResult) -> Diagnosis:
    error_model = fit_error_model(learned.best.folds)
    probe = learned.films.evaluation_films().full
    model = Model(
        Graph(to_onnx("lgbm", learned.best.regressor, probe)),
        Graph(to_onnx("lgbm", error_model.regressor, probe)),
        error_model.quantile,
        error_model.errors,
    )
    return diagnose(learned, model, split.holdout, CONFIG)


def test_errors_are_those_of_the_held_out_films(diagnosis: Diagnosis, learned: TrainingResult):
    assert len(diagnosis.errors) == len(learned.films.evaluation_films())
    rmse = float(np.sqrt(np.mean(diagnosis.errors**2)))
    assert rmse == pytest.approx(learned.best.holdout.rmse, abs=1e-4)


def test_every_kind_of_subgroup_is_there_and_none_is_small(diagnosis: Diagnosis):
    assert {each.kind for each in diagnosis.subgroups} == {"language", "genre", "votes", "year"}
    assert min(each.scores.n for each in diagnosis.subgroups) >= MIN_SUBGROUP
    assert all(0 <= each.coverage <= 1 for each in diagnosis.subgroups)


def test_subgroups_by_votes_and_years_hold_each_film_once(diagnosis: Diagnosis):
    for kind in ("votes", "year"):
        counted = sum(each.scores.n for each in diagnosis.subgroups if each.kind == kind)
        assert len(diagnosis.errors) - MIN_SUBGROUP < counted <= len(diagnosis.errors)


def test_calibration_has_every_film_in_one_bin_ordered_by_forecast(diagnosis: Diagnosis):
    assert sum(each.films for each in diagnosis.calibration) == len(diagnosis.errors)
    forecasts = [each.forecast for each in diagnosis.calibration]
    assert forecasts == sorted(forecasts)


def test_distributions_are_scored_with_all_facts_and_with_the_form(diagnosis: Diagnosis):
    assert list(diagnosis.distribution) == ["all_facts", "form"]
    for scores in diagnosis.distribution.values():
        assert scores.films == len(diagnosis.errors)
        assert [each.rating for each in scores.at_least] == [6, 7, 8]
        assert 0 < scores.crps < np.abs(diagnosis.errors).mean() + 0.02
    # The running time is in both views, so 6 or more is forecast better than by the base rate.
    assert all(
        each.at_least[0].brier < each.at_least[0].base_brier
        for each in diagnosis.distribution.values()
    )


def test_reliability_is_measured_for_languages_and_genres(diagnosis: Diagnosis):
    kinds = {each.kind for each in diagnosis.reliability}
    assert kinds == {"language", "genre"}
    # The folds belong to them, so they have more films than the hold-out films alone.
    assert max(each.films for each in diagnosis.reliability) > len(diagnosis.errors) / 3


def test_decisive_fact_narrows_the_intervals_most(diagnosis: Diagnosis):
    by_field = {each.field: each for each in diagnosis.narrowing}
    assert by_field["runtime"].films == len(diagnosis.errors)
    assert "collection" not in by_field  # too few films have it


def test_learning_curve_ends_with_the_measured_model(diagnosis: Diagnosis, learned: TrainingResult):
    counts = [count for count, _ in diagnosis.curve]
    assert counts == sorted(counts)
    assert learned.best.recent_bias != 0
    assert diagnosis.curve[-1] == (len(learned.films.training_films()), learned.best.holdout.rmse)


def test_decisive_fact_has_the_largest_importance_and_ablation(diagnosis: Diagnosis):
    # The invented films' rating depends mostly on their running time (feature group `length`).
    assert next(iter(diagnosis.importance)) == "length"
    assert next(iter(diagnosis.ablation)) == "length"
    assert diagnosis.ablation["length"] > 0.1


def test_facts_that_no_film_has_are_not_in_the_ablation(diagnosis: Diagnosis):
    assert {"company", "franchise", "keywords"}.isdisjoint(diagnosis.ablation)


def test_label_ablation_shows_the_worth_of_the_correction_for_few_votes():
    frame = years_of_films(per_year=120)
    few = (np.arange(len(frame)) % 2 == 0) & (frame["release_date"] < "2024-01-01")
    frame.loc[few, "vote_count"] = MIN_VOTES_TO_LEARN
    frame.loc[few, "vote_average"] -= 1.5
    films = train_candidates(split_of(frame), CONFIG).films
    labels = _label_ablation(
        films, _rmse_of, _rmse_of(films.training_films(), films.evaluation_films())
    )
    assert labels["correction for few votes"] > 0.05


def _rmse_of(taught: FilmVectors, measured: FilmVectors) -> float:
    regressor = fit("lgbm", CONFIG.parameters["lgbm"], taught)
    return rmse(regressor.predict(measured.full) - measured.ratings)


def test_treatments_of_few_votes_change_nothing_where_every_film_has_enough_votes(
    diagnosis: Diagnosis,
):
    assert diagnosis.label_ablation["correction for few votes"] == 0
    assert diagnosis.label_ablation["minimum number of votes"] == 0
    assert diagnosis.label_ablation["weights by votes"] != 0


def test_ablation_does_not_change_the_films(learned: TrainingResult):
    before = learned.films.full.copy()
    _ablation(learned.films, lambda *_: 0.5, 0.5)
    np.testing.assert_array_equal(learned.films.full, before)
