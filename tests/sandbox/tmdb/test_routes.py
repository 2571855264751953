from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
import requests

from sandbox.tmdb import parts
from sandbox.tmdb.films import Person
from sandbox.tmdb.people import also_known_as
from sandbox.tmdb.process import RunningStandIn
from sandbox.tmdb.queries import TOP_RATED_VOTES
from sandbox.tmdb.releases import DIGITAL, LIMITED, PHYSICAL, THEATRICAL
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


def with_release(
    world: World, kinds: tuple[int, ...], first: date, last: date, region: str
) -> list[int]:
    """Return the ids of the films that have a matching release.

    A release matches if its type is in `kinds`, its date is from `first` to `last`, and its country
    is `region`. If `region` is empty, every country matches."""
    releases = world.columns.releases
    fields = (releases.film, releases.country, releases.kind, releases.day)
    found = {
        film
        for film, country, kind, day in zip(*(each.tolist() for each in fields), strict=True)
        if kind in kinds and first <= day <= last and region in ("", country)
    }
    return sorted(world.columns.ids[list(found)].tolist())


@pytest.mark.parametrize("region", ["", "KR"])
@pytest.mark.parametrize(
    ("path", "first", "last"),
    [
        ("/movie/upcoming", date(2026, 11, 24), date(2026, 12, 21)),
        ("/movie/now_playing", date(2026, 10, 12), date(2026, 11, 23)),
    ],
)
def test_lists_of_films_in_cinemas_have_a_release_in_their_dates(
    get: Get, world: World, path: str, first: date, last: date, region: str
) -> None:
    pages = [get(path, page=number, region=region).json() for number in range(1, 20)]
    found = [result["id"] for page in pages for result in page["results"]]
    expected = with_release(world, (LIMITED, THEATRICAL), first, last, region)
    assert pages[0]["dates"] == {"minimum": str(first), "maximum": str(last)}
    assert sorted(found) == expected


def test_upcoming_lists_also_films_of_other_years(get: Get) -> None:
    pages = [get("/movie/upcoming", page=number).json() for number in range(1, 10)]
    days = [result["release_date"] for page in pages for result in page["results"]]
    assert sum("2026-11-24" <= day <= "2026-12-21" for day in days) > 5
    assert sum(day < "2026-01-01" for day in days) > 5


def test_discover_needs_one_release_that_meets_all_filters(get: Get, world: World) -> None:
    filters = {"with_release_type": "4|5", "region": "US", "release_date.gte": "2020-01-01"}
    found = get("/discover/movie", **filters).json()
    expected = with_release(world, (DIGITAL, PHYSICAL), date(2020, 1, 1), date.max, "US")
    assert found["total_results"] == len(expected) > 100
    assert {result["id"] for result in found["results"]} <= set(expected)


def test_discover_filters_by_year_of_the_first_or_any_release(get: Get) -> None:
    first = get("/discover/movie", primary_release_year=2019).json()
    assert {result["release_date"][:4] for result in first["results"]} == {"2019"}
    either = get("/discover/movie", year=2019).json()
    assert either["total_results"] > first["total_results"]


def test_a_release_type_that_is_no_number_is_refused(get: Get) -> None:
    answer = get("/discover/movie", with_release_type="theatrical")
    assert (answer.status_code, answer.json()["status_code"]) == (400, 47)


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
    assert whole["credits"]["cast"]


def test_crews_have_all_departments_but_one_job_per_director(get: Get, world: World) -> None:
    film = world.film(world.columns.position_of[rated_id(world)])
    crew = get(f"/movie/{film.id}/credits").json()["crew"]
    directors = [person["id"] for person in crew if person["job"] == "Director"]
    assert directors == [person.id for person in film.directors]
    writers = [person["id"] for person in crew if person["department"] == "Writing"]
    assert writers == [person.id for person in film.writers]
    assert {"Camera", "Editing", "Production", "Sound"} & {each["department"] for each in crew}


@pytest.mark.parametrize("part", parts.PARTS)
def test_a_film_and_its_parts_are_found_by_its_imdb_id(get: Get, world: World, part: str) -> None:
    film_id = rated_id(world)
    imdb_id = world.imdb_ids[world.columns.position_of[film_id]]
    assert get(f"/movie/{imdb_id}").json() == get(f"/movie/{film_id}").json()
    assert get(f"/movie/{imdb_id}/{part}").json() == get(f"/movie/{film_id}/{part}").json()


def test_images_are_limited_to_the_languages_asked_for(get: Get, world: World) -> None:
    at = int(np.flatnonzero(world.columns.language == "ko")[0])
    path = f"/movie/{world.columns.ids[at]}/images"
    assert [image["iso_639_1"] for image in get(path).json()["posters"]] == ["ko"]
    assert get(path, language="en-US").json()["posters"] == []
    assert get(path, include_image_language="ko,null").json()["backdrops"]


def test_search_finds_all_words_in_titles_of_any_script(get: Get, world: World) -> None:
    at = int(np.flatnonzero(world.columns.language == "ko")[0])
    film = world.film(at)
    for title in (film.title.upper(), film.original_title):
        found = get("/search/movie", query=title).json()
        assert film.id in [result["id"] for result in found["results"]]
    year = {"query": film.title, "primary_release_year": 1990}
    assert get("/search/movie", **year).json()["results"] == []
    assert get("/search/movie", query="").json()["total_results"] == 0


def test_people_are_found_by_name_and_by_id_with_their_films(get: Get, world: World) -> None:
    film = world.film(world.columns.position_of[rated_id(world)])
    (director, *_), (actor, *_) = film.directors, film.cast
    found = get("/search/person", query=director.name.lower()).json()
    entry = next(result for result in found["results"] if result["id"] == director.id)
    assert entry["known_for_department"] == "Directing"
    assert {film["media_type"] for film in entry["known_for"]} == {"movie"}
    whole = get(f"/person/{actor.id}", append_to_response="movie_credits,images,unknown").json()
    assert whole["name"] == actor.name
    assert film.id in [credit["id"] for credit in whole["movie_credits"]["cast"]]
    alone = get(f"/person/{director.id}/movie_credits").json()
    assert film.id in [each["id"] for each in alone["crew"] if each["job"] == "Director"]


def test_other_names_of_people_are_as_odd_as_those_of_tmdb(get: Get, world: World) -> None:
    at = int(np.flatnonzero(world.columns.language == "ko")[0])
    people = [*world.film(at).cast, *world.film(at).writers, *world.film(at).directors]
    for person in people:
        names = get(f"/person/{person.id}").json()["also_known_as"]
        assert person.original_name in names
        assert any(name.split(" ")[-1].lower() in person.name.lower() for name in names if name)
    listed = [also_known_as(Person(number, "Ada Novak", "Ada Novak")) for number in range(100)]
    assert [] in listed
    assert any("" in names for names in listed)
    assert any(len(set(names)) < len(names) for names in listed)
    assert any(not name or "novak" not in name.lower() for name in listed[50][-1:])


@pytest.mark.parametrize("path", ["/person/1", "/person/none", "/person/1/movie_credits"])
def test_unknown_people_are_not_found(get: Get, path: str) -> None:
    answer = get(path)
    assert (answer.status_code, answer.json()["status_code"]) == (404, 34)


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
    film = f"/movie/{rated_id(world)}"
    for path in (film, "/movie/1", "/movie/popular", "/nothing", f"{film}/credits/"):
        get(path)
    stats = tmdb_stand_in.stats()
    assert stats["requests"] == 5
    assert stats["by_status"] == {"200": 3, "404": 2}
    assert stats["by_kind"] == {
        "/movie/{id}": 2,
        "/movie/{id}/credits": 1,
        "/movie/popular": 1,
        "other": 1,
    }
    assert 1 <= stats["peak_per_second"] <= 5
