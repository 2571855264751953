from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests

from movierating.films.source import STAND_IN_HEADER, from_header, is_invented
from sandbox.tmdb.process import RunningStandIn, running
from tests.sandbox.tmdb.conftest import KEY, Get


@pytest.mark.parametrize("days", [-900, 4000])
def test_answers_are_dated_by_the_stand_ins_clock(days: int) -> None:
    today: date = datetime.now(UTC).date() + timedelta(days=days)
    with running("--today", today.isoformat(), "--films", "10") as stand_in:
        answer = requests.get(f"{stand_in.base_url}/genre/movie/list", timeout=10)
    (dated,) = answer.headers["Date"].split("\n")
    expected = datetime.now(UTC) + timedelta(days=days)
    assert abs(parsedate_to_datetime(dated) - expected) < timedelta(minutes=5)


PATH = "/movie/popular"


@pytest.mark.parametrize("path", [PATH, "/movie/0", "/nowhere"])
def test_every_answer_says_that_the_films_are_not_tmdbs(get: Get, path: str) -> None:
    assert is_invented(from_header(get(path).headers[STAND_IN_HEADER]))


def test_head_is_answered_as_get_is_but_without_the_body(
    get: Get, tmdb_stand_in: RunningStandIn
) -> None:
    head = requests.head(
        f"{tmdb_stand_in.base_url}{PATH}",
        params={"api_key": KEY},
        headers={"Accept-Encoding": "identity"},
        timeout=10,
    )
    assert head.status_code == 200
    assert head.content == b""
    assert int(head.headers["Content-Length"]) == len(get(PATH).content)


@pytest.mark.parametrize("path", ["", PATH, "/genre/movie/list", "/configuration"])
def test_a_slash_at_the_end_of_a_path_changes_nothing(get: Get, path: str) -> None:
    answer = get(f"{path}/")
    assert answer.history == []
    assert answer.json() == get(path).json()


def test_answers_are_compressed_only_for_clients_that_can_read_it(get: Get) -> None:
    assert get(PATH).headers["Content-Encoding"] == "gzip"
    plain = get(PATH, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.json() == get(PATH).json()
    assert plain.headers["Vary"] == "accept-encoding, Origin"


def test_a_client_that_has_the_answer_gets_304_without_a_body(get: Get) -> None:
    first = get(PATH)
    again = get(PATH, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = get("/movie/top_rated", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


def test_answers_may_be_kept_but_errors_may_not(get: Get) -> None:
    assert get(PATH).headers["Cache-Control"].startswith("public, max-age=")
    assert "Cache-Control" not in get("/movie/1").headers
