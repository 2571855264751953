import pytest
import requests

from sandbox.tmdb.access import Keys, RateLimit
from sandbox.tmdb.errors import TmdbError
from sandbox.tmdb.process import RunningStandIn, running

V3_KEY = "0123456789abcdef0123456789ABCDEF"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJmYWtlIn0.c2lnbmF0dXJl"


def ask(
    stand_in: RunningStandIn,
    headers: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
) -> requests.Response:
    url = f"{stand_in.base_url}/movie/popular"
    return requests.get(url, headers=headers, params=params, timeout=10)


def test_a_token_in_the_header_and_a_key_in_the_query_both_open(
    tmdb_stand_in: RunningStandIn,
) -> None:
    assert ask(tmdb_stand_in, headers={"Authorization": f"Bearer {TOKEN}"}).ok
    assert ask(tmdb_stand_in, params={"api_key": V3_KEY}).ok


@pytest.mark.parametrize(
    ("authorization", "api_key"),
    [
        ("", ""),
        (f"Bearer {V3_KEY}", ""),
        (f"Basic {TOKEN}", ""),
        ("Bearer short", ""),
        ("", TOKEN),
        ("", "none"),
    ],
)
def test_anything_else_is_refused(authorization: str, api_key: str) -> None:
    with pytest.raises(TmdbError) as refused:
        Keys().check(authorization, api_key)
    assert (refused.value.status.http, refused.value.status.code) == (401, 7)


def test_a_refusal_has_tmdbs_body_and_not_the_key(tmdb_stand_in: RunningStandIn) -> None:
    answer = ask(tmdb_stand_in, params={"api_key": "planted-secret"})
    assert answer.status_code == 401
    assert answer.json() == {
        "success": False,
        "status_code": 7,
        "status_message": "Invalid API key: You must be granted a valid key.",
    }


def test_a_revoked_key_is_refused_until_it_is_restored(tmdb_stand_in: RunningStandIn) -> None:
    with tmdb_stand_in.revoked(V3_KEY, TOKEN):
        assert ask(tmdb_stand_in, params={"api_key": V3_KEY}).status_code == 401
        assert ask(tmdb_stand_in, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 401
        assert ask(tmdb_stand_in, params={"api_key": V3_KEY[::-1]}).ok
    assert ask(tmdb_stand_in, params={"api_key": V3_KEY}).ok


def test_requests_beyond_the_limit_are_refused_at_once() -> None:
    limit = RateLimit(40)
    for _ in range(40):
        limit.count()
    with pytest.raises(TmdbError) as refused:
        limit.count()
    assert refused.value.status.body() == {
        "status_code": 25,
        "status_message": "Your request count (41) is over the allowed limit of 40.",
    }


def test_the_rate_limit_error_names_the_time_to_wait() -> None:
    with (
        running("--requests-per-second", "2", "--films", "10") as stand_in,
        requests.Session() as session,
    ):
        url = f"{stand_in.base_url}/genre/movie/list"
        answers = [session.get(url, params={"api_key": V3_KEY}, timeout=10) for _ in range(12)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert all(answer.headers["Retry-After"] == "1" for answer in refused)
        assert stand_in.stats()["by_status"]["429"] == len(refused)
