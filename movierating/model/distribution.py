"""The predicted distribution of a film's rating: its quantiles, and the chance of a rating or more.

It is the forecast plus the errors that the model made on the folds. The errors are normalised: each
was divided by the half-width that the error model predicted for its film. So a film that is hard to
forecast gets a wider distribution. The errors are used as they were, and not as a normal curve,
because large errors are more frequent than in a normal curve, and low ratings than high ones.
Forecasts from few facts have wide distributions and are slightly too low, forecasts from all facts
are slightly too high, so the errors also have a trend along the half-width.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

RATING_RANGE: Final = (0.0, 10.0)
INTERVAL_LEVELS: Final = (0.1, 0.9)  # the ends of the 80 % interval
STATED_LEVELS: Final = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)  # in the API's answers
# Forecasts state the probability of these ratings or more, and are scored at them.
STATED_RATINGS: Final = (6.0, 7.0, 8.0)
# The levels at which a distribution is scored: the middles of twenty equal parts.
SCORED_LEVELS: Final = tuple(round((part + 0.5) / 20, 3) for part in range(20))
_STORED_LEVELS: Final = 401
_MIN_ERRORS_FOR_TREND: Final = 1_000  # the trend of fewer errors is noise
_SMALLEST_WIDTH: Final = 1e-9
_DIGITS: Final = 4


@dataclass(frozen=True)
class NormalisedErrors:
    """The empirical distribution of rating minus forecast, divided by the predicted half-width.

    Attributes:
        quantiles: The quantiles at evenly spaced levels from 0 to 1, without the trend. Between
            them, the distribution is interpolated.
        trend: How much a normalised error grows if the half-width grows by 1.
    """

    quantiles: tuple[float, ...]
    trend: float = 0.0

    @classmethod
    def of(cls, errors: npt.ArrayLike, half_widths: npt.ArrayLike) -> Self:
        """Estimate the distribution from the errors of some films.

        Args:
            errors: Rating minus forecast, in rating points, shape (films,).
            half_widths: The predicted half-widths, shape (films,).
        """
        widths = _positive(half_widths)
        normalised = np.asarray(errors, float) / widths
        trend = _slope(widths, normalised) if len(widths) >= _MIN_ERRORS_FOR_TREND else 0.0
        levels = np.linspace(0, 1, _STORED_LEVELS)
        # With this method, a new error is below the quantile of level p with probability p, also
        # if there are few errors.
        found = np.quantile(normalised - trend * widths, levels, method="weibull")
        return cls(tuple(np.round(found, _DIGITS).tolist()), trend)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read the distribution from parsed JSON, as `to_json` returns it.

        Raises:
            ValueError: A number is not finite, or the quantiles are not in order.
        """
        quantiles = tuple(float(each) for each in raw["quantiles"])
        trend = float(raw["trend"])
        if len(quantiles) < 2 or not np.isfinite((*quantiles, trend)).all():  # noqa: PLR2004
            raise ValueError("the distribution has too few quantiles, or infinite ones")
        if (np.diff(quantiles) < 0).any():
            raise ValueError("the quantiles are not in order")
        return cls(quantiles, trend)

    def to_json(self) -> dict[str, Any]:
        """Return the distribution as JSON data."""
        return {"quantiles": list(self.quantiles), "trend": self.trend}

    def quantile(self, level: float, half_widths: npt.ArrayLike) -> Numbers:
        """Return the rating minus the forecast below which a share `level` of such errors lies.

        The result is in rating points and has the shape of `half_widths`.
        """
        widths = np.asarray(half_widths, float)
        found: Numbers = widths * (
            np.interp(level, self._levels, self._quantiles) + self.trend * widths
        )
        return found

    def share_below(self, errors: npt.ArrayLike, half_widths: npt.ArrayLike) -> Numbers:
        """Return the share of the distribution below each error.

        Args:
            errors: Rating minus forecast, in rating points, shape (films,).
            half_widths: The predicted half-widths, shape (films,).
        """
        widths = _positive(half_widths)
        normalised = np.asarray(errors, float) / widths - self.trend * widths
        found: Numbers = np.interp(normalised, self._quantiles, self._levels)
        return found

    @cached_property
    def _levels(self) -> Numbers:
        return np.linspace(0, 1, len(self.quantiles))

    @cached_property
    def _quantiles(self) -> Numbers:
        return np.asarray(self.quantiles, float)


@dataclass(frozen=True)
class RatingDistributions:
    """The predicted distributions of the ratings of films.

    Attributes:
        forecasts: The forecast ratings, shape (films,).
        half_widths: The predicted half-widths, by which errors are normalised; shape (films,).
        errors: The distribution of the normalised errors.
    """

    forecasts: npt.ArrayLike
    half_widths: npt.ArrayLike
    errors: NormalisedErrors

    def quantile(self, level: float) -> Numbers:
        """Return the rating below which each film's rating lies with probability `level`.

        The result has the shape (films,), and is from 0 to 10.
        """
        errors = self.errors.quantile(level, self.half_widths)
        return np.clip(np.asarray(self.forecasts, float) + errors, *RATING_RANGE)

    def at_least(self, rating: float) -> Numbers:
        """Return the probability that each film's rating is `rating` or more, shape (films,)."""
        lowest, highest = RATING_RANGE
        forecasts = np.asarray(self.forecasts, float)
        if not lowest < rating <= highest:
            return np.full(forecasts.shape, float(rating <= lowest))
        return 1 - self.errors.share_below(rating - forecasts, self.half_widths)


def intervals(
    forecasts: npt.ArrayLike, half_widths: npt.ArrayLike, errors: NormalisedErrors | None
) -> tuple[Numbers, Numbers]:
    """Return the lower and the upper ends of the 80 % intervals, from 0 to 10.

    Args:
        forecasts: The forecast ratings, shape (films,).
        half_widths: The predicted half-widths, shape (films,).
        errors: The distribution of the normalised errors; None if the bundle has none. Then the
            interval reaches a half-width below and above the forecast.
    """
    if errors is not None:
        found = RatingDistributions(forecasts, half_widths, errors)
        return found.quantile(INTERVAL_LEVELS[0]), found.quantile(INTERVAL_LEVELS[1])
    middle, half = np.asarray(forecasts, float), np.asarray(half_widths, float)
    return np.clip(middle - half, *RATING_RANGE), np.clip(middle + half, *RATING_RANGE)


def crps(quantiles: npt.ArrayLike, ratings: npt.ArrayLike) -> Numbers:
    """Return the continuous ranked probability score of each film, in rating points.

    It is the error of a distribution. For a forecast without uncertainty, it is the absolute error.

    Args:
        quantiles: Quantiles at the middles of equal parts, as in `SCORED_LEVELS`; shape (levels,
            films).
        ratings: The ratings of the films, shape (films,).
    """
    known = np.asarray(quantiles, float)
    levels = (np.arange(len(known)) + 0.5)[:, None] / len(known)
    above = np.asarray(ratings, float) - known
    found: Numbers = 2 * np.maximum(levels * above, (levels - 1) * above).mean(axis=0)
    return found


def _positive(half_widths: npt.ArrayLike) -> Numbers:
    """Replace half-widths of zero by a tiny number, because errors are divided by them."""
    return np.maximum(np.asarray(half_widths, float), _SMALLEST_WIDTH)


def _slope(widths: Numbers, errors: Numbers) -> float:
    """Fit a line that gives the errors from the widths, and return its slope."""
    apart = widths - widths.mean()
    spread = float(apart @ apart)
    return round(float(apart @ errors) / spread, _DIGITS) if spread > 0 else 0.0
