"""From what a person knows of a film to a forecast that says what it rests on."""

from dataclasses import dataclass
from typing import Final, Literal

from app.schemas import Comparable, FilmFacts, Forecast, Mood, RatingInterval, Reason, Remark
from movierating.films.film import Film, Plot
from movierating.films.text import is_korean, measure_plot
from movierating.films.tokens import MAX_CAST
from movierating.model.attribution import explain
from movierating.model.features import Matrix
from movierating.model.novelty import novelty_warnings
from movierating.model.onnx_model import RATING_RANGE
from movierating.registry.bundle import Bundle
from movierating.registry.manifest import COVERAGE

MOOD_CUT: Final = 0.1


@dataclass(frozen=True)
class Reading:
    """The plot as it was understood.

    Attributes:
        plot: None when there was none, or it could not be read.
        translated: Whether it was put into English first.
        failed: Whether a plot was sent that could not be read.
        natively: Whether it was read in Korean, as it is.
    """

    plot: Plot | None
    translated: bool = False
    failed: bool = False
    natively: bool = False

    def by(self, bundle: Bundle, text: str | None) -> "Reading":
        """The same by a bundle that may read Korean, where no translation was to be had."""
        if not (self.failed and bundle.effects.reads_korean and is_korean(text or "")):
            return self
        return Reading(Plot(None, None, None, text, language="ko"), natively=True)


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
        title=facts.title,
        genres=tuple(name for name in facts.genres if codes.genres.code(name) >= 0),
        original_language=facts.language if known_language else None,
        runtime_minutes=facts.runtime,
        release_date=facts.release_date,
        budget_usd=facts.budget,
        countries=tuple(facts.countries),
        directors=tuple(facts.directors),
        writers=tuple(facts.writers),
        cast=tuple(facts.cast[:MAX_CAST]),
        companies=tuple(facts.companies),
        franchise=facts.collection,
        keywords=tuple(facts.keywords),
        plot=reading.plot,
    )


def forecast(
    bundle: Bundle, facts: FilmFacts, reading: Reading, *, explained: bool = True
) -> Forecast:
    """Rate a film from raw facts; reasons and comparable films only if it is to be explained."""
    reading = reading.by(bundle, facts.overview)
    film = film_from(bundle, facts, reading)
    vector = bundle.matrix([film])
    rating = float(bundle.model.forecast(vector)[0])
    return Forecast(
        rating=round(rating, 2),
        interval=_interval(rating, float(bundle.model.half_widths(vector)[0])),
        average=round(bundle.manifest.average_rating, 2),
        reasons=_reasons(bundle, vector) if explained else [],
        comparables=_similar_films(bundle, film) if explained else [],
        warnings=_warnings(bundle, film),
        mood=mood_of(reading.plot),
        translated=reading.translated,
        read_in_korean=reading.natively,
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
    return float(bundle.forecast([film])[0])


def mood_of(plot: Plot | None) -> Mood | None:
    """The mood of a plot in one of three labels; None where it is unknown."""
    if plot is None or plot.polarity is None:
        return None
    label: Literal["negative", "neutral", "positive"] = "neutral"
    if abs(plot.polarity) > MOOD_CUT:
        label = "positive" if plot.polarity > 0 else "negative"
    return Mood(score=round(plot.polarity, 3), label=label)


def _reasons(bundle: Bundle, vector: Matrix) -> list[Reason]:
    points = explain(bundle.model, vector, bundle.manifest.features)
    return [Reason(group=group, points=round(each, 3)) for group, each in points.items()]


def _similar_films(bundle: Bundle, film: Film) -> list[Comparable]:
    return [Comparable(**vars(alike)) for alike in bundle.similar_films.similar_to(film)]


def _warnings(bundle: Bundle, film: Film) -> list[Remark]:
    manifest = bundle.manifest
    return [
        Remark(field=found.fact, reason=found.reason)
        for found in novelty_warnings(film, manifest.seen, manifest.features)
    ]


def _interval(rating: float, half_width: float) -> RatingInterval:
    lowest, highest = RATING_RANGE
    return RatingInterval(
        low=round(max(rating - half_width, lowest), 2),
        high=round(min(rating + half_width, highest), 2),
        coverage=COVERAGE,
    )


def _missing(facts: FilmFacts) -> list[str]:
    return [name for name in type(facts).model_fields if getattr(facts, name) in (None, "", [])]


def _ignored(bundle: Bundle, facts: FilmFacts, reading: Reading) -> list[Remark]:
    ignored = [
        Remark(field="genres", reason=f"{name!r} is no genre this model knows; see /options")
        for name in facts.genres
        if bundle.codes.genres.code(name) < 0
    ]
    if facts.language and bundle.codes.languages.code(facts.language) < 0:
        ignored.append(
            Remark(field="language", reason=f"the model has seen no film in {facts.language!r}")
        )
    if reading.failed:
        ignored.append(
            Remark(field="overview", reason="the plot could not be translated; counted as unknown")
        )
    extra = facts.model_extra or {}
    return ignored + [Remark(field=name, reason="this model does not use it") for name in extra]
