from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from sandbox.tmdb.odd_films import WorldWithOddFilms
from sandbox.tmdb.process import running
from sandbox.tmdb.unkindness import MAX_RESULTS, Unkindness
from sandbox.tmdb.world import World
from tests.sandbox.tmdb.conftest import KEY, Get

TODAY = date(2026, 11, 23)
SIZE = 300
PARTS = "credits,keywords,release_dates"


@pytest.fixture(scope="module")
def store() -> WorldWithOddFilms:
    return WorldWithOddFilms(World(TODAY, size=SIZE))


@pytest.fixture(scope="module")
def unkind() -> Iterator[Get]:
    options = ("--today", str(TODAY), "--films", str(SIZE), "--requests-per-second", "100000")
    with running(*options, "--unkind") as stand_in, requests.Session() as session:

        def ask(
            path: str, headers: dict[str, str] | None = None, **params: Any
        ) -> requests.Response:
            url = f"{stand_in.base_url}{path}"
            return session.get(url, params={"api_key": KEY} | params, headers=headers, timeout=10)

        yield ask


def test_films_for_adults_and_videos_are_listed_only_on_request(
    unkind: Get, store: WorldWithOddFilms
) -> None:
    default = unkind("/discover/movie").json()["total_results"]
    adult = unkind("/discover/movie", include_adult="true").json()["total_results"]
    either: dict[str, Any] = {"include_adult": "true", "include_video": "true"}
    assert adult - default == store.columns.adult.sum() > 0
    assert unkind("/discover/movie", **either).json()["total_results"] == len(store.columns.ids)
    assert unkind("/movie/popular").json()["total_results"] == default


def test_some_films_always_fail_each_in_its_own_way(unkind: Get, store: WorldWithOddFilms) -> None:
    for film_id in store.failing:
        answers = [unkind(f"/movie/{film_id}") for _ in range(2)]
        assert answers[0].status_code == answers[1].status_code >= 400
        popular = unkind("/movie/popular").json()["results"]
        assert film_id in [result["id"] for result in popular]


def test_the_same_films_lack_parts_each_time_but_not_alone(
    unkind: Get, store: WorldWithOddFilms
) -> None:
    absent = null = 0
    for film_id in store.columns.ids[:SIZE].tolist():
        film = unkind(f"/movie/{film_id}", append_to_response=PARTS).json()
        for part, inner in {"credits": "cast", "keywords": "keywords"}.items():
            if film.get(part) is None:
                absent, null = absent + (part not in film), null + (part in film)
                again = unkind(f"/movie/{film_id}", append_to_response=PARTS).json()
                assert again.get(part, "absent") == film.get(part, "absent")
                alone = unkind(f"/movie/{film_id}/{part}").json()
                assert isinstance(alone[inner], list)
    assert absent > null > 0
    assert absent + null < 0.15 * SIZE


def test_the_list_of_changes_has_an_entry_without_an_id_and_merged_films(unkind: Get) -> None:
    days: dict[str, Any] = {"start_date": "2026-11-10", "end_date": "2026-11-23"}
    pages = [unkind("/movie/changes", page=page, **days).json() for page in (1, 2, 3)]
    entries = [entry for page in pages for entry in page["results"]]
    assert [entry for entry in entries if entry["id"] is None] == [{"id": None, "adult": None}]
    assert any(entry["adult"] for entry in entries)
    ids = [entry["id"] for entry in entries if entry["id"]]
    gone = [film_id for film_id in ids if unkind(f"/movie/{film_id}").status_code == 404]
    assert gone


def test_a_list_has_at_most_ten_thousand_results() -> None:
    assert Unkindness().total(MAX_RESULTS + 1) == MAX_RESULTS
    assert Unkindness().total(5) == 5


def test_some_answers_are_old(unkind: Get, store: WorldWithOddFilms) -> None:
    ids = store.columns.ids[:20].tolist()
    answers = [unkind(f"/movie/{film_id}") for film_id in ids]
    assert any(int(answer.headers.get("Age", 0)) > 600 for answer in answers)
    assert any(int(answer.headers.get("X-Memc-Age", 0)) > 3600 for answer in answers)
