"""Turn a request's facts about a film into a forecast with reasons, warnings and similar films."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from app.distributions import chances_of, quantiles_of
from app.film_facts import FACT_NAMES, FilmFacts
from app.known_films import CompletedFilm
from app.matching import match
from app.schemas import (
    Comparable,
    FieldNote,
    Forecast,
    IgnoredValues,
    KnownFilm,
    Mood,
    OldForecast,
    RatingInterval,
    Reason,
)
from movierating.films.film import Film, Plot
from movierating.films.text import is_korean, measure_plot, normalise
from movierating.model.novelty import novelty_warnings
from movierating.model.predictor import PredictedRating
from movierating.registry.bundle import Bundle
from movierating.registry.evidence import SubgroupReliability
from movierating.registry.manifest import COVERAGE

MAX_NOTES: Final = 50
_NOTE_CHARACTERS: Final = 300  # of a note's field and of its reason; a name has at most 200
MOOD_THRESHOLD: Final = 0.1  # a polarity from -0.1 to 0.1 is labelled neutral
_BEGINNING_CHARACTERS: Final = 100  # of a plot that is named as not read
_SIMILAR_FILMS: Final = 5


NOT_TRANSLATED: Final = (
    "the model reads plots in English and Korean, and translation is switched off; counted as "
    "unknown"
)
TRANSLATION_REFUSED: Final = (
    "the model reads plots in English and Korean, and the request refuses translation "
    "(translate=false); counted as unknown"
)
TRANSLATION_FAILED: Final = "the plot could not be translated; counted as unknown"


@dataclass(frozen=True)
class PlotReading:
    """The plot in a request, and how the service could read it.

    Attributes:
        plot: The plot as the model gets it; None if no plot was sent, or if it could not be read.
        translated: Whether the plot was translated into English first.
        problem: Why a plot that was sent could not be read; None if it could.
        in_korean: Whether the model uses the Korean plot itself, without translation.
    """

    plot: Plot | None
    translated: bool = False
    problem: str | None = None
    in_korean: bool = False

    def or_korean(self, bundle: Bundle, text: str | None) -> "PlotReading":
        """Use the Korean plot itself if it was not translated into English.

        The result is this object, unchanged, in three cases: the plot is in English already, the
        plot is not Korean, or the model in `bundle` cannot read Korean.

        Args:
            bundle: The model in service.
            text: The plot as the caller sent it.
        """
        is_unread = bool(self.problem and text and is_korean(text))
        if not is_unread or "ko" not in bundle.effects.plot_languages:
            return self
        # Length and mood are left unknown, because the model was trained on those of English plots.
        return PlotReading(Plot(None, None, None, text, language="ko"), in_korean=True)


def read_plot(
    text: str | None, english: str | None, problem: str = TRANSLATION_FAILED
) -> PlotReading:
    """Measure the length and mood of a plot, and record whether it was translated.

    Args:
        text: The plot as the caller sent it.
        english: The same plot in English; None if it was not translated.
        problem: Why it was not translated.
    """
    if not (text and text.strip()):
        return PlotReading(None)
    if english is None:
        return PlotReading(None, problem=problem)
    return PlotReading(measure_plot(normalise(english)), translated=english != text)


def forecast(
    bundle: Bundle,
    completed: CompletedFilm,
    reading: PlotReading,
    *,
    explained: bool = True,
    at_least: Sequence[float] = (),
) -> Forecast:
    """Forecast the rating of the film in a request.

    Args:
        bundle: The model in service.
        completed: The facts in the request, with those of the catalogue.
        reading: The plot in the request, from `read_plot`.
        explained: Whether to add reasons and similar films, which take most of the time.
        at_least: State the probability of these ratings or more, besides those always stated.
    """
    facts, known = completed.facts, completed.known
    reading = reading.or_korean(bundle, facts.overview)
    matched = match(bundle, facts, reading.plot)
    film = matched.film
    (predicted,) = bundle.predictor.forecast([film], explained=explained)
    return Forecast(
        rating=round(predicted.rating, 2),
        interval=_interval(predicted),
        quantiles=quantiles_of(predicted.distribution),
        at_least=chances_of(predicted.distribution, at_least),
        average=round(bundle.manifest.average_rating, 2),
        reasons=_reasons(predicted),
        comparables=_similar_films(bundle, film, known) if explained else [],
        warnings=limited(_warnings(bundle, film)),
        reliability=_reliability(bundle, film),
        mood=mood_of(reading.plot),
        translated=reading.translated,
        read_in_korean=reading.in_korean,
        missing=_missing(facts),
        ignored=matched.ignored + completed.ignored + _unread_plot(facts, reading),
        read_as=matched.read_as,
        film=known,
        version=bundle.manifest.version,
    )


def forecast_from_codes(  # noqa: PLR0913, PLR0917 - the old contract has five numbers
    bundle: Bundle,
    runtime: float,
    genre_encoded: int,
    lang_encoded: int,
    sentiment: float,
    overview_len: int,
    at_least: Sequence[float] = (),
) -> OldForecast:
    """Forecast a film's rating from the five numbers of the old API contract (`GET /predict`).

    Args:
        bundle: The model in service.
        runtime: The running time in minutes.
        genre_encoded: The genre's code from `/options`; -1 if it is unknown.
        lang_encoded: The language's code from `/options`; -1 if it is unknown.
        sentiment: The mood of the plot, from -1 (dark) to 1 (bright).
        overview_len: The number of characters in the plot; 0 for no plot.
        at_least: State the probability of these ratings or more, and the quantiles. If it is empty,
            the answer has only the rating, as in the old contract.
    """
    genre = bundle.codes.genres.name(genre_encoded)
    film = Film(
        genres=(genre,) if genre else (),
        original_language=bundle.codes.languages.name(lang_encoded),
        runtime_minutes=runtime,
        # Without a plot there is no mood, so the caller's number is ignored.
        plot=Plot(overview_len, sentiment) if overview_len else None,
    )
    (predicted,) = bundle.predictor.forecast([film], explained=False)
    return OldForecast(
        predicted_rating=round(predicted.rating, 2),
        quantiles=quantiles_of(predicted.distribution) if at_least else None,
        at_least=chances_of(predicted.distribution, at_least) if at_least else None,
    )


def mood_of(plot: Plot | None) -> Mood | None:
    """Return a plot's mood, with a label such as `neutral`; None if the mood is unknown."""
    if plot is None or plot.polarity is None:
        return None
    label: Literal["negative", "neutral", "positive"] = "neutral"
    if abs(plot.polarity) > MOOD_THRESHOLD:
        label = "positive" if plot.polarity > 0 else "negative"
    return Mood(score=round(plot.polarity, 3), label=label)


def limited(notes: Sequence[FieldNote]) -> list[FieldNote]:
    """Return notes of limited number and length, the last of which says how many there are more.

    A note is longer than what it is about. So a request with thousands of unknown fields would get
    an answer of several times its own size.
    """
    kept = [
        FieldNote(field=_shortened(each.field), reason=_shortened(each.reason))
        for each in notes[:MAX_NOTES]
    ]
    if len(notes) > MAX_NOTES:
        more = f"{len(notes) - MAX_NOTES} more fields or values are not listed here"
        kept.append(FieldNote(field="...", reason=more))
    return kept


def _shortened(text: str) -> str:
    return text if len(text) <= _NOTE_CHARACTERS else f"{text[:_NOTE_CHARACTERS]}..."


def _interval(predicted: PredictedRating) -> RatingInterval:
    return RatingInterval(
        low=round(predicted.low, 2), high=round(predicted.high, 2), coverage=COVERAGE
    )


def _reasons(predicted: PredictedRating) -> list[Reason]:
    return [Reason(group=group, points=round(each, 3)) for group, each in predicted.reasons.items()]


def _similar_films(bundle: Bundle, film: Film, known: KnownFilm | None) -> list[Comparable]:
    similar = bundle.similar_films.similar_to(film, _SIMILAR_FILMS + 1)
    others = [each for each in similar if known is None or each.id != known.id]
    return [Comparable(**vars(each)) for each in others[:_SIMILAR_FILMS]]


def _warnings(bundle: Bundle, film: Film) -> list[FieldNote]:
    manifest = bundle.manifest
    return [
        FieldNote(field=found.fact, reason=found.reason)
        for found in novelty_warnings(film, manifest.seen, manifest.features)
    ]


def _reliability(bundle: Bundle, film: Film) -> list[SubgroupReliability]:
    measured = bundle.evidence.reliability if bundle.evidence else ()
    return [
        each
        for each in measured
        if (each.biased or each.badly_covered)
        and each.name in ((film.original_language,) if each.kind == "language" else film.genres)
    ]


def _missing(facts: FilmFacts) -> list[str]:
    return [name for name in FACT_NAMES if getattr(facts, name) in (None, "", [])]


def _unread_plot(facts: FilmFacts, reading: PlotReading) -> list[IgnoredValues]:
    if not reading.problem:
        return []
    beginning = (facts.overview or "")[:_BEGINNING_CHARACTERS]
    return [IgnoredValues(field="overview", values=[beginning], reason=reading.problem)]
