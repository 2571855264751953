"""From what a person knows of a film to a forecast that says what it rests on."""

from dataclasses import dataclass
from typing import Final, Literal

from app.schemas import FilmFacts, Forecast, Ignored, Mood, RatingInterval
from movierating.bundle import RATING_RANGE, Bundle
from movierating.film import Film, Plot
from movierating.manifest import COVERAGE
from movierating.text import measure_plot

MOOD_CUT: Final = 0.1


@dataclass(frozen=True)
class Reading:
    """The plot as it was understood.

    Attributes:
        plot: None when there was none, or it could not be read.
        translated: Whether it was put into English first.
        failed: Whether a plot was sent that could not be read.
    """

    plot: Plot | None
    translated: bool = False
    failed: bool = False


def read_plot(text: str | None, english: str | None) -> Reading:
    """Measure a plot: `text` as sent, `english` the same in English or None if that failed."""
    if not (text and text.strip()):
        return Reading(None)
    if english is None:
        return Reading(None, failed=True)
    return Reading(measure_plot(english), translated=english != text)


def film_from(bundle: Bundle, facts: FilmFacts, reading: Reading) -> Film:
    """The film that raw facts describe; what the bundle has never seen counts as unknown."""
    codes = bundle.codes
    known_language = codes.languages.code(facts.language) >= 0
    return Film(
        genres=tuple(name for name in facts.genres if codes.genres.code(name) >= 0),
        original_language=facts.language if known_language else None,
        runtime_minutes=facts.runtime,
        release_date=facts.release_date,
        budget_usd=facts.budget,
        plot=reading.plot,
    )


def forecast(bundle: Bundle, facts: FilmFacts, reading: Reading) -> Forecast:
    """Rate a film from raw facts."""
    rating = float(bundle.rate([film_from(bundle, facts, reading)])[0])
    return Forecast(
        rating=round(rating, 2),
        interval=_interval(bundle, rating),
        average=round(bundle.manifest.average_rating, 2),
        mood=mood_of(reading.plot),
        translated=reading.translated,
        missing=_missing(facts),
        ignored=_ignored(bundle, facts, reading),
        version=bundle.manifest.version,
    )


def old_forecast(  # noqa: PLR0913, PLR0917 - the old contract has five numbers
    bundle: Bundle,
    runtime: float,
    genre_encoded: int,
    lang_encoded: int,
    sentiment: float,
    overview_len: int,
) -> float:
    """Rate a film from the old contract's five numbers."""
    genre = bundle.codes.genres.name(genre_encoded)
    film = Film(
        genres=(genre,) if genre else (),
        original_language=bundle.codes.languages.name(lang_encoded),
        runtime_minutes=runtime,
        plot=Plot(overview_len, sentiment) if overview_len else None,
    )
    return float(bundle.rate([film])[0])


def mood_of(plot: Plot | None) -> Mood | None:
    """The mood of a plot in one of three labels; None where the plot is unknown."""
    if plot is None:
        return None
    label: Literal["negative", "neutral", "positive"] = "neutral"
    if abs(plot.polarity) > MOOD_CUT:
        label = "positive" if plot.polarity > 0 else "negative"
    return Mood(score=round(plot.polarity, 3), label=label)


def _interval(bundle: Bundle, rating: float) -> RatingInterval:
    half_width = bundle.manifest.interval80.half_width
    lowest, highest = RATING_RANGE
    return RatingInterval(
        low=round(max(rating - half_width, lowest), 2),
        high=round(min(rating + half_width, highest), 2),
        coverage=COVERAGE,
    )


def _missing(facts: FilmFacts) -> list[str]:
    optional = ("overview", "genres", "language", "runtime", "release_date", "budget")
    return [name for name in optional if getattr(facts, name) in (None, "", [])]


def _ignored(bundle: Bundle, facts: FilmFacts, reading: Reading) -> list[Ignored]:
    ignored = [
        Ignored(field="genres", reason=f"{name!r} is no genre this model knows; see /options")
        for name in facts.genres
        if bundle.codes.genres.code(name) < 0
    ]
    if facts.language and bundle.codes.languages.code(facts.language) < 0:
        ignored.append(
            Ignored(field="language", reason=f"the model has seen no film in {facts.language!r}")
        )
    if reading.failed:
        ignored.append(
            Ignored(field="overview", reason="the plot could not be translated; counted as unknown")
        )
    extra = [*(facts.model_extra or {}), *(["title"] if facts.title else [])]
    return ignored + [Ignored(field=name, reason="this model does not use it") for name in extra]
