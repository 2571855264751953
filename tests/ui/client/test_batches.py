from collections.abc import Callable, Sequence
from typing import Any

import pytest
import requests

from tests.support.stub_api import FORECAST, StubApi, problem
from ui.client import api as api_client
from ui.client import batches
from ui.client.api import ApiError, Facts
from ui.client.batches import forecast_films, patiently

DRAMA: Facts = {"genres": ["Drama"]}


def ignore() -> None:
    """Do nothing while the client waits."""


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the list of the seconds that the client waits; it does not really wait."""
    seconds: list[float] = []
    monkeypatch.setattr("time.sleep", seconds.append)
    return seconds


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], list[Any]]:
    """Replace the API. Return the sizes of the batches, and errors that the API raises first."""
    sent: list[int] = []
    errors: list[Any] = []

    def fetch(parse: Callable[[Any], Any], _: str, facts: Facts, __: Any) -> Any:
        sent.append(len(facts["films"]))
        if errors and (error := errors.pop(0)):
            raise error
        return parse({"results": [{"forecast": FORECAST, "problem": None}] * sent[-1]})

    monkeypatch.setattr(batches, "fetch", fetch)
    return sent, errors


def error(kind: str, status: int | None = None, room: int = 0, wait: int = 0) -> ApiError:
    made = ApiError(kind, status=status)
    made.room, made.wait_seconds = room, wait
    return made


def forecast(films: Sequence[Facts]) -> int:
    return sum(outcome.forecast is not None for outcome in forecast_films(films, ignore))


def test_films_are_sent_in_batches(api: StubApi):
    films = [{"title": str(at), **DRAMA} for at in range(60)]
    outcomes = list(forecast_films(films, ignore))
    assert [bool(each.forecast) for each in outcomes] == [True] * 60
    assert api.bodies == films
    assert api.paths == ["/v1/predict/batch?translate=false&explain=false"] * 3


def test_refused_film_has_an_error_of_its_own(api: StubApi):
    api.responses["/predict"] = problem(422, "bad", runtime="too long")
    (outcome,) = forecast_films([DRAMA], ignore)
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.error.errors) == ("refused", [("runtime", "too long")])


def test_long_plots_are_sent_in_smaller_batches(sizes: Any):
    assert forecast([{"overview": "x" * 60_000}] * 7) == 7
    assert sizes[0] == [3, 3, 1]
    assert forecast([{"overview": "가" * 10_000}] * 20) == 20
    assert max(sizes[0][3:]) * 60_000 <= 500_000


def test_rate_limit_makes_batches_smaller_and_later(sizes: Any, waits: list[float]):
    sent, errors = sizes
    errors += [error("busy", 429, room=10, wait=40), None, error("busy", 429, wait=12)]
    assert forecast([DRAMA] * 30) == 30
    assert sent == [25, 10, 10, 5, 5, 5, 5]
    assert len(waits) == 12


def test_api_that_never_has_room_is_given_up(sizes: Any, waits: list[float]):
    sent, errors = sizes
    errors += [error("busy", 429)] * 100
    with pytest.raises(ApiError):
        forecast([DRAMA])
    assert len(sent) < 30
    assert waits


@pytest.mark.parametrize("first", [error("slow"), error("unexpected", 413), error("refused", 422)])
def test_batch_that_is_too_large_is_divided(sizes: Any, first: ApiError):
    sent, errors = sizes
    errors += [first, first]
    assert forecast([DRAMA] * 25) == 25
    assert sent[:3] == [25, 6, 1]


def test_single_film_that_is_too_large_concerns_no_other_film(sizes: Any):
    sizes[1].extend([error("unexpected", 413)] * 3)
    outcomes = list(forecast_films([DRAMA] * 25, ignore))
    assert [bool(each.error) for each in outcomes] == [True] + [False] * 24


@pytest.mark.parametrize("kind", ["away", "no_model", "key"])
def test_fault_that_concerns_all_films_is_raised_at_once(sizes: Any, kind: str):
    sent, errors = sizes
    errors.append(error(kind))
    with pytest.raises(ApiError) as caught:
        forecast([DRAMA] * 60)
    assert (caught.value.kind, sent) == (kind, [25])


def test_response_with_another_number_of_films_is_not_believed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(batches, "fetch", lambda *_: [])
    with pytest.raises(ApiError) as caught:
        forecast([DRAMA])
    assert caught.value.kind == "unexpected"


def test_request_is_repeated_until_there_is_room(waits: list[float]):
    errors = [error("busy", wait=3), error("busy", wait=3)]

    def request() -> str:
        if errors:
            raise errors.pop()
        return "done"

    assert patiently(request, ignore) == "done"
    assert len(waits) == 6


@pytest.mark.parametrize(
    ("headers", "room", "seconds"),
    [
        ({"RateLimit": '"per-minute";r=59;t=12', "Retry-After": "120"}, 59, 12),
        ({"Retry-After": "30"}, 0, 30),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0, 0),
        ({}, 0, 0),
    ],
)
def test_error_says_how_many_requests_are_left(headers: dict[str, str], room: int, seconds: int):
    response = requests.Response()
    response.status_code = 429
    response.headers.update(headers)
    error = api_client._error_from("/predict", response)
    assert (error.kind, error.room, error.wait_seconds) == ("busy", room, seconds)
