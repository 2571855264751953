"""Create forecasts and scores, the records in the forecast ledger, for tests."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from movierating.ledger.records import Forecast, Score, StatedDistribution, VersionErrors
from movierating.model.distribution import NormalisedErrors, RatingDistributions
from tests.support.bundles import RUN_DATE

VERSION = "2026-11-23-0123456789ab"
# The errors of this version, divided by the half-widths: from -2 to 2, all equally likely.
ERRORS = NormalisedErrors(tuple(at / 5 - 2 for at in range(21)))
VERSION_ERRORS = {VERSION: VersionErrors.of(ERRORS)}


def predicted(rating: float, half_width: float) -> RatingDistributions:
    """Return the distribution that a model with `ERRORS` predicts for one film."""
    return RatingDistributions(rating, half_width, ERRORS)


def stated(rating: float, half_width: float) -> StatedDistribution:
    """Return this distribution as the ledger keeps it."""
    return StatedDistribution.of(predicted(rating, half_width))


def forecast(film_id: int = 1, day: date = RUN_DATE, **others: Any) -> Forecast:
    """Create a forecast, made on `day`, for a film released ten days after `RUN_DATE`."""
    facts: dict[str, Any] = {
        "film_id": film_id,
        "title": f"Film {film_id}",
        "release_date": RUN_DATE + timedelta(10),
        "day": day,
        "made_at": datetime.combine(day, time(12), UTC),
        "version": VERSION,
        "inputs_sha256": "0" * 64,
        "rating": 6.5,
        "low": 5.5,
        "high": 7.5,
        "reasons": {"genre": 0.3, "people": -0.1},
        "baselines": {"mean": 6.2, "recent_mean": 6.3, "genre_mean": 6.4},
        "genre": "Drama",
        "language": "ko",
        "distribution": {
            "quantiles": [5.5 + 0.1 * part for part in range(20)],
            "at_least": {6.0: 0.75, 7.0: 0.25, 8.0: 0.0},
        },
    }
    return Forecast.model_validate(facts | others)


def scored(film_id: int = 1, actual: float = 6.0, **others: Any) -> Score:
    """Create a score: the forecast was 6.5 (interval 5.5 to 7.5), and the rating is `actual`."""
    facts: dict[str, Any] = {
        "film_id": film_id,
        "title": f"Film {film_id}",
        "release_date": RUN_DATE - timedelta(100),
        "mark": "90 days",
        "day": RUN_DATE - timedelta(10),
        "forecast_day": RUN_DATE - timedelta(101),
        "version": "2026-08-01-0123456789ab",
        "rating": 6.5,
        "low": 5.5,
        "high": 7.5,
        "baselines": {"mean": 6.0, "recent_mean": 6.0, "genre_mean": 6.0},
        "genre": "Drama",
        "language": "ko",
        "actual": actual,
        "votes": 120,
        "error": round(6.5 - actual, 4),
        "inside": 5.5 <= actual <= 7.5,
        "at_least": {6.0: 0.75, 7.0: 0.25, 8.0: 0.0},
        "crps": 0.3,
    }
    return Score.model_validate(facts | others)
