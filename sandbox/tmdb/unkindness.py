"""Imitate answers by TMDB that surprise its clients. The option `--unkind` switches them on.

- Some films lack a part, such as the credits. These are always the same films.
- For some films, the answer is always an error.
- The list of changed films has an entry without an id, and ids that no longer exist.
- A list says that it has at most 10,000 results.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.tmdb import errors
from sandbox.tmdb.answers import Json
from sandbox.tmdb.errors import Status, TmdbError
from sandbox.tmdb.hashing import stable_hash

MAX_RESULTS = 10_000
FAILURES = (errors.INTERNAL_ERROR, errors.INVALID_ID, errors.BAD_INPUT)
# The parts that are left out when they are appended, and the share of films for each.
ABSENT_PARTS = {"credits": 0.03, "keywords": 0.03}
NULL_SHARE = 0.01  # of films for each of these parts; the part is there, but null
NULL_ID = {"id": None, "adult": None}


@dataclass(frozen=True)
class Unkindness:
    """Changes the answers of one TMDB stand-in, so that they surprise its clients as TMDB's do.

    Attributes:
        failing: For each film id for which `/movie/{id}` always fails, the error response.
    """

    failing: Mapping[int, Status] = field(default_factory=dict)

    def check(self, film_id: int) -> None:
        """Raise an error if requests for this film always fail; otherwise do nothing.

        Raises:
            TmdbError: Requests for this film always fail.
        """
        if film_id in self.failing:
            raise TmdbError(self.failing[film_id])

    def without_parts(self, body: Json) -> Json:
        """Remove parts such as the credits from the answer for some films, or set them to null.

        These are always the same films.

        Args:
            body: The JSON body of the answer to `/movie/{id}`, with the parts asked for.
        """
        for part, share in ABSENT_PARTS.items():
            drawn = stable_hash(body["id"], part) % 1000 / 1000
            if part in body and drawn < share:
                del body[part]
            elif part in body and drawn < share + NULL_SHARE:
                body[part] = None
        return body

    def total(self, found: int) -> int:
        """Return the total number of results that the answer states for a list.

        Args:
            found: The real number of results. If it is above 10,000, the answer says 10,000.
        """
        return min(found, MAX_RESULTS)

    def changes(self, results: list[Json], merged: list[int]) -> list[Json]:
        """Return a list of changed films with more entries: one without an id, and merged films.

        Args:
            results: The entries of the list.
            merged: The ids of films that TMDB has merged with others, so that they no longer exist.
        """
        gone = [{"id": film_id, "adult": False} for film_id in merged]
        return [NULL_ID, *results, *gone]


def always_failing(film_ids: list[int]) -> dict[int, Status]:
    """Choose the error response with which each of these films always fails, by the film's id."""
    return {film_id: FAILURES[at % len(FAILURES)] for at, film_id in enumerate(film_ids)}
