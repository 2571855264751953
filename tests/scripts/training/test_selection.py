from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from movierating.model.target_encoding import ALL_EFFECTS
from scripts.dataset.split import Sample, TimeSplit, TooFewFilmsError
from scripts.parameters import (
    BIAS_HALF_LIFE_DAYS,
    BIAS_MIN_FILMS,
    BIAS_PRIOR_FILMS,
    FOLDS,
    MIN_FILMS,
    MIN_VOTES_TO_LEARN,
    MIN_VOTES_TO_MEASURE,
    ModelConfig,
)
from scripts.training import selection
from scripts.training.selection import (
    Candidate,
    Fold,
    TrainingResult,
    backtest,
    fit,
    train_candidates,
    without_recent_bias,
)
from scripts.training.vectors import FilmVectors
from tests.support.bundles import scores
from tests.support.samples import SMALL, SPLIT_DATE, film_vectors, split_of, years_of_films

LINEAR = SMALL.parameters["linear"]


def films(per_year: int = 30, years: int = 6) -> FilmVectors:
    """Create films, oldest first: `years` years before the split date, and one year after it.

    The rating is 6 plus the second feature, plus noise.
    """
    rng = np.random.default_rng(1)
    of_year = np.repeat(np.arange(years, -1, -1), per_year)
    full = rng.normal(0, 1, (len(of_year), 3)).astype(np.float32)
    full[:, 0] = 6
    return film_vectors(full, 6 + full[:, 1] + rng.normal(0, 0.2, len(of_year)), of_year)


@pytest.fixture
def taught(monkeypatch: pytest.MonkeyPatch) -> list[FilmVectors]:
    """Record the films that each model is fitted on."""
    seen: list[FilmVectors] = []

    def remembering(family: Any, parameters: Any, some: FilmVectors) -> Any:
        seen.append(some)
        return fit(family, parameters, some)

    monkeypatch.setattr(selection, "fit", remembering)
    return seen


def test_each_fold_is_forecast_by_a_model_of_older_films_only(taught: list[FilmVectors]):
    folds = backtest("linear", LINEAR, films())
    assert len(folds) == len(taught) == FOLDS
    for year, (fold, known) in enumerate(zip(folds, taught, strict=True), start=1):
        assert set(fold.films.years) == {year}
        assert set(known.years) == set(range(year + 1, 7))


@pytest.mark.parametrize("year", [1, 2, 3])
def test_ratings_of_a_fold_and_of_later_films_do_not_change_its_forecasts(year: int):
    some = films()
    rng = np.random.default_rng(2)
    since = some.years <= year
    ratings = np.where(since, rng.uniform(0, 10, len(some)), some.ratings)
    other = replace(some, ratings=ratings, targets=ratings)

    def forecasts(fold: Fold) -> list[list[float]]:
        views = (fold.errors, fold.form_errors, fold.masked_errors)
        return [(errors + fold.films.ratings).tolist() for errors in views]

    (honest,), (altered,) = (
        backtest("linear", LINEAR, each, [range(year, year + 1)]) for each in (some, other)
    )
    assert honest.films.ratings.tolist() != altered.films.ratings.tolist()
    for first, second in zip(forecasts(honest), forecasts(altered), strict=True):
        assert first == pytest.approx(second)


def test_errors_are_those_of_the_forecasts_with_all_facts_and_on_the_form():
    some = films()
    form = some.full.copy()
    form[:, 1] = np.nan
    (fold,) = backtest("linear", LINEAR, replace(some, form=form), [range(1, 2)])
    assert len(fold.errors) == len(fold.form_errors) == len(fold.masked_errors) == len(fold.films)
    assert np.sqrt(np.mean(fold.errors**2)) < 0.7 < np.sqrt(np.mean(fold.form_errors**2))
    too_high = replace(some, targets=some.targets + 2)
    (fold,) = backtest("linear", LINEAR, too_high, [range(1, 2)])
    assert fold.errors.mean() == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize(
    ("flaw", "folds"),
    [
        ("too few films", [range(1, 2), range(2, 4), range(4, 5)]),
        ("too few votes", [range(1, 2), range(2, 4), range(4, 5)]),
        ("nothing before it", [range(1, 2)]),
    ],
)
def test_year_without_enough_films_is_joined_with_the_one_before(flaw: str, folds: list[range]):
    some = films()
    second = np.flatnonzero(some.years == 2)
    if flaw == "too few films":
        some = some.select(~np.isin(np.arange(len(some)), second[MIN_FILMS - 1 :]))
    elif flaw == "too few votes":
        votes = some.votes.copy()
        votes[second] = MIN_VOTES_TO_MEASURE - 1
        some = replace(some, votes=votes)
    else:
        some = some.select(some.years <= 2)
    assert some.folds == folds
    for fold, years in zip(backtest("linear", LINEAR, some), folds, strict=True):
        assert set(fold.films.years) <= set(years)


@pytest.mark.parametrize(
    "some",
    [films(1), films(years=1), films().select(np.zeros(7 * 30, bool))],
    ids=["few films", "nothing before the last year", "none at all"],
)
def test_too_few_films_to_evaluate_on_are_an_error(some: FilmVectors):
    with pytest.raises(TooFewFilmsError, match="no year before the split has 10 films"):
        backtest("linear", LINEAR, some)


def test_films_with_few_votes_are_not_trained_on(taught: list[FilmVectors]):
    some = films()
    votes = np.where(np.arange(len(some)) % 2, MIN_VOTES_TO_LEARN - 1, 200)
    backtest("linear", LINEAR, replace(some, votes=votes.astype(float)))
    assert all((known.votes >= MIN_VOTES_TO_LEARN).all() for known in taught)


def test_model_is_trained_on_targets_and_not_on_ratings():
    some = films()
    model = fit("linear", LINEAR, replace(some, targets=np.full(len(some), 7.5)))
    np.testing.assert_allclose(model.predict(some.full), 7.5, atol=1e-4)


def test_model_is_also_trained_on_the_forms_fields():
    some = films()
    form = np.full_like(some.full, np.nan)
    form[:, 0] = 6
    form[:, 2] = some.full[:, 2]
    targets = 6 + 0.5 * some.full[:, 2].astype(float)
    model = fit("lgbm", {"n_estimators": 60}, replace(some, form=form, targets=targets))
    assert np.corrcoef(model.predict(form), targets)[0, 1] > 0.9


@pytest.fixture(scope="module")
def split() -> TimeSplit:
    return split_of(years_of_films())


@pytest.fixture(scope="module")
def learned(split: TimeSplit) -> TrainingResult:
    return train_candidates(split, SMALL)


def test_every_family_is_evaluated_on_the_same_films(split: TimeSplit, learned: TrainingResult):
    assert [each.family for each in learned.candidates] == list(SMALL.parameters)
    assert {each.holdout.n for each in learned.candidates} == {len(split.holdout)}
    assert {each.train.n for each in learned.candidates} == {len(learned.films.training_films())}
    assert {len(each.folds) for each in learned.candidates} == {FOLDS}


def test_training_result_is_as_of_the_split(learned: TrainingResult):
    assert learned.effects.as_of == SPLIT_DATE
    assert ALL_EFFECTS in learned.films.features
    assert learned.films.full.shape == (len(learned.films), len(learned.films.features))
    assert learned.baselines.keys() == {"mean", "recent_mean", "genre_mean", "old_model"}


def test_scores_are_those_of_the_model_on_the_films(learned: TrainingResult):
    held_out = learned.films.evaluation_films()
    for each in learned.candidates:
        errors = each.regressor.predict(held_out.full) - held_out.ratings
        assert each.holdout.rmse == pytest.approx(np.sqrt(np.mean(errors**2)), abs=1e-5)
        assert each.holdout.bias == pytest.approx(errors.mean(), abs=1e-5)


def test_best_family_beats_the_mean_where_features_are_informative(learned: TrainingResult):
    assert learned.best.holdout.rmse < 0.9 * learned.baselines["mean"].rmse


def test_recent_bias_is_the_mean_error_of_the_newest_films():
    some = films(per_year=1_000, years=1)
    newest_first = replace(some, days=np.linspace(0, 365, len(some)))
    risen = fold(newest_first, np.where(newest_first.days < BIAS_HALF_LIFE_DAYS, 0.4, 0))
    assert risen.errors.mean() < 0.14
    assert 0.21 < risen.recent_bias < 0.23
    assert fold(newest_first, np.full(len(some), -0.3)).recent_bias == pytest.approx(-0.3, abs=0.03)


def test_recent_bias_of_few_films_is_shrunk_and_of_fewer_is_zero():
    enough, fewer = (films(each, years=0) for each in (BIAS_MIN_FILMS, BIAS_MIN_FILMS - 1))
    expected = BIAS_MIN_FILMS / (BIAS_MIN_FILMS + BIAS_PRIOR_FILMS)
    assert fold(enough, np.ones(len(enough))).recent_bias == pytest.approx(expected)
    assert fold(fewer, np.ones(len(fewer))).recent_bias == 0


def test_model_subtracts_the_given_bias_from_its_forecasts():
    some = films()
    for family, parameters in SMALL.parameters.items():
        plain, lower = (fit(family, parameters, some, bias) for bias in (0.0, 0.25))
        shift = plain.predict(some.full) - lower.predict(some.full)
        np.testing.assert_allclose(shift, 0.25, atol=0.01, err_msg=family)


def test_each_fold_and_the_model_subtract_the_bias_of_the_fold_before(
    split: TimeSplit, learned: TrainingResult, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(selection, "BIAS_MIN_FILMS", MIN_FILMS)  # so few films have a bias, too
    told: list[float] = []

    def remembering(family: Any, parameters: Any, some: FilmVectors, bias: float = 0.0) -> Any:
        told.append(bias)
        return fit(family, parameters, some, bias)

    raw = backtest("linear", LINEAR, learned.films)
    monkeypatch.setattr(selection, "fit", remembering)
    only = train_candidates(split, ModelConfig("linear", SMALL.parameters))
    (best,) = only.candidates
    assert only.best.family == best.family == "linear"
    assert told[-1] == best.recent_bias == raw[0].recent_bias != 0
    for corrected, one, older in zip(best.folds, raw, raw[1:], strict=False):
        for name in ("errors", "form_errors", "masked_errors"):
            np.testing.assert_allclose(
                getattr(corrected, name), getattr(one, name) - older.recent_bias, atol=1e-9
            )
    np.testing.assert_array_equal(best.folds[-1].errors, raw[-1].errors)


def test_single_fold_is_not_corrected():
    some = films(per_year=10, years=0)
    (only,) = without_recent_bias([fold(some, np.ones(10))])
    assert only.errors.tolist() == [1] * 10


def test_outcomes_of_hold_out_films_do_not_change_the_model(
    split: TimeSplit, learned: TrainingResult
):
    one = next(each for each in learned.candidates if each.family == "lgbm")
    frame = split.holdout.frame
    other = replace(split, holdout=Sample(frame.assign(vote_average=10 - frame["vote_average"])))
    (two,) = train_candidates(other, ModelConfig("lgbm", SMALL.parameters)).candidates
    probe = np.random.default_rng(3).normal(6, 1, (50, len(one.folds[0].films.features)))
    np.testing.assert_array_equal(one.regressor.predict(probe), two.regressor.predict(probe))
    assert one.recent_bias == two.recent_bias
    assert one.validation_rmse == two.validation_rmse
    assert one.holdout.rmse != two.holdout.rmse


def fold(some: FilmVectors, errors: Any) -> Fold:
    """Create a fold with given errors.

    Args:
        some: The films of the fold.
        errors: One error per film, for forecasts that know all facts about the film. For
            forecasts that know only some facts, all errors are zero.
    """
    return Fold(some, np.asarray(errors), *np.zeros((2, len(errors))))


def candidate(family: Any, errors: list[list[float]], holdout: float) -> Candidate:
    some = films(per_year=1, years=1)
    folds = [fold(some, each) for each in errors]
    model = fit("linear", LINEAR, films())
    return Candidate(family, model, folds, 0.0, scores(0.1), scores(holdout))


def test_validation_rmse_is_over_all_films_of_the_folds():
    assert candidate("rf", [[1.0, 1.0, 1.0], [-3.0]], 0.5).validation_rmse == pytest.approx(3**0.5)


def test_hold_out_films_do_not_influence_the_selection(learned: TrainingResult):
    candidates = [candidate("rf", [[1.0]], 0.2), candidate("lgbm", [[-0.5]], 0.9)]
    assert replace(learned, candidates=candidates).best.family == "lgbm"
