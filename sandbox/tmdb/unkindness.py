"""What TMDB does to its answers without a reason that a client could see; tests can switch it off.

It leaves out parts of some films, always of the same ones; it answers some films always with an
error; it puts an entry without an id into the list of changes; and it limits the number of results.
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
    """The unkind behaviour of one stand-in.

    Attributes:
        failing: By film id, the error with which `/movie/{id}` always answers.
    """

    failing: Mapping[int, Status] = field(default_factory=dict)

    def check(self, film_id: int) -> None:
        """Let a request for a film pass.

        Raises:
            TmdbError: The film always fails.
        """
        if film_id in self.failing:
            raise TmdbError(self.failing[film_id])

    def without_parts(self, body: Json) -> Json:
        """Leave out appended parts, or set them to null, for the same films each time."""
        for part, share in ABSENT_PARTS.items():
            drawn = stable_hash(body["id"], part) % 1000 / 1000
            if part in body and drawn < share:
                del body[part]
            elif part in body and drawn < share + NULL_SHARE:
                body[part] = None
        return body

    def total(self, found: int) -> int:
        """Return the number of results that a list says it has."""
        return min(found, MAX_RESULTS)

    def changes(self, results: list[Json], merged: list[int]) -> list[Json]:
        """Add an entry without an id, and the ids that are gone, to a list of changes."""
        gone = [{"id": film_id, "adult": False} for film_id in merged]
        return [NULL_ID, *results, *gone]


def always_failing(film_ids: list[int]) -> dict[int, Status]:
    """Choose an error for each of these films."""
    return {film_id: FAILURES[at % len(FAILURES)] for at, film_id in enumerate(film_ids)}
