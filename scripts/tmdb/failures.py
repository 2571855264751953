"""Films that TMDB fails to answer, for example with HTTP 500 each time; and when to try them again.

A file in the store's folder keeps them from run to run. A film that fails is left for the next day,
then for 2 days, then for 4, and so on. What the store knows of it stays there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, ClassVar, Final

from movierating.errors import ExplainedError
from scripts.runtime.storage import DataPath, read_json, write_json

FILE: Final = "failing.json"
LONGEST_DISTANCE: Final = timedelta(days=30)  # between two days on which a film is tried
_NAMED_IDS: Final = 20  # an error names at most so many films


class TooManyFailuresError(ExplainedError, RuntimeError):
    """So many films fail that the fault is TMDB's, or the network's, and not that of the films."""

    retryable: ClassVar[bool] = True

    def __init__(self, failed: Mapping[int, str], asked: int) -> None:
        """Write a message that names the films that failed, out of `asked`, and a problem."""
        problem = next(iter(failed.values()))
        super().__init__(
            f"{len(failed)} of {asked} films failed, such as with '{problem}': {named(failed)}; "
            "try again later, or raise COLLECT_MAX_BAD_SHARE"
        )


def named(film_ids: Iterable[int]) -> str:
    """Write film ids as text for a message: the first ones, and the number of the others."""
    ids = sorted(film_ids)
    others = f" and {len(ids) - _NAMED_IDS} more" if len(ids) > _NAMED_IDS else ""
    return ", ".join(map(str, ids[:_NAMED_IDS])) + others


@dataclass(frozen=True)
class FailingFilm:
    """A film that failed in the last run that tried it.

    Attributes:
        problem: Why it failed, in words.
        days: The number of days on which it failed in a row.
        next_day: It is not requested before this day, as YYYY-MM-DD.
    """

    problem: str
    days: int
    next_day: str


class FailingFilms:
    """The films of one store that failed, by id."""

    def __init__(self, folder: DataPath) -> None:
        """Read the file in the store's folder, if there is one."""
        self._path = folder / FILE
        stored = read_json(self._path) if self._path.exists() else {}
        self._films = {int(film_id): FailingFilm(**film) for film_id, film in stored.items()}

    @property
    def ids(self) -> frozenset[int]:
        """The ids of all films that failed when they were last tried."""
        return frozenset(self._films)

    def waiting(self, day: date) -> frozenset[int]:
        """Return the films that are not to be requested on a day."""
        return frozenset(
            film_id for film_id, film in self._films.items() if film.next_day > day.isoformat()
        )

    def update(self, failed: Mapping[int, str], answered: Iterable[int], day: date) -> None:
        """Store the result of a run.

        Args:
            failed: The films that failed, with the problem of each.
            answered: Films that were answered; other ids in it change nothing.
            day: The day of the run.
        """
        films = self._films.copy()
        for film_id in answered:
            films.pop(film_id, None)
        films |= {film_id: self._failed(film_id, failed[film_id], day) for film_id in failed}
        if films != self._films:
            self._films = films
            write_json(self._path, self.as_json())

    def as_json(self) -> dict[str, Any]:
        """Return the films by id, with why each failed and when it is tried again."""
        return {str(film_id): asdict(self._films[film_id]) for film_id in sorted(self._films)}

    def _failed(self, film_id: int, problem: str, day: date) -> FailingFilm:
        known = self._films.get(film_id)
        days = known.days + 1 if known else 1
        distance = min(timedelta(days=2 ** min(days - 1, 10)), LONGEST_DISTANCE)
        return FailingFilm(problem, days, (day + distance).isoformat())
