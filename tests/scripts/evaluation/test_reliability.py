import numpy as np
import numpy.typing as npt
import pytest

from movierating.registry.evidence import SubgroupReliability
from scripts.evaluation.reliability import MIN_SUBGROUP, ForecastFilms, reliability

FEATURES = ("runtime_minutes", "language=ko", "language=en", "genre=Drama", "effect=all")
FILMS = 2000


def films(
    korean: npt.NDArray[np.bool_], errors: npt.NDArray[np.float64], half_width: float = 0.77
) -> ForecastFilms:
    """Create films, some of them Korean and all others English; every second one is a drama."""
    matrix = np.full((len(korean), len(FEATURES)), np.nan, np.float32)
    matrix[:, 1], matrix[:, 2] = korean, ~korean
    matrix[:, 3] = np.arange(len(korean)) % 2
    return ForecastFilms(matrix, errors, np.abs(errors) <= half_width)


def found(tested: ForecastFilms) -> dict[str, SubgroupReliability]:
    return {each.name: each for each in reliability(tested, FEATURES)}


@pytest.fixture
def errors() -> npt.NDArray[np.float64]:
    """Return errors of which 80 % are smaller than 0.77."""
    return np.random.default_rng(1).normal(0, 0.6, FILMS)


@pytest.fixture
def korean() -> npt.NDArray[np.bool_]:
    return np.asarray(np.arange(FILMS) % 20 == 0)


def test_reliable_forecasts_raise_no_alarm(
    korean: npt.NDArray[np.bool_], errors: npt.NDArray[np.float64]
):
    each = found(films(korean, errors))
    assert list(each) == ["ko", "en", "Drama"]
    assert (each["ko"].films, each["en"].films, each["Drama"].films) == (100, 1900, 1000)
    assert not any(one.biased or one.badly_covered for one in each.values())


def test_bias_of_one_language_is_found(
    korean: npt.NDArray[np.bool_], errors: npt.NDArray[np.float64]
):
    each = found(films(korean, errors + 0.3 * korean))
    assert each["ko"].biased
    assert each["ko"].bias == pytest.approx(0.3, abs=0.15)
    assert not each["en"].biased


@pytest.mark.parametrize(("scale", "wrong"), [(1.0, False), (1.7, True), (0.5, True)])
def test_intervals_that_are_too_narrow_or_too_wide_are_found(
    korean: npt.NDArray[np.bool_], errors: npt.NDArray[np.float64], scale: float, wrong: bool
):
    each = found(films(korean, np.where(korean, scale * errors, errors)))
    assert each["ko"].badly_covered == wrong
    assert not each["en"].badly_covered


def test_bias_that_can_be_chance_is_not_reported(errors: npt.NDArray[np.float64]):
    # The mean error of 21 films with a standard deviation of 0.6 varies by 0.13.
    few = np.zeros(FILMS, np.bool_)
    few[:21] = True
    errors[:21] = np.linspace(-1, 1, 21) + 0.3
    each = found(films(few, errors))
    assert each["ko"].bias == pytest.approx(0.3)
    assert not each["ko"].biased


def test_small_bias_of_many_films_is_not_reported(
    korean: npt.NDArray[np.bool_], errors: npt.NDArray[np.float64]
):
    each = found(films(korean, errors + 0.06))
    assert not each["en"].biased


def test_small_subgroups_are_left_out(errors: npt.NDArray[np.float64]):
    few = np.zeros(FILMS, np.bool_)
    few[: MIN_SUBGROUP - 1] = True
    assert list(found(films(few, errors))) == ["en", "Drama"]


def test_equal_errors_are_biased(korean: npt.NDArray[np.bool_]):
    assert found(films(korean, np.full(FILMS, 0.2)))["ko"].biased
