"""The facts about a film that are known before its release."""

from dataclasses import dataclass
from datetime import date
from typing import Literal


@dataclass(frozen=True, slots=True)
class Entity:
    """A person, company, collection or keyword of TMDB.

    Attributes:
        id: TMDB's id. People, companies, collections and keywords are numbered apart.
        name: The name that TMDB shows.
    """

    id: int
    name: str


# A text is the name of somebody whose id is unknown.
Named = Entity | str


def name_of(named: Named) -> str:
    """Return the name of an entity, or the name itself."""
    return named.name if isinstance(named, Entity) else named


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

    People, companies, franchises and keywords are identified by TMDB's ids. One whose id is
    unknown, because a caller sent only a name, is identified by the name.

    Attributes:
        title: English title.
        genres: TMDB's English names, the main genre first.
        original_language: TMDB's language code, mostly ISO 639-1.
        countries: ISO 3166-1 codes of the production countries.
        runtime_minutes: Running time.
        release_date: First release of any type, also at a festival, in any country.
        budget_usd: Production budget.
        directors: The directors.
        writers: The writers.
        cast: The actors, the lead first.
        companies: The production companies.
        franchise: The film's TMDB collection, such as `The Matrix Collection`.
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
    directors: tuple[Named, ...] = ()
    writers: tuple[Named, ...] = ()
    cast: tuple[Named, ...] = ()
    companies: tuple[Named, ...] = ()
    franchise: Named | None = None
    keywords: tuple[Named, ...] = ()
    plot: Plot | None = None

    @property
    def main_genre(self) -> str | None:
        """The first genre in TMDB's list, which is the main one; None without genres."""
        return self.genres[0] if self.genres else None
