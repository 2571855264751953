"""Remember the films that TMDB cannot send, and when to request each of them again.

For example, TMDB may answer each request for one film with HTTP 500, although it answers the
requests for other films. Such a film fails. The next run requests it again on the next day, then
after 2 days, then after 4, and so on. A file in the store's folder records these days. The record
of the film that is already in the store is kept.
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
    """So many films fail that TMDB or the network must be the cause, and not the single films."""

    retryable: ClassVar[bool] = True

    def __init__(self, failed: Mapping[int, str], asked: int) -> None:
        """Create the error from the films that failed and the number `asked` of requested films."""
        problem = next(iter(failed.values()))
        super().__init__(
            f"{len(failed)} of {asked} films failed, such as with '{problem}': {named(failed)}; "
            "try again later, or raise COLLECT_MAX_BAD_SHARE"
        )


class TooManyDeletedError(ExplainedError, RuntimeError):
    """TMDB says of so many films of the store that they do not exist that it must be a mistake."""

    retryable: ClassVar[bool] = True

    def __init__(self, deleted: Iterable[int], asked: int) -> None:
        """Write a message that names the films that TMDB does not find, out of `asked`."""
        ids = list(deleted)
        super().__init__(
            f"TMDB says that {len(ids)} of {asked} films do not exist, but the store has them: "
            f"{named(ids)}; check TMDB_BASE_URL, or raise COLLECT_MAX_BAD_SHARE"
        )


def named(film_ids: Iterable[int]) -> str:
    """Format film ids for an error message: the first ids, and the number of the others."""
    ids = sorted(film_ids)
    others = f" and {len(ids) - _NAMED_IDS} more" if len(ids) > _NAMED_IDS else ""
    return ", ".join(map(str, ids[:_NAMED_IDS])) + others


@dataclass(frozen=True)
class FailingFilm:
    """A film for which TMDB sent no usable answer when it was last requested.

    Attributes:
        problem: Why it failed, as text.
        days: The number of days on which it failed in a row.
        next_day: The day on which it is requested again, as YYYY-MM-DD.
    """

    problem: str
    days: int
    next_day: str


class FailingFilms:
    """The films that TMDB could not send, by id; stored in a file beside the film store."""

    def __init__(self, folder: DataPath) -> None:
        """Read the file of failed films in the store's folder, if there is one."""
        self._path = folder / FILE
        stored: dict[str, Any] = read_json(self._path) if self._path.exists() else {}
        self._films = {int(film_id): FailingFilm(**film) for film_id, film in stored.items()}

    @property
    def ids(self) -> frozenset[int]:
        """The ids of all films that failed when they were last requested."""
        return frozenset(self._films)

    def waiting(self, day: date) -> frozenset[int]:
        """Return the ids of the films that must not be requested yet on `day`."""
        return frozenset(
            film_id for film_id, film in self._films.items() if film.next_day > day.isoformat()
        )

    def update(self, failed: Mapping[int, str], answered: Iterable[int], day: date) -> None:
        """Store which films failed in a run, and remove the films that TMDB has answered.

        Args:
            failed: The films that failed, with the problem of each.
            answered: Ids of the films that TMDB answered. Ids of films that never failed are
                ignored.
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
        """Return the failed films by id, each with its problem and the day of the next request."""
        return {str(film_id): asdict(self._films[film_id]) for film_id in sorted(self._films)}

    def _failed(self, film_id: int, problem: str, day: date) -> FailingFilm:
        known = self._films.get(film_id)
        days = known.days + 1 if known else 1
        distance = min(timedelta(days=2 ** min(days - 1, 10)), LONGEST_DISTANCE)
        return FailingFilm(problem, days, (day + distance).isoformat())
