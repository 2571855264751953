"""Count the requests that the TMDB stand-in receives, for tests and benchmarks."""

import re
import time
from collections import Counter, deque
from dataclasses import dataclass, field

from sandbox.tmdb.parts import PARTS as MOVIE_PARTS
from sandbox.tmdb.people import PARTS as PERSON_PARTS

ID = re.compile(r"/(tt)?\d+")
# Every other path is counted as `other`, so that wrong paths cannot add any number of entries.
KNOWN_KINDS = frozenset(
    {
        "/movie/{id}",
        *(f"/movie/{{id}}/{part}" for part in MOVIE_PARTS),
        "/movie/popular",
        "/movie/top_rated",
        "/movie/now_playing",
        "/movie/upcoming",
        "/movie/changes",
        "/discover/movie",
        "/genre/movie/list",
        "/configuration",
        "/configuration/languages",
        "/search/movie",
        "/search/person",
        "/person/{id}",
        *(f"/person/{{id}}/{part}" for part in PERSON_PARTS),
    }
)


@dataclass
class Stats:
    """The counts of requests since the TMDB stand-in's start, or since the counts were last reset.

    Attributes:
        by_status: The number of responses by HTTP status, such as "200".
        by_kind: The number of requests by path, such as `/movie/{id}`.
        faults: The number of errors that the stand-in made on purpose, by the kind of error.
        peak_per_second: The largest number of requests that arrived within any one second,
            including requests above the rate limit.
    """

    by_status: Counter[str] = field(default_factory=Counter)
    by_kind: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    peak_per_second: int = 0
    _recent: deque[float] = field(default_factory=deque)

    def arrived(self, path: str) -> None:
        """Count a request when it arrives.

        Args:
            path: The path of the request, without /3 at its beginning.
        """
        kind = ID.sub("/{id}", path)
        self.by_kind[kind if kind in KNOWN_KINDS else "other"] += 1
        now = time.monotonic()
        self._recent.append(now)
        while self._recent[0] <= now - 1:
            self._recent.popleft()
        self.peak_per_second = max(self.peak_per_second, len(self._recent))

    def report(self) -> dict[str, object]:
        """Return all counts as a dictionary that can be written as JSON."""
        return {
            "requests": self.by_kind.total(),
            "by_status": dict(self.by_status),
            "by_kind": dict(self.by_kind),
            "faults": dict(self.faults),
            "peak_per_second": self.peak_per_second,
        }
