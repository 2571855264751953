"""What may be known of a film before it opens."""

from dataclasses import dataclass
from datetime import date
from typing import Literal


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot, and what TextBlob makes of it where it is in English.

    Attributes:
        length: Characters of the English plot; None is unknown.
        polarity: Mood from -1 (dark) to 1 (bright); None is unknown.
        subjectivity: From 0 (factual) to 1 (personal); None is unknown.
        text: The plot itself; None is unknown, as in the old contract, which knows its numbers.
        language: Of the text. One in Korean has no numbers: they would mean something else.
    """

    length: int | None
    polarity: float | None
    subjectivity: float | None = None
    text: str | None = None
    language: Literal["en", "ko"] = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """The facts that a forecast rests on. None or an empty tuple means unknown, never zero.

    People, companies and franchises are known by their names, as on a poster.

    Attributes:
        title: English title.
        genres: TMDB's English names, the main genre first.
        original_language: ISO 639-1 code as TMDB writes it.
        countries: Of production, ISO 3166-1 codes.
        runtime_minutes: Running time.
        release_date: First release anywhere.
        budget_usd: Production budget.
        directors: Names.
        writers: Names.
        cast: Names, the lead first.
        companies: Names of the production companies.
        franchise: Name of TMDB's collection.
        keywords: TMDB's keywords.
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
        """The first genre, which TMDB lists as the most fitting."""
        return self.genres[0] if self.genres else None
