"""What may be known of a film before it opens."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Plot:
    """An English plot in numbers.

    Attributes:
        length: Characters.
        polarity: Mood from -1 (dark) to 1 (bright).
        subjectivity: From 0 (factual) to 1 (personal); None is unknown.
    """

    length: int
    polarity: float
    subjectivity: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """The facts that a forecast rests on. None or an empty tuple means unknown, never zero.

    Attributes:
        genres: TMDB's English names, the main genre first.
        original_language: ISO 639-1 code as TMDB writes it.
        runtime_minutes: Running time.
        release_date: First release anywhere.
        budget_usd: Production budget.
        plot: The plot in numbers.
    """

    genres: tuple[str, ...] = ()
    original_language: str | None = None
    runtime_minutes: float | None = None
    release_date: date | None = None
    budget_usd: float | None = None
    plot: Plot | None = None

    @property
    def main_genre(self) -> str | None:
        """The first genre, which TMDB lists as the most fitting."""
        return self.genres[0] if self.genres else None
