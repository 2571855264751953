"""Forecast films for the ledger, with the model in production."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Self

from movierating.errors import ExplainedError
from movierating.films.film import Film
from movierating.identity import sha256
from movierating.ledger.records import Forecast, StatedDistribution, VersionErrors
from movierating.model.predictor import PredictedRating, Predictor
from movierating.registry.bundle import Bundle
from movierating.registry.reading import RegistryReader
from scripts.dataset.baselines import NaiveMeans


class NothingToForecastError(ExplainedError, RuntimeError):
    """There are no forecasts, because there is no model, or there are no films."""


class NoModelError(NothingToForecastError):
    """No model is in production."""


@dataclass(frozen=True)
class FilmToForecast:
    """A film to forecast, with the facts that the ledger stores about it.

    Attributes:
        film_id: TMDB's id.
        film: The facts that the model uses.
        release_date: The film's first release, by the dates that TMDB gives now.
        release_type: The type of this release, such as `premiere`; None if unknown.
        release_country: The country of this release, ISO 3166-1; None if unknown.
        poster_path: TMDB's path of the poster. The UI shows it; the model does not use it.
        original_title: Title in the original language. Visitors search for it; the model does not
            use it.
        korean_title: Korean title, for the same purpose.
    """

    film_id: int
    film: Film
    release_date: date
    release_type: str | None = None
    release_country: str | None = None
    poster_path: str | None = None
    original_title: str | None = None
    korean_title: str | None = None


@dataclass(frozen=True)
class Forecaster:
    """A model version that forecasts films for the ledger.

    Attributes:
        source: The name of the source of the model's training films. Only films from this source
            are forecast.
    """

    version: str
    source: str
    predictor: Predictor

    @classmethod
    def of(cls, bundle: Bundle) -> Self:
        """Create a forecaster from a bundle; keep only the bundle's predictor, to free memory."""
        return cls(bundle.manifest.version, bundle.manifest.data.source, bundle.predictor)

    @property
    def errors(self) -> VersionErrors | None:
        """The errors of the model; None if it predicts no distributions."""
        errors = self.predictor.model.errors
        return VersionErrors.of(errors) if errors else None

    def forecast(
        self,
        films: Sequence[FilmToForecast],
        means: NaiveMeans | None,
        made_at: datetime,
        day: date,
    ) -> list[Forecast]:
        """Forecast films with this model version, and with the naive baselines.

        Args:
            films: The films to forecast.
            means: The mean ratings on this day, which are the forecasts of the naive baselines.
                None if no film is rated yet; then the records contain no baselines.
            made_at: The time of the forecast.
            day: The date of the forecast in the pipeline's time zone.

        Returns:
            One ledger record per film, in the order of `films`.
        """
        predicted = self.predictor.forecast([each.film for each in films])
        return [
            self._record(film, each, means, made_at, day)
            for film, each in zip(films, predicted, strict=True)
        ]

    def _record(
        self,
        film: FilmToForecast,
        predicted: PredictedRating,
        means: NaiveMeans | None,
        made_at: datetime,
        day: date,
    ) -> Forecast:
        facts = film.film
        return Forecast(
            film_id=film.film_id,
            title=facts.title,
            release_date=film.release_date,
            release_type=film.release_type,
            release_country=film.release_country,
            day=day,
            made_at=made_at,
            version=self.version,
            inputs_sha256=inputs_sha256(facts),
            rating=round(predicted.rating, 4),
            low=round(predicted.low, 4),
            high=round(predicted.high, 4),
            reasons={group: round(points, 3) for group, points in predicted.reasons.items()},
            baselines=_baselines(means, facts),
            genre=facts.main_genre,
            language=facts.original_language,
            poster_path=film.poster_path,
            original_title=film.original_title,
            korean_title=film.korean_title,
            source=self.source,
            distribution=(
                StatedDistribution.of(predicted.distribution) if predicted.distribution else None
            ),
        )


def in_production(registry: RegistryReader) -> Forecaster:
    """Load the model version in production, after checking its files against the manifest.

    Raises:
        NoModelError: No version is in production.
        BundleError: The bundle does not match its manifest.
    """
    current = registry.production()
    if current is None:
        raise NoModelError("no model is in production yet; run the pipeline first")
    return Forecaster.of(registry.bundle(current.pointer))


def inputs_sha256(film: Film) -> str:
    """Return the SHA-256 hash of all facts about a film that a forecast uses.

    It shows why two forecasts of a film differ: if the hash is the same, only the model has
    changed.
    """
    return sha256(json.dumps(asdict(film), sort_keys=True, default=str).encode())


def _baselines(means: NaiveMeans | None, film: Film) -> dict[str, float]:
    forecasts = means.forecast(film.main_genre) if means else {}
    return {name: round(rating, 4) for name, rating in forecasts.items()}
