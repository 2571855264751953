"""The facts about a film that are known before its release."""

from dataclasses import dataclass
from datetime import date
from typing import Literal


@dataclass(frozen=True, slots=True)
class Plot:
    """The plot of a film, with its length and sentiment.

    A Korean plot has no length or sentiment here, because the numbers would not be comparable with
    those for English plots.

    Attributes:
        length: Number of characters in the English plot; None is unknown.
        polarity: TextBlob's sentiment from -1 (negative) to 1 (positive); None is unknown.
        subjectivity: TextBlob's score from 0 (factual) to 1 (personal); None is unknown.
        text: The text of the plot; None is unknown. The old API (`GET /v1/predict`) sends length
            and sentiment without a text.
        language: The language of the text.
    """

    length: int | None
    polarity: float | None
    subjectivity: float | None = None
    text: str | None = None
    language: Literal["en", "ko"] = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """The facts that a forecast is based on. None or an empty tuple means unknown, never zero.

    People, companies and franchises are identified by name, because callers do not know TMDB's ids.

    Attributes:
        title: English title.
        genres: TMDB's English names, the main genre first.
        original_language: TMDB's language code, mostly ISO 639-1.
        countries: ISO 3166-1 codes of the production countries.
        runtime_minutes: Running time.
        release_date: First release of any type, also at a festival, in any country.
        budget_usd: Production budget.
        directors: Names of the directors.
        writers: Names of the writers.
        cast: Names of the actors, the lead first.
        companies: Names of the production companies.
        franchise: Name of the film's TMDB collection, such as `The Matrix Collection`.
        keywords: TMDB's keywords for the film.
        plot: The plot.
    """

    title: str | None = None
    genres: tuple[str, ...] = ()
    original_language: str | None = None
    countries: tuple[str, ...] = ()
    runtime_minutes: float | None = None
    release_date: date | None = None
    budget_usd: float | None = None
    directors: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    companies: tuple[str, ...] = ()
    franchise: str | None = None
    keywords: tuple[str, ...] = ()
    plot: Plot | None = None

    @property
    def main_genre(self) -> str | None:
        """The first genre in TMDB's list, which is the main one; None without genres."""
        return self.genres[0] if self.genres else None
