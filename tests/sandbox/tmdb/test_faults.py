from collections.abc import Callable
from typing import Any

import pytest
import requests
from pydantic import ValidationError

from sandbox.tmdb.faults import Fault, FaultPlan
from sandbox.tmdb.process import RunningStandIn

Get = Callable[..., requests.Response]

PATH = "/discover/movie"


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("429", 429, 25), ("429_retry_after", 429, 25), ("500", 500, 11), ("503", 503, 9)],
)
def test_errors_have_tmdbs_status_and_code(
    get: Get, tmdb_stand_in: RunningStandIn, kind: str, status: int, code: int
) -> None:
    with tmdb_stand_in.faults({"kind": kind, "seconds": 3}):
        answer = get(PATH)
    assert (answer.status_code, answer.json()["status_code"]) == (status, code)
    assert answer.headers.get("Retry-After") == ("3" if kind == "429_retry_after" else None)


def test_a_slow_answer_is_late_and_complete(get: Get, tmdb_stand_in: RunningStandIn) -> None:
    with tmdb_stand_in.faults({"kind": "slow", "seconds": 0.3}):
        answer = get(PATH)
    assert answer.elapsed.total_seconds() >= 0.3
    assert len(answer.json()["results"]) == 20


def test_a_slow_answer_exceeds_a_clients_timeout(tmdb_stand_in: RunningStandIn) -> None:
    url = f"{tmdb_stand_in.base_url}{PATH}"
    with tmdb_stand_in.faults({"kind": "slow", "seconds": 30}), pytest.raises(requests.ReadTimeout):
        requests.get(url, timeout=0.2)


def test_a_cut_answer_ends_before_its_announced_length(
    get: Get, tmdb_stand_in: RunningStandIn
) -> None:
    with (
        tmdb_stand_in.faults({"kind": "cut", "first": 1}),
        pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"),
    ):
        get(PATH)
    assert get(PATH).ok


def test_a_truncated_answer_looks_complete_and_cannot_be_parsed(
    get: Get, tmdb_stand_in: RunningStandIn
) -> None:
    with tmdb_stand_in.faults({"kind": "truncated"}):
        answer = get(PATH)
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(answer.content) > 100
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_an_answer_can_be_a_page_of_html(get: Get, tmdb_stand_in: RunningStandIn) -> None:
    with tmdb_stand_in.faults({"kind": "not_json"}):
        answer = get(PATH)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.text.startswith("<html>")


def test_a_field_can_be_missing_from_a_film_and_from_list_entries(
    get: Get, tmdb_stand_in: RunningStandIn
) -> None:
    film_id = get(PATH).json()["results"][0]["id"]
    with tmdb_stand_in.faults({"kind": "missing_field", "field": "vote_count"}):
        film, page = get(f"/movie/{film_id}").json(), get(PATH).json()
    assert len(film) == 25
    assert "vote_count" not in film
    assert not any("vote_count" in result for result in page["results"])


@pytest.mark.parametrize("field", ["runtime", "title", "genres", "belongs_to_collection"])
def test_a_field_can_be_of_another_type(
    get: Get, tmdb_stand_in: RunningStandIn, field: str
) -> None:
    film_id = get(PATH).json()["results"][0]["id"]
    right = get(f"/movie/{film_id}").json()[field]
    with tmdb_stand_in.faults({"kind": "wrong_type", "field": field}):
        wrong = get(f"/movie/{film_id}").json()[field]
    assert type(wrong) is not type(right)


def test_an_answer_without_fields_stays_unchanged(get: Get, tmdb_stand_in: RunningStandIn) -> None:
    with tmdb_stand_in.faults({"kind": "missing_field", "field": "name"}):
        languages = get("/configuration/languages").json()
    assert languages[0].keys() == {"iso_639_1", "english_name"}


def test_a_limited_fault_affects_only_the_next_answers(
    get: Get, tmdb_stand_in: RunningStandIn
) -> None:
    with tmdb_stand_in.faults({"kind": "500", "first": 2}):
        assert [get(PATH).status_code for _ in range(4)] == [500, 500, 200, 200]


def test_a_fault_affects_only_the_given_paths(get: Get, tmdb_stand_in: RunningStandIn) -> None:
    with tmdb_stand_in.faults({"kind": "503", "path": "/3/movie/"}):
        assert get("/movie/popular").status_code == 503
        assert get(PATH).status_code == 200


def test_several_faults_divide_the_answers(get: Get, tmdb_stand_in: RunningStandIn) -> None:
    tmdb_stand_in.forget()
    faults = ({"kind": "500", "share": 0.5}, {"kind": "503", "share": 0.5})
    with tmdb_stand_in.faults(*faults):
        statuses = [get("/genre/movie/list").status_code for _ in range(40)]
    counted = tmdb_stand_in.stats()
    assert set(statuses) == {200, 500, 503}
    assert counted["faults"] == {"500": statuses.count(500), "503": statuses.count(503)}
    assert counted["by_status"]["500"] == statuses.count(500)


def test_the_same_seed_draws_the_same_faults() -> None:
    def drawn(seed: int) -> list[bool]:
        plan = FaultPlan([Fault(kind="500", share=0.3)], seed)
        return [plan.draw("/3/movie/1") is not None for _ in range(300)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 60 < sum(drawn(1)) < 120


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "earthquake"},
        {"kind": "500", "share": 1.5},
        {"kind": "500", "first": 1, "share": 0.5},
        {"kind": "500", "shares": 0.5},
    ],
)
def test_an_invalid_fault_is_refused(fault: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Fault.model_validate(fault)


def test_the_controls_answer_while_everything_else_fails(tmdb_stand_in: RunningStandIn) -> None:
    with tmdb_stand_in.faults({"kind": "503"}):
        assert tmdb_stand_in.stats()["requests"] >= 0
