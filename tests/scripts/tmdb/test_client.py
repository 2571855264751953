import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain, count, islice
from typing import Any

import pytest
import requests

from movierating.settings import Settings, SettingsError, load_settings
from sandbox.state import free_ports
from sandbox.tmdb.process import RunningStandIn, running
from scripts.runtime import clock
from scripts.tmdb import client as module
from scripts.tmdb import session as session_module
from scripts.tmdb.client import Tmdb
from scripts.tmdb.errors import ClockError, NotFoundError, TmdbError, TmdbUnavailableError
from scripts.tmdb.session import TmdbSession
from tests.support.bundles import RUN_DATE
from tests.support.failing_page import fail_page
from tests.support.films import moment
from tests.support.recording_proxy import PASSWORD, recording_proxy, set_proxy
from tests.support.shifting_list import lose_first_film
from tests.support.slow_server import HEADERS, slow_server
from tests.support.stand_in import add_headers

V3_KEY = "fedcba9876543210fedcba9876543210"
TOKEN = "planted-read-access-token.of-the-tests.that-opens-nothing"
GENRES = "/genre/movie/list"


def planted(base_url: str, key: str = V3_KEY) -> Settings:
    settings = load_settings(Settings, tmdb_base_url=base_url, tmdb_api_key=key)
    return settings.model_copy(update={"tmdb_requests_per_second": 900})


@pytest.fixture
def tmdb(tmdb_stand_in: RunningStandIn) -> Iterator[Tmdb]:
    tmdb_stand_in.forget()
    with Tmdb(planted(tmdb_stand_in.base_url)) as client:
        yield client


@pytest.fixture(scope="module")
def new_day() -> Iterator[RunningStandIn]:
    """Start a new TMDB stand-in (a local imitation of TMDB), so that its date is `RUN_DATE`.

    A stand-in that has run longer may have passed midnight, so its date may be later.
    """
    with running("--today", RUN_DATE.isoformat(), "--films", "10") as stand_in:
        yield stand_in


@pytest.fixture
def tmdb_on_its_day(new_day: RunningStandIn) -> Iterator[Tmdb]:
    with Tmdb(planted(new_day.base_url)) as client:
        yield client


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the client's waits in seconds, instead of waiting."""
    slept: list[float] = []
    monkeypatch.setattr(TmdbSession, "_await_turn", lambda _: None)
    monkeypatch.setattr(TmdbSession, "_sleep", lambda _, seconds: slept.append(seconds))
    return slept


@pytest.fixture
def closed_port() -> int:
    return free_ports(1)[0]


def everything_said(error: BaseException | None) -> str:
    """Join all texts of an exception, its causes and contexts, to search them for the TMDB key."""
    if error is None:
        return ""
    chain = everything_said(error.__cause__) + everything_said(error.__context__)
    return f"{error} {error!r} {error.args} {vars(error)} {chain}"


@pytest.mark.parametrize("key", [V3_KEY, TOKEN, f"  {TOKEN}\n"], ids=["v3", "token", "pasted"])
def test_both_kinds_of_key_are_accepted(tmdb_stand_in: RunningStandIn, key: str):
    with Tmdb(planted(tmdb_stand_in.base_url, key)) as client:
        assert client.get(GENRES)["genres"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "429"},
        {"kind": "429_retry_after", "seconds": 3},
        {"kind": "500"},
        {"kind": "503"},
        {"kind": "cut"},
        {"kind": "truncated"},
        {"kind": "not_json"},
    ],
    ids=lambda fault: fault["kind"],
)
def test_passing_fault_is_retried(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb, waits: list[float], fault: dict[str, Any]
):
    with tmdb_stand_in.faults(fault | {"first": 2}):
        assert tmdb.get(GENRES)["genres"]
    assert waits == ([3.0, 3.0] if fault["kind"] == "429_retry_after" else [0.5, 1.0])
    assert tmdb_stand_in.stats()["requests"] == 3


def test_response_beyond_the_timeout_is_retried(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(session_module, "_TIMEOUT_SECONDS", (5, 0.3))
    with tmdb_stand_in.faults({"kind": "slow", "seconds": 3, "first": 1}):
        assert tmdb.get(GENRES)["genres"]


def test_slow_response_within_the_timeout_is_not_retried(tmdb_stand_in: RunningStandIn, tmdb: Tmdb):
    with tmdb_stand_in.faults({"kind": "slow", "seconds": 0.3, "first": 1}):
        assert tmdb.get(GENRES)["genres"]
    assert tmdb_stand_in.stats()["requests"] == 1


def test_lasting_fault_is_reported_after_growing_waits(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb, waits: list[float]
):
    with (
        tmdb_stand_in.faults({"kind": "503"}),
        pytest.raises(TmdbUnavailableError, match=r"^TMDB answered HTTP 503; check TMDB_BASE_URL"),
    ):
        tmdb.get(GENRES)
    assert waits == [0.5, 1, 2, 4, 8] + 14 * [10]


def test_wait_requested_by_tmdb_is_limited(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb, waits: list[float]
):
    with tmdb_stand_in.faults({"kind": "429_retry_after", "seconds": 3600, "first": 1}):
        tmdb.get(GENRES)
    assert max(waits) == 60


def test_unreachable_server_is_reported_in_one_sentence(closed_port: int, waits: list[float]):
    with (
        Tmdb(planted(f"http://127.0.0.1:{closed_port}/3")) as client,
        pytest.raises(TmdbUnavailableError, match=r"cannot be reached .*; check TMDB_BASE_URL"),
    ):
        client.get(GENRES)
    assert len(waits) == 19


@pytest.mark.parametrize("key", [V3_KEY, TOKEN], ids=["v3", "token"])
def test_refused_key_is_reported_without_retries(
    tmdb_stand_in: RunningStandIn, waits: list[float], key: str
):
    with (
        tmdb_stand_in.revoked(key),
        Tmdb(planted(tmdb_stand_in.base_url, key)) as client,
        pytest.raises(TmdbError, match=r"^TMDB refuses the key \(HTTP 401\); check TMDB_API_KEY$"),
    ):
        client.get(GENRES)
    assert waits == []


@pytest.mark.parametrize("key", ["a key", "열쇠", "key\r\nHost: elsewhere"])
def test_malformed_key_is_never_sent(key: str):
    with pytest.raises(SettingsError, match=r"^TMDB_API_KEY: holds characters") as caught:
        Tmdb(planted("http://127.0.0.1:1/3", key))
    assert key not in everything_said(caught.value)


def test_key_must_be_set():
    with pytest.raises(SettingsError, match=r"^TMDB_API_KEY is not set"):
        Tmdb(load_settings(Settings))


@pytest.mark.parametrize("key", [V3_KEY, TOKEN], ids=["v3", "token"])
@pytest.mark.parametrize(
    "kind",
    [None, "revoked", "away", "slow", "429", "500", "cut", "truncated", "not_json", "bad request"],
)
@pytest.mark.usefixtures("waits")
def test_key_is_in_no_log_and_no_exception(
    tmdb_stand_in: RunningStandIn,
    closed_port: int,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    kind: str | None,
):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(session_module, "_TIMEOUT_SECONDS", (5, 0.05 if kind == "slow" else 5))
    base_url = f"http://127.0.0.1:{closed_port}/3" if kind == "away" else tmdb_stand_in.base_url
    faulty = kind not in {None, "revoked", "away", "bad request"}
    error: Exception | None = None
    with (
        tmdb_stand_in.faults(*([{"kind": kind, "seconds": 2}] if faulty else [])),
        tmdb_stand_in.revoked(*([key] if kind == "revoked" else [])),
        Tmdb(planted(base_url, key)) as client,
    ):
        try:
            client.get(GENRES if kind != "bad request" else "/discover/movie", page=501)
        except Exception as raised:  # noqa: BLE001 - whatever it is, it is searched
            error = raised
    assert (error is None) is (kind is None)
    said = everything_said(error)
    for record in caplog.records:
        said += f"{record.getMessage()} {record.msg} {record.args} {record.exc_text}"
        said += everything_said(record.exc_info[1]) if record.exc_info else ""
    assert "urllib3" in {record.name.partition(".")[0] for record in caplog.records}
    assert key not in said


def test_invalid_request_is_not_retried(tmdb: Tmdb, waits: list[float]):
    with pytest.raises(TmdbError, match="HTTP 400") as caught:
        tmdb.get("/movie/popular", page=501)
    assert not caught.value.retryable
    assert waits == []


def test_list_is_read_to_its_last_page(tmdb: Tmdb):
    films = list(tmdb.films("/movie/now_playing"))
    pages = tmdb.get("/movie/now_playing")["total_pages"]
    assert pages > 1
    assert len({film["id"] for film in films}) == len(films) > (pages - 1) * module.PAGE_SIZE


def test_list_is_read_no_further_than_tmdbs_last_page(tmdb: Tmdb, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_PAGE", 2)
    assert len(list(tmdb.films("/movie/popular"))) == 2 * module.PAGE_SIZE


def test_list_is_read_no_further_than_used(tmdb_stand_in: RunningStandIn, tmdb: Tmdb):
    next(tmdb.films("/movie/popular"))
    assert tmdb_stand_in.stats()["requests"] == 1


@pytest.mark.parametrize("kind", ["missing_field", "wrong_type"])
@pytest.mark.usefixtures("waits")
def test_list_in_an_unknown_format_is_reported_in_one_sentence(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb, kind: str
):
    with (
        tmdb_stand_in.faults({"kind": kind, "field": "id"}),
        pytest.raises(TmdbUnavailableError, match="a list of films in an unknown format"),
    ):
        list(tmdb.films("/movie/now_playing"))


@pytest.mark.parametrize(
    "path",
    [
        "/movie/popular",
        "/movie/now_playing",
        "/movie/upcoming",
        "/movie/changes",
        "/discover/movie",
    ],
)
def test_list_with_a_null_id_is_read_in_one_request(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb, path: str
):
    expected = tmdb.page(path, 1)
    tmdb_stand_in.forget()
    with tmdb_stand_in.faults({"kind": "null", "field": "id", "entries": 1}):
        listing = tmdb.page(path, 1)
    assert listing.films == expected.films[1:]
    assert tmdb.unusable_entries == 1
    assert tmdb_stand_in.stats()["requests"] == 1


@pytest.mark.parametrize("kind", ["missing_field", "wrong_type"])
@pytest.mark.usefixtures("waits")
def test_list_in_an_unknown_format_is_retried(tmdb_stand_in: RunningStandIn, tmdb: Tmdb, kind: str):
    expected = list(tmdb.films("/movie/now_playing"))
    with tmdb_stand_in.faults({"kind": kind, "field": "id", "first": 2}):
        assert list(tmdb.films("/movie/now_playing")) == expected


def test_details_have_each_film_with_its_parts_and_none_for_deleted_ones(tmdb: Tmdb):
    ids = [film["id"] for film in tmdb.get("/movie/popular")["results"]]
    answers = {answer.id: answer.content for answer in tmdb.details([*ids, 1])}
    assert answers.keys() == {*ids, 1}
    assert answers[1] is None
    for film_id in ids:
        film = answers[film_id]
        assert film is not None
        assert film["id"] == film_id
        assert film.keys() >= {"title", "credits", "keywords", "release_dates", "translations"}


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize(
    "body", [b"[" * 200_000 + b"]" * 200_000, b'{"id": ' + b"9" * 5_000 + b"}"]
)
def test_film_in_json_that_python_cannot_read_is_returned_with_its_problem(
    tmdb: Tmdb, monkeypatch: pytest.MonkeyPatch, body: bytes
):
    (bad,) = (film["id"] for film in islice(tmdb.films("/movie/popular"), 1))
    parse = requests.Response.json

    def odd(answer: requests.Response) -> Any:
        if f"/movie/{bad}?" in (answer.url or ""):
            answer._content = body
        return parse(answer)

    monkeypatch.setattr(requests.Response, "json", odd)
    (answer,) = tmdb.details([bad])
    assert answer.content is None
    assert (answer.problem or "").startswith("TMDB sent ")


@pytest.mark.usefixtures("waits")
def test_film_is_only_deleted_if_tmdb_says_so_twice(tmdb_stand_in: RunningStandIn, tmdb: Tmdb):
    (film_id,) = (film["id"] for film in islice(tmdb.films("/movie/popular"), 1))
    fault = {"kind": "404", "path": f"/3/movie/{film_id}", "exact": True}
    with tmdb_stand_in.faults(fault | {"first": 1}):
        (answer,) = tmdb.details([film_id])
    assert answer.content is not None
    with tmdb_stand_in.faults(fault):
        (answer,) = tmdb.details([film_id])
    assert (answer.content, answer.problem) == (None, None)


@pytest.mark.parametrize(
    "kind",
    [
        *("400", "401", "404_6", "429", "429_retry_after", "500", "503"),
        *("cut", "truncated", "not_json", "null", "wrong_type"),
    ],
)
def test_film_that_always_fails_is_returned_with_its_problem(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb, waits: list[float], kind: str
):
    good, bad = [film["id"] for film in tmdb.get("/movie/popular")["results"][:2]]
    fault = {"kind": kind, "field": "id", "path": f"/3/movie/{bad}", "exact": True}
    with tmdb_stand_in.faults(fault):
        answers = {answer.id: answer for answer in tmdb.details([good, bad])}
    assert answers[good].content is not None
    assert answers[good].problem is None
    assert answers[bad].content is None
    assert (answers[bad].problem or "").startswith("TMDB ")
    assert tmdb_stand_in.stats()["faults"][kind] == 6
    assert len(waits) >= 5


def test_list_that_tmdb_does_not_have_is_reported_in_one_sentence(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb
):
    with (
        tmdb_stand_in.faults({"kind": "404", "path": "/3/movie/changes"}),
        pytest.raises(NotFoundError, match=r"^TMDB has no such film or list; check TMDB_BASE_URL$"),
    ):
        list(tmdb.changed(RUN_DATE))


def test_film_that_fails_at_first_is_fetched(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb, waits: list[float]
):
    (film_id,) = (film["id"] for film in islice(tmdb.films("/movie/popular"), 1))
    fault = {"kind": "400", "path": f"/3/movie/{film_id}", "exact": True, "first": 5}
    with tmdb_stand_in.faults(fault):
        (answer,) = tmdb.details([film_id])
    assert answer.content is not None
    assert waits == [0.5, 1, 2, 4, 8]


def test_film_that_fails_while_tmdb_is_down_ends_the_details(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb, waits: list[float]
):
    with tmdb_stand_in.faults({"kind": "503"}), pytest.raises(TmdbUnavailableError, match="503"):
        list(tmdb.details([1]))
    assert len(waits) == 19


def test_film_gets_its_attempts_once_tmdb_is_back(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb, waits: list[float]
):
    (film_id,) = (film["id"] for film in islice(tmdb.films("/movie/popular"), 1))
    with tmdb_stand_in.faults({"kind": "503", "first": 18}):
        (answer,) = tmdb.details([film_id])
    assert answer.content is not None
    assert len(waits) > 10


def test_details_end_with_the_first_failing_film(tmdb_stand_in: RunningStandIn, tmdb: Tmdb):
    ids = [film["id"] for film in tmdb.films("/movie/now_playing")]
    tmdb_stand_in.forget()
    with tmdb_stand_in.revoked(V3_KEY), pytest.raises(TmdbError, match="refuses the key"):
        list(tmdb.details(ids))
    assert tmdb_stand_in.stats()["requests"] < len(ids)


def test_failure_of_one_film_ends_the_retries_of_the_others(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb
):
    ids = [film["id"] for film in tmdb.get("/movie/popular")["results"]]
    tmdb_stand_in.forget()
    with (
        tmdb_stand_in.faults({"kind": "503", "path": "/3/movie"}),
        pytest.raises(TmdbError, match="check TMDB_API_KEY"),
    ):
        for _ in tmdb.details(chain(ids, refused(tmdb_stand_in))):
            pass
    # Each thread made one or two attempts, but not the eighteen others that it may make.
    assert tmdb_stand_in.stats()["requests"] <= 2 * len(ids)


def refused(stand_in: RunningStandIn) -> Iterator[int]:
    """Yield no film id: wait until the TMDB stand-in has failed once, then raise an error."""
    while not stand_in.stats()["faults"]:
        time.sleep(0.02)
    raise TmdbError("TMDB refuses the key (HTTP 401); check TMDB_API_KEY")
    yield


def test_404_of_another_server_does_not_mean_a_deleted_film(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb, waits: list[float]
):
    tmdb._session._base_url = tmdb_stand_in.control_url  # its 404 has no status code of TMDB
    with pytest.raises(TmdbUnavailableError, match="HTTP 404"):
        tmdb.get("/movie/1")
    assert len(waits) == 19


def test_ids_are_read_no_faster_than_films_are_used(tmdb: Tmdb):
    taken: list[int] = []
    ids = tmdb.get("/movie/popular")["results"]

    def endless() -> Iterator[int]:
        while True:
            taken.append(ids[0]["id"])
            yield taken[-1]

    assert len(list(islice(tmdb.details(endless()), 10))) == 10
    assert len(taken) < 200


@pytest.mark.parametrize("kind", ["missing_field", "wrong_type"])
@pytest.mark.parametrize("field", ["runtime", "genres", "credits", "title"])
def test_film_with_a_passing_wrong_type_is_fetched_again(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb, kind: str, field: str
):
    (film_id,) = (film["id"] for film in islice(tmdb.films("/movie/popular"), 1))
    (expected,) = tmdb.details([film_id])
    with tmdb_stand_in.faults({"kind": kind, "field": field, "first": 2}):
        (answer,) = tmdb.details([film_id])
    assert answer.content == expected.content


@pytest.mark.parametrize("part", ["credits", "keywords", "release_dates", "translations"])
@pytest.mark.parametrize("kind", ["missing_field", "null"])
def test_missing_part_is_requested_once_by_its_own_path(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb, kind: str, part: str
):
    (film_id,) = (film["id"] for film in islice(tmdb.films("/movie/popular"), 1))
    (expected,) = tmdb.details([film_id])
    tmdb_stand_in.forget()
    with tmdb_stand_in.faults(
        {"kind": kind, "field": part, "path": f"/3/movie/{film_id}", "exact": True}
    ):
        (answer,) = tmdb.details([film_id])
    assert answer.content == expected.content
    assert tmdb_stand_in.stats()["requests"] == 2


@pytest.mark.parametrize("kind", ["null", "404", "404_6", "400", "401", "500", "not_json"])
@pytest.mark.usefixtures("waits")
def test_part_that_its_own_path_lacks_too_is_missing(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb, kind: str
):
    (film_id,) = (film["id"] for film in islice(tmdb.films("/movie/popular"), 1))
    (expected,) = tmdb.details([film_id])
    path = f"/3/movie/{film_id}"
    with tmdb_stand_in.faults(
        {"kind": "null", "field": "credits", "path": path, "exact": True},
        {"kind": kind, "field": "cast", "path": f"{path}/credits", "exact": True},
    ):
        (answer,) = tmdb.details([film_id])
    assert answer.content is not None
    assert expected.content is not None
    assert answer.problem is None
    assert answer.content == expected.content | {"credits": None}


def test_film_with_a_lasting_wrong_type_is_returned_as_it_is(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb
):
    (film_id,) = (film["id"] for film in islice(tmdb.films("/movie/popular"), 1))
    with tmdb_stand_in.faults({"kind": "wrong_type", "field": "runtime"}):
        (answer,) = tmdb.details([film_id])
    assert answer.content is not None
    assert answer.content["runtime"] == ["unexpected"]


def test_films_are_dated_by_tmdbs_clock(tmdb_on_its_day: Tmdb):
    (answer,) = tmdb_on_its_day.details([1])
    assert tmdb_on_its_day.server_time().date() == RUN_DATE
    assert answer.at.date() == RUN_DATE


NOON = "Mon, 23 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"Age": "25200"}, 25200),
        ({"X-Memc-Age": "21236"}, 21236),
        ({"Age": "1126", "X-Memc-Age": "21236"}, 22362),
        ({"Age": "-5", "X-Memc-Age": "soon"}, 0),
        ({"Age": "9" * 30}, 0),
        ({"Age": "9" * 9}, 30 * 24 * 3600),
    ],
)
def test_film_is_dated_by_the_age_of_its_content(
    tmdb: Tmdb, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], seconds: int
):
    add_headers(monkeypatch, {"Date": NOON} | headers)
    (answer,) = tmdb.details([tmdb.page("/movie/popular", 1).films[0]["id"]])
    assert answer.at == moment() - timedelta(seconds=seconds)
    assert tmdb.server_time() == moment()


def test_old_answer_of_a_cache_does_not_mean_a_wrong_clock(
    tmdb: Tmdb, monkeypatch: pytest.MonkeyPatch
):
    add_headers(monkeypatch, {"Date": "Sat, 21 Nov 2026 12:00:00 GMT", "Age": f"{2 * 86_400}"})
    (answer,) = tmdb.details([tmdb.page("/movie/popular", 1).films[0]["id"]])
    assert answer.at == moment() - timedelta(days=2)
    assert tmdb.server_time() == moment()


@pytest.mark.parametrize("days", [-400, -2, 2, 4000])
def test_wrong_clock_is_reported_without_retries(
    tmdb_on_its_day: Tmdb, monkeypatch: pytest.MonkeyPatch, days: int, waits: list[float]
):
    monkeypatch.setattr(clock, "_clock", lambda: moment(RUN_DATE + timedelta(days=days)))
    with pytest.raises(ClockError, match=r"clock says .* and TMDB's 2026-11-23 .*; set the clock$"):
        tmdb_on_its_day.get(GENRES)
    assert waits == []


def test_retry_after_pauses_all_threads(tmdb_stand_in: RunningStandIn, tmdb: Tmdb):
    ids = [film["id"] for film in tmdb.get("/movie/popular")["results"]]
    tmdb_stand_in.forget()
    with tmdb_stand_in.faults({"kind": "429_retry_after", "seconds": 1, "first": 16}):
        answers = list(tmdb.details(ids))
    assert len(answers) == len(ids)
    # When TMDB refuses the first request, the other threads have sent theirs: sixteen in all.
    assert tmdb_stand_in.stats()["requests"] <= 16 + len(ids)


@pytest.mark.parametrize("path", ["/movie/changes", "/movie/now_playing"])
def test_list_that_shifts_while_it_is_read_loses_no_film(
    tmdb: Tmdb, monkeypatch: pytest.MonkeyPatch, path: str
):
    expected = [film["id"] for film in tmdb.films(path)]
    read = lose_first_film(monkeypatch, path, after_page=1)
    found = [film["id"] for film in tmdb.films(path)]
    assert sorted(found) == sorted(expected)
    assert read.count(1) == 2


def test_start_of_a_list_that_shifts_while_it_is_read_loses_no_film(
    tmdb: Tmdb, monkeypatch: pytest.MonkeyPatch
):
    expected = [film["id"] for film in tmdb.films("/movie/popular", limit=40)]
    assert len(expected) == 40
    lose_first_film(monkeypatch, "/movie/popular", after_page=1)
    found = [film["id"] for film in tmdb.films("/movie/popular", limit=40)]
    assert set(expected) <= set(found)


@pytest.mark.parametrize("number", [1, 2])
def test_page_that_always_fails_is_left_out_and_named(
    tmdb_stand_in: RunningStandIn, tmdb: Tmdb, monkeypatch: pytest.MonkeyPatch, number: int
):
    expected = [film["id"] for film in tmdb.films("/movie/now_playing")]
    fail_page(monkeypatch, "/movie/now_playing", number)
    tmdb_stand_in.forget()
    found = [film["id"] for film in tmdb.films("/movie/now_playing")]
    lost = set(expected) - set(found)
    assert lost == set(expected[module.PAGE_SIZE * (number - 1) : module.PAGE_SIZE * number])
    name = f"page {number} of /movie/now_playing"
    assert tmdb.failed_pages.problems == {name: "TMDB answered HTTP 500"}
    pages = -(-len(expected) // module.PAGE_SIZE)
    assert tmdb_stand_in.stats()["by_kind"]["/movie/now_playing"] == pages - 1  # read only once


def test_list_that_stays_the_same_is_read_once(tmdb: Tmdb, tmdb_stand_in: RunningStandIn):
    pages = tmdb.page("/movie/now_playing", 1).pages
    tmdb_stand_in.forget()
    list(tmdb.films("/movie/now_playing"))
    assert tmdb_stand_in.stats()["requests"] == pages > 1


def test_list_that_never_stays_the_same_is_used_with_a_warning(
    tmdb: Tmdb, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    whole = Tmdb.page
    totals = count()

    def page(self: Tmdb, path: str, number: int, **query: Any) -> Any:
        return whole(self, path, number, **query)._replace(total=next(totals))

    expected = [film["id"] for film in tmdb.films("/movie/now_playing")]
    monkeypatch.setattr(Tmdb, "page", page)
    assert [film["id"] for film in tmdb.films("/movie/now_playing")] == expected
    assert "/movie/now_playing changed while it was read" in caplog.text


def test_changed_adult_film_is_only_named_if_the_store_has_it(
    tmdb: Tmdb, monkeypatch: pytest.MonkeyPatch
):
    ids = list(tmdb.changed(RUN_DATE - timedelta(days=1)))
    adults = set(ids[:2])
    whole = Tmdb.page

    def page(self: Tmdb, path: str, number: int, **query: Any) -> Any:
        listing = whole(self, path, number, **query)
        films = [film | {"adult": film["id"] in adults} for film in listing.films]
        return listing._replace(films=films)

    monkeypatch.setattr(Tmdb, "page", page)
    assert list(tmdb.changed(RUN_DATE - timedelta(days=1))) == ids[2:]
    known = list(tmdb.changed(RUN_DATE - timedelta(days=1), lambda film_id: film_id == ids[1]))
    assert known == ids[1:]


def test_all_films_that_changed_on_a_day_are_listed(tmdb: Tmdb):
    ids = list(tmdb.changed(RUN_DATE - timedelta(days=1)))
    assert len(ids) == len(set(ids)) > 100


def test_requests_keep_the_rate_limit(tmdb_stand_in: RunningStandIn):
    tmdb_stand_in.forget()
    settings = planted(tmdb_stand_in.base_url)
    with Tmdb(settings.model_copy(update={"tmdb_requests_per_second": 20})) as client:
        list(client.details([1] * 30))
    # A tenth more, because requests may be delayed on their way.
    assert tmdb_stand_in.stats()["peak_per_second"] <= 22


def test_workers_share_the_rate_limit(tmdb_stand_in: RunningStandIn):
    tmdb_stand_in.forget()
    settings = planted(tmdb_stand_in.base_url)
    paced = settings.model_copy(update={"tmdb_requests_per_second": 20})
    with Tmdb(paced, workers=2) as one, Tmdb(paced, workers=2) as two, ThreadPoolExecutor() as pool:
        list(pool.map(lambda client: list(client.details([1] * 15)), (one, two)))
    assert tmdb_stand_in.stats()["peak_per_second"] <= 22


def test_rate_below_one_request_per_second_is_kept():
    limiter = session_module._limiter(0.5)
    assert limiter.try_acquire(blocking=False)
    assert not limiter.try_acquire(blocking=False)


def test_response_that_does_not_end_is_a_failed_attempt(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(session_module, "_RESPONSE_SECONDS", 0.1)
    with (
        slow_server(HEADERS + b"\r\n", b" ") as url,
        Tmdb(planted(f"{url}/3"), attempts=1) as slow,
        pytest.raises(TmdbUnavailableError, match="cannot be reached"),
    ):
        slow.get(GENRES)


def test_remote_tmdb_passes_the_proxy_and_a_local_one_does_not(
    tmdb_stand_in: RunningStandIn, monkeypatch: pytest.MonkeyPatch
):
    with recording_proxy(tmdb_stand_in.control_url) as proxy:
        set_proxy(monkeypatch, "ALL_PROXY", proxy.url)
        for base_url in (tmdb_stand_in.base_url, "http://tmdb.example/3"):
            with Tmdb(planted(base_url, TOKEN)) as client:
                assert client.get(GENRES)["genres"]
    assert proxy.seen == [f"GET http://tmdb.example/3{GENRES}"]


def test_proxy_that_wants_a_password_is_named_after_one_request(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    with recording_proxy() as proxy, Tmdb(planted("https://tmdb.example/3")) as client:
        proxy.refuses = 407
        set_proxy(monkeypatch, "HTTPS_PROXY", proxy.with_password)
        with pytest.raises(TmdbError, match=r"proxy in HTTPS_PROXY .*\(407\)") as caught:
            client.get(GENRES)
        assert len(proxy.seen) == 1
    assert not caught.value.retryable
    assert PASSWORD not in f"{caught.value!r} {caplog.text}"


def test_dead_proxy_is_named_after_all_attempts(
    closed_port: int, waits: list[float], monkeypatch: pytest.MonkeyPatch
):
    set_proxy(monkeypatch, "https_proxy", f"http://127.0.0.1:{closed_port}")
    with (
        Tmdb(planted("https://tmdb.example/3"), attempts=3) as client,
        pytest.raises(TmdbUnavailableError) as caught,
    ):
        client.get(GENRES)
    assert f"the proxy in https_proxy (127.0.0.1:{closed_port}) cannot" in str(caught.value)
    assert "TMDB_BASE_URL" not in str(caught.value)
    assert len(waits) == 2


def test_waits_grow_from_the_setting(closed_port: int, waits: list[float]):
    settings = planted(f"http://127.0.0.1:{closed_port}/3")
    quick = settings.model_copy(update={"tmdb_retry_seconds": 0.25})
    with Tmdb(quick, attempts=8) as client, pytest.raises(TmdbUnavailableError):
        client.get(GENRES)
    assert waits == [0.25, 0.5, 1, 2, 4, 5, 5]
