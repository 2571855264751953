"""Forecast many films with few requests (`POST /v1/predict/batch`).

The API limits the size of a batch, and may limit the films per minute. A batch that is refused for
such a reason is sent again: smaller, or later.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from ui.client.api import ApiError, Facts, fetch
from ui.client.predictions import Forecast

PATH: Final = "/v1/predict/batch"
# The API allows 100 films, but visitors shall see progress.
_FILMS: Final = 25
_PLOT_CHARACTERS: Final = 200_000
_BYTES: Final = 500_000
_REFUSALS: Final = 20  # one after the other; then the page gives up
_WAIT_SECONDS: Final = 5  # if the API does not say how long
_LONGEST_WAIT_SECONDS: Final = 60
_TOO_LARGE: Final = frozenset({413, 422})  # statuses

Answer = TypeVar("Answer")
Waiting = Callable[[], None]


@dataclass(frozen=True)
class Outcome:
    """What became of one film: its forecast, or the error that the API reports for it."""

    forecast: Forecast | None = None
    error: ApiError | None = None


def forecast_films(films: Sequence[Facts], waiting: Waiting) -> Iterator[Outcome]:
    """Yield the outcome of one film after the other.

    Args:
        films: The facts about each film.
        waiting: Is called every second while the API has no room for more films.

    Raises:
        ApiError: A request has failed for a reason that concerns all films.
    """
    at, size, refusals = 0, _FILMS, 0
    while at < len(films):
        batch = _batch(films, at, size)
        try:
            outcomes = fetch(_parse, PATH, {"films": batch}, {"explain": "false"})
        except ApiError as error:
            refusals += 1
            if refusals > _REFUSALS:
                raise
            if error.kind == "busy":
                size = _wait_for_room(error, len(batch), waiting)
                continue
            if error.kind != "slow" and error.status not in _TOO_LARGE:
                raise
            if len(batch) > 1:
                size = max(len(batch) // 4, 1)
                continue
            if error.kind == "slow":
                raise
            outcomes = [Outcome(error=error)]
        yield from _one_per_film(outcomes, batch)
        at, refusals = at + len(batch), 0


def patiently(request: Callable[[], Answer], waiting: Waiting) -> Answer:
    """Send a request again as long as the API has no room for it.

    Raises:
        ApiError: The request has failed for another reason, or too often.
    """
    for _ in range(_REFUSALS):
        try:
            return request()
        except ApiError as error:
            if error.kind != "busy":
                raise
            _wait_for_room(error, 1, waiting)
    return request()


def _batch(films: Sequence[Facts], at: int, most: int) -> list[Facts]:
    """Return the films of the next request, at least one."""
    batch: list[Facts] = []
    characters = size = 0
    for film in films[at : at + most]:
        characters += len(film.get("overview") or "")
        size += len(json.dumps(film))
        if batch and (characters > _PLOT_CHARACTERS or size > _BYTES):
            break
        batch.append(film)
    return batch


def _wait_for_room(error: ApiError, films: int, waiting: Waiting) -> int:
    """Wait until the API takes films again; return how many it takes."""
    if error.room and error.room < films:
        return error.room
    seconds = min(error.wait_seconds or _WAIT_SECONDS, _LONGEST_WAIT_SECONDS)
    for _ in range(seconds):
        waiting()
        time.sleep(1)
    return max(films // 2, 1)


def _parse(body: Any) -> list[Outcome]:
    return [_outcome(row) for row in body["results"]]


def _outcome(row: Any) -> Outcome:
    if row["forecast"] is not None:
        return Outcome(Forecast.parse(row["forecast"]))
    problem = row["problem"]
    errors = [(str(each["field"]), str(each["message"])) for each in problem.get("errors") or ()]
    kind = "refused" if errors else "unexpected"
    return Outcome(error=ApiError(kind, str(problem["detail"]), errors, int(problem["status"])))


def _one_per_film(outcomes: list[Outcome], batch: Sequence[Facts]) -> list[Outcome]:
    if len(outcomes) != len(batch):
        raise ApiError("unexpected")
    return outcomes
