import numpy as np
import numpy.typing as npt
import pytest

from movierating.model.distribution import RatingDistributions
from movierating.model.features import Matrix
from movierating.model.onnx_model import SMALLEST_ERROR
from scripts.training.intervals import ErrorModel, fit_error_model
from scripts.training.selection import Fold
from tests.support.samples import film_vectors

FILMS = 600
Numbers = npt.NDArray[np.float64]


def noise(matrix: Matrix) -> Numbers:
    """Return each error's standard deviation: 1.2 if the second feature is positive, else 0.3."""
    return np.where(matrix[:, 1] > 0, 1.2, 0.3)


def vectors(count: int, rng: np.random.Generator) -> Matrix:
    return rng.normal(0, 1, (count, 3)).astype(np.float32)


def fold(seed: int, scale: float = 1.0) -> Fold:
    """Create a fold of random films; the errors' standard deviation is `scale * noise`."""
    rng = np.random.default_rng(seed)
    matrix = vectors(FILMS, rng)
    films = film_vectors(matrix, np.full(FILMS, 6.0), np.full(FILMS, seed))
    return Fold(films, *(scale * noise(matrix) * rng.normal(0, 1, FILMS) for _ in range(3)))


def half_widths(error_model: ErrorModel, matrix: Matrix) -> Numbers:
    sizes = np.maximum(error_model.regressor.predict(matrix), SMALLEST_ERROR)
    return np.asarray(error_model.quantile * sizes, float)


@pytest.fixture(scope="module")
def error_model() -> ErrorModel:
    return fit_error_model([fold(1), fold(2), fold(3)])


@pytest.fixture(scope="module")
def fresh() -> Matrix:
    return vectors(4000, np.random.default_rng(9))


def test_interval_covers_the_promised_share_of_unseen_films(error_model: ErrorModel, fresh: Matrix):
    errors = noise(fresh) * np.random.default_rng(10).normal(0, 1, len(fresh))
    assert 0.75 < np.mean(np.abs(errors) <= half_widths(error_model, fresh)) < 0.85


def test_interval_is_wider_where_films_are_harder_to_forecast(
    error_model: ErrorModel, fresh: Matrix
):
    widths, hard = half_widths(error_model, fresh), noise(fresh) > 1
    assert np.median(widths[hard]) > 2.5 * np.median(widths[~hard])


@pytest.mark.parametrize("hard", [True, False])
def test_coverage_is_about_right_among_easy_and_among_hard_films(
    error_model: ErrorModel, fresh: Matrix, hard: bool
):
    rows = fresh[(noise(fresh) > 1) == hard]
    errors = noise(rows) * np.random.default_rng(11).normal(0, 1, len(rows))
    assert 0.68 < np.mean(np.abs(errors) <= half_widths(error_model, rows)) < 0.92


def test_larger_errors_make_wider_intervals(error_model: ErrorModel, fresh: Matrix):
    wider = fit_error_model([fold(1, scale=2), fold(2, scale=2), fold(3, scale=2)])
    ratio = half_widths(wider, fresh).mean() / half_widths(error_model, fresh).mean()
    assert ratio == pytest.approx(2, abs=0.05)


def test_interval_covers_films_with_only_the_forms_fields_too(fresh: Matrix):
    rng = np.random.default_rng(12)
    folds = []
    for seed in (1, 2, 3):
        some = fold(seed)
        folds.append(Fold(some.films, some.errors, 3 * some.errors, some.errors))
    widths = half_widths(fit_error_model(folds), fresh)
    inside = [
        np.mean(np.abs(scale * noise(fresh) * rng.normal(0, 1, len(fresh))) <= widths)
        for scale in (1, 3)
    ]
    assert 0.75 < np.mean(inside) < 0.85


@pytest.mark.parametrize("hidden", [True, False])
def test_interval_covers_films_with_masked_fields_too(fresh: Matrix, hidden: bool):
    def unknown(masked: Matrix) -> Numbers:
        return np.where(np.isnan(masked[:, 1]), 1.2, 0.3)

    rng = np.random.default_rng(15)
    folds = []
    for seed in (1, 2, 3):
        films = fold(seed).films
        sizes = (0.3, 0.3, unknown(films.views[2]))
        folds.append(Fold(films, *(size * rng.normal(0, 1, FILMS) for size in sizes)))
    masked = film_vectors(fresh, np.full(len(fresh), 6.0), np.ones(len(fresh))).views[2]
    rows = masked[np.isnan(masked[:, 1]) == hidden]
    errors = unknown(rows) * rng.normal(0, 1, len(rows))
    assert 0.7 < np.mean(np.abs(errors) <= half_widths(fit_error_model(folds), rows)) < 0.9


def test_fold_with_large_errors_widens_the_interval(error_model: ErrorModel, fresh: Matrix):
    wider = fit_error_model([fold(1), fold(2), fold(3, scale=3)])
    assert half_widths(wider, fresh).mean() > 1.2 * half_widths(error_model, fresh).mean()


def test_single_fold_is_enough(fresh: Matrix):
    widths = half_widths(fit_error_model([fold(1)]), fresh)
    errors = noise(fresh) * np.random.default_rng(13).normal(0, 1, len(fresh))
    assert 0.7 < np.mean(np.abs(errors) <= widths) < 0.88


def test_sign_of_the_errors_turns_the_distribution_around(error_model: ErrorModel):
    folds = [
        Fold(each.films, -each.errors, -each.form_errors, -each.masked_errors)
        for each in map(fold, (1, 2, 3))
    ]
    found = fit_error_model(folds)
    assert found.quantile == error_model.quantile
    mirrored = [-each for each in reversed(error_model.errors.quantiles)]
    assert found.errors.quantiles == pytest.approx(mirrored, abs=1e-3)
    assert found.errors.trend == pytest.approx(-error_model.errors.trend, abs=1e-3)


def skewed_fold(seed: int) -> Fold:
    """Create a fold whose forecasts are a little too low mostly, and far too high sometimes."""
    films = fold(seed).films
    rng = np.random.default_rng(seed)

    def errors() -> Numbers:
        return np.asarray(noise(films.full) * (rng.gamma(1.0, 1.0, FILMS) - 0.7), float)

    return Fold(films, errors(), errors(), errors())


def test_distribution_is_that_of_unseen_films(fresh: Matrix):
    error_model = fit_error_model([skewed_fold(seed) for seed in (1, 2, 3)])
    rng = np.random.default_rng(16)
    ratings = 6.0 - noise(fresh) * (rng.gamma(1.0, 1.0, len(fresh)) - 0.7)
    found = RatingDistributions(6.0, half_widths(error_model, fresh), error_model.errors)
    for level in (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95):
        assert np.mean(ratings < found.quantile(level)) == pytest.approx(level, abs=0.04)
    for threshold in (5.0, 6.0, 6.2):
        chances, happened = found.at_least(threshold), ratings >= threshold
        assert chances.mean() == pytest.approx(happened.mean(), abs=0.03)
    # The symmetric half-widths would be too narrow below and too wide above.
    assert found.quantile(0.9).mean() - 6 < 0.7 * (6 - found.quantile(0.1).mean())


def test_exact_forecasts_have_a_narrow_distribution():
    films = fold(1).films
    exact = np.zeros(FILMS)
    error_model = fit_error_model([Fold(films, exact, exact, exact)])
    found = RatingDistributions(6.0, half_widths(error_model, films.full), error_model.errors)
    assert found.quantile(0.9).max() == pytest.approx(6.0, abs=1e-4)
    assert found.at_least(5.9).tolist() == [1.0] * FILMS


def test_few_films_give_their_largest_error_as_half_width():
    rng = np.random.default_rng(14)
    films = film_vectors(vectors(2, rng), [6.0, 6.0], [1, 1])
    errors = ([0.1, 0.2], [0.3, 0.4], [0.5, 2.0])
    error_model = fit_error_model([Fold(films, *map(np.asarray, errors))])
    assert half_widths(error_model, films.full).max() == pytest.approx(2.0, abs=0.01)
