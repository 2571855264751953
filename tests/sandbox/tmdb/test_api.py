from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
import requests

from sandbox.tmdb.process import RunningStandIn
from sandbox.tmdb.queries import TOP_RATED_VOTES
from sandbox.tmdb.world import World

Get = Callable[..., requests.Response]


def rated_id(world: World) -> int:
    return int(world.columns.ids[np.argmax(world.columns.vote_count)])


def test_list_pages_have_twenty_results_and_do_not_overlap(get: Get) -> None:
    pages = [get("/movie/popular", page=page).json() for page in (1, 2)]
    ids = [result["id"] for page in pages for result in page["results"]]
    assert [page["page"] for page in pages] == [1, 2]
    assert len(set(ids)) == 40


def test_popular_lists_all_films_by_popularity(get: Get, world: World) -> None:
    page = get("/movie/popular").json()
    shown = [result["popularity"] for result in page["results"]]
    assert shown == sorted(world.columns.popularity, reverse=True)[:20]
    assert page["total_results"] == len(world.columns.ids)
    assert page["total_pages"] == 300


def test_top_rated_films_have_enough_votes(get: Get) -> None:
    results = get("/movie/top_rated").json()["results"]
    ratings = [result["vote_average"] for result in results]
    assert ratings == sorted(ratings, reverse=True)
    assert min(result["vote_count"] for result in results) >= TOP_RATED_VOTES


def test_upcoming_films_open_after_today_and_are_unrated(get: Get) -> None:
    page = get("/movie/upcoming").json()
    assert page["dates"] == {"minimum": "2026-11-24", "maximum": "2026-12-21"}
    assert page["results"]
    for result in page["results"]:
        assert "2026-11-24" <= result["release_date"] <= "2026-12-21"
        assert (result["vote_count"], result["vote_average"]) == (0, 0.0)


def test_now_playing_films_opened_recently(get: Get) -> None:
    page = get("/movie/now_playing").json()
    days = [result["release_date"] for result in page["results"]]
    assert days
    assert page["dates"]["minimum"] <= min(days)
    assert max(days) <= page["dates"]["maximum"] == "2026-11-23"


def test_discover_filters_by_date_votes_language_and_genre(get: Get, world: World) -> None:
    filters = {
        "primary_release_date.gte": "2015-01-01",
        "primary_release_date.lte": "2019-12-31",
        "vote_count.gte": 30,
        "vote_average.lte": 7.5,
        "with_original_language": "ko",
        "with_genres": "18",
    }
    page = get("/discover/movie", **filters).json()
    columns = world.columns
    films = [world.film(int(at)) for at in np.flatnonzero(columns.language == "ko")]
    expected = {
        film.id
        for film in films
        if film.released and date(2015, 1, 1) <= film.released <= date(2019, 12, 31)
        if film.vote_count >= 30 and film.vote_average <= 7.5 and 18 in film.genres
    }
    pages = range(1, page["total_pages"] + 1)
    found = [get("/discover/movie", **filters, page=number).json() for number in pages]
    assert {result["id"] for page in found for result in page["results"]} == expected
    assert page["total_results"] == len(expected) > 20


def test_discover_combines_genres_with_and_or_or(get: Get) -> None:
    both = get("/discover/movie", with_genres="18,35").json()
    either = get("/discover/movie", with_genres="18|35").json()
    assert all({18, 35} <= set(result["genre_ids"]) for result in both["results"])
    assert all({18, 35} & set(result["genre_ids"]) for result in either["results"])
    assert 0 < both["total_results"] < either["total_results"]


@pytest.mark.parametrize(
    "column", ["popularity", "vote_count", "vote_average", "primary_release_date", "title"]
)
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_discover_sorts(get: Get, column: str, direction: str) -> None:
    name = {"primary_release_date": "release_date"}.get(column, column)
    params = {"sort_by": f"{column}.{direction}", "page": 3, "with_original_language": "en"}
    results = get("/discover/movie", **params).json()["results"]
    shown = [result[name] for result in results]
    keys = [text.casefold() if column == "title" else text for text in shown]
    assert keys == sorted(keys, reverse=direction == "desc")


def test_discover_without_a_hit_is_an_empty_page(get: Get) -> None:
    page = get("/discover/movie", **{"primary_release_date.lte": "1990-01-01"}).json()
    assert page == {"page": 1, "results": [], "total_pages": 1, "total_results": 0}


@pytest.mark.parametrize("page", ["501", "0", "-1", "one"])
def test_pages_outside_1_to_500_are_refused(get: Get, page: str) -> None:
    answer = get("/movie/popular", page=page)
    assert answer.status_code == 400
    assert answer.json()["status_code"] == 22


def test_page_500_is_served_though_empty(get: Get) -> None:
    assert get("/movie/popular", page=500).json()["results"] == []


def test_a_date_in_another_format_is_refused(get: Get) -> None:
    answer = get("/discover/movie", **{"primary_release_date.gte": "01.02.2020"})
    assert (answer.status_code, answer.json()["status_code"]) == (400, 23)


@pytest.mark.parametrize(
    "path", ["/movie/1", "/movie/none", "/nothing", "/movie/1/credits", "/movie/²"]
)
def test_unknown_paths_and_films_are_not_found(get: Get, path: str) -> None:
    answer = get(path)
    assert (answer.status_code, answer.json()["status_code"]) == (404, 34)


def test_parts_are_appended_on_request(get: Get, world: World) -> None:
    film_id = rated_id(world)
    plain = get(f"/movie/{film_id}").json()
    asked = "credits,keywords,release_dates,translations,unknown"
    whole = get(f"/movie/{film_id}", append_to_response=asked).json()
    assert len(plain) == 26
    assert whole.keys() - plain.keys() == {
        "credits",
        "keywords",
        "release_dates",
        "translations",
    }
    assert {person["job"] for person in whole["credits"]["crew"]} == {"Director", "Writer"}
    assert whole["credits"]["cast"]


def test_a_part_is_served_by_itself_too(get: Get, world: World) -> None:
    film_id = rated_id(world)
    alone = get(f"/movie/{film_id}/credits").json()
    appended = get(f"/movie/{film_id}", append_to_response="credits").json()["credits"]
    assert alone == {"id": film_id} | appended


def test_more_than_twenty_parts_are_refused(get: Get, world: World) -> None:
    answer = get(f"/movie/{rated_id(world)}", append_to_response=",".join(["credits"] * 21))
    assert (answer.status_code, answer.json()["status_code"]) == (400, 27)


def test_existing_korean_titles_and_plots_are_served(get: Get, world: World) -> None:
    korean = int(world.columns.ids[np.flatnonzero(world.columns.language == "ko")[0]])
    english = get(f"/movie/{korean}").json()
    translated = get(f"/movie/{korean}", language="ko-KR").json()
    assert english["title"].isascii()
    assert translated["title"] == english["original_title"] != english["title"]
    assert translated["overview"] != english["overview"]


def test_a_missing_translation_leaves_the_title_and_empties_the_plot(
    get: Get, world: World
) -> None:
    translated = get(f"/movie/{rated_id(world)}", language="sw").json()
    assert translated["title"]
    assert translated["overview"] == ""


def test_changes_come_in_pages_of_a_hundred_ids(get: Get, world: World) -> None:
    params = {"start_date": "2026-11-09", "end_date": "2026-11-23"}
    first = get("/movie/changes", **params).json()
    assert first["results"][0].keys() == {"id", "adult"}
    assert len(first["results"]) == 100
    assert first["total_pages"] == -(-first["total_results"] // 100)
    assert first["total_results"] < len(world.columns.ids) / 2


def test_changes_are_stable_and_grow_with_the_days(get: Get) -> None:
    day = {"start_date": "2026-11-20", "end_date": "2026-11-20"}
    week = {"start_date": "2026-11-14", "end_date": "2026-11-20"}
    totals = [get("/movie/changes", **days).json()["total_results"] for days in (day, day, week)]
    assert totals[0] == totals[1] < totals[2]


def test_changes_over_more_than_fourteen_days_are_refused(get: Get) -> None:
    answer = get("/movie/changes", start_date="2026-11-01", end_date="2026-11-23")
    assert (answer.status_code, answer.json()["status_code"]) == (422, 20)


def test_statistics_count_requests_by_status_and_kind(
    get: Get, tmdb_stand_in: RunningStandIn, world: World
) -> None:
    tmdb_stand_in.forget()
    for path in (f"/movie/{rated_id(world)}", "/movie/1", "/movie/popular", "/nothing"):
        get(path)
    stats = tmdb_stand_in.stats()
    assert stats["requests"] == 4
    assert stats["by_status"] == {"200": 2, "404": 2}
    assert stats["by_kind"] == {"/movie/{id}": 2, "/movie/popular": 1, "other": 1}
    assert 1 <= stats["peak_per_second"] <= 4
