"""Test that public TMDB client libraries work with the TMDB stand-in (a local imitation of TMDB).

Each library is tested with every route that both the library and the TMDB stand-in have."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests
import tmdbsimple
import tmdbv3api
from requests.adapters import HTTPAdapter

from sandbox.tmdb import parts
from sandbox.tmdb.films import Film
from sandbox.tmdb.process import RunningStandIn
from sandbox.tmdb.world import World
from tests.sandbox.tmdb.conftest import KEY

if TYPE_CHECKING:
    from themoviedb.tmdb import TMDb

TMDB = "https://api.themoviedb.org"


class ToStandIn(HTTPAdapter):
    """Sends requests that are meant for TMDB to the TMDB stand-in instead."""

    def __init__(self, stand_in: RunningStandIn) -> None:
        super().__init__()
        self.stand_in = stand_in

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        """Send a request to the TMDB stand-in; the client library does not see its address."""
        assert request.url is not None
        wanted = urlsplit(request.url)
        request.url = f"{self.stand_in.control_url}{wanted.path}?{wanted.query}"
        return super().send(request, *args, **options)


@pytest.fixture(scope="module")
def film(world: World) -> Film:
    """Return the film with the most votes; it has all facts that the client libraries request."""
    return world.film(int(np.argmax(world.columns.vote_count)))


@pytest.fixture
def session(tmdb_stand_in: RunningStandIn) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.mount(TMDB, ToStandIn(tmdb_stand_in))
        yield session


@pytest.fixture
def simple(monkeypatch: pytest.MonkeyPatch, session: requests.Session) -> Any:
    monkeypatch.setattr(tmdbsimple, "API_KEY", KEY)
    monkeypatch.setattr(tmdbsimple, "REQUESTS_SESSION", session)
    return tmdbsimple


@pytest.fixture
def v3api(monkeypatch: pytest.MonkeyPatch, session: requests.Session) -> Any:
    # This client keeps its settings and the newest page number in the environment.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setattr(tmdbv3api.TMDb, "_session", session)
    settings = tmdbv3api.TMDb()
    settings.api_key, settings.cache = KEY, False
    return tmdbv3api


@pytest.fixture
def typed(session: requests.Session) -> "TMDb":
    # With every request, it sends the language en-US and the region US.
    from themoviedb.tmdb import TMDb  # a slow import, so only here

    client = TMDb(api_key=KEY, language="en-US", region="US")
    client.session = session
    return client


def test_tmdbsimple_reads_lists_searches_and_configuration(simple: Any, film: Film) -> None:
    movies, search = simple.Movies(), simple.Search()
    for page in (movies.popular, movies.top_rated, movies.now_playing, movies.upcoming):
        assert page(region="US")["results"]
    found = simple.Discover().movie(with_release_type="3", region="US", include_adult=False)
    assert found["total_results"] > 20
    assert simple.Changes().movie(start_date="2026-11-20", end_date="2026-11-22")["results"]
    assert film.id in [each["id"] for each in search.movie(query=film.title)["results"]]
    assert search.person(query=film.cast[0].name)["results"][0]["known_for"]
    assert len(simple.Genres().movie_list()["genres"]) == 19
    assert simple.Configuration().info()["images"]["poster_sizes"]
    assert len(simple.Configuration().languages()) > 150


def test_tmdbsimple_reads_films_and_people(simple: Any, film: Film) -> None:
    for film_id in (film.id, film.imdb_id):
        movie = simple.Movies(film_id)
        assert movie.info(append_to_response=",".join(parts.PARTS))["title"] == film.title
        assert movie.title == film.title
        for part in parts.PARTS:
            assert getattr(movie, part)()["id"] == film.id
    person = simple.People(film.cast[0].id)
    assert person.info()["name"] == film.cast[0].name
    assert person.movie_credits()["cast"]
    assert person.images()["profiles"] == []
    assert person.external_ids()["imdb_id"] is None


def test_tmdbsimple_takes_an_access_token_too(
    simple: Any, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simple, "API_KEY", "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJmYWtlIn0.c2lnbmF0dXJl")
    monkeypatch.setattr(simple, "USE_BEARER_AUTH", True)
    assert simple.Movies(film.id).info()["id"] == film.id


def test_tmdbv3api_reads_lists_searches_and_configuration(v3api: Any, film: Film) -> None:
    movie, search = v3api.Movie(), v3api.Search()
    for page in (movie.popular, movie.top_rated, movie.now_playing, movie.upcoming):
        assert page(region="US")[0].title
    assert v3api.TMDb().total_pages
    assert len(v3api.Discover().discover_movies({"primary_release_year": 2019})) == 20
    assert v3api.Change().movie_change_list()[0].adult is False
    assert film.id in [each.id for each in search.movies(film.title, region="US")]
    assert search.people(film.cast[0].name)[0].known_for
    assert v3api.Genre().movie_list()[0].name == "Action"
    assert v3api.Configuration().api_configuration().images.base_url
    assert v3api.Configuration().languages()[0].iso_639_1


def test_tmdbv3api_reads_films_and_people(v3api: Any, film: Film) -> None:
    movie = v3api.Movie()
    whole = movie.details(film.id)
    assert (whole.title, whole.keywords.keywords[0].name) == (film.title, film.keywords[0].name)
    for part in parts.PARTS:
        assert getattr(movie, part)(film.id).id == film.id
    assert movie.credits(film.id).cast[0].name == film.cast[0].name
    person = v3api.Person()
    assert person.details(film.cast[0].id).name == film.cast[0].name
    assert person.movie_credits(film.cast[0].id).cast
    with pytest.raises(v3api.exceptions.TMDbException, match="could not be found"):
        movie.details(1)


def test_themoviedb_reads_lists_and_searches(typed: "TMDb", film: Film) -> None:
    movies, search = typed.movies(), typed.search()
    for page in (movies.popular(), movies.top_rated(), movies.now_playing(), movies.upcoming()):
        assert page[0].release_date.year >= 2005
    found = typed.discover().movie(with_release_type=3, primary_release_year=2019)
    assert {each.year for each in found} == {2019}
    assert film.id in [each.id for each in search.movies(film.title)]
    assert search.people(film.cast[0].name)[0].known_for[0].title
    assert len(typed.genres().movie().genres or ()) == 19


def test_themoviedb_reads_films_and_people(typed: "TMDb", film: Film) -> None:
    movie = typed.movie(film.id)
    whole = movie.details(append_to_response=",".join(parts.PARTS))
    assert (whole.title, whole.release_date, whole.runtime) == (
        film.title,
        film.released,
        film.runtime,
    )
    for part in parts.PARTS:
        assert getattr(whole, part) is not None
        assert getattr(movie, part)().id == film.id
    assert whole.release_dates is not None
    assert whole.release_dates[0].release_dates[0].release_date.date()
    person = typed.person(film.cast[0].id)
    assert person.details().name == film.cast[0].name
    assert person.movie_credits().cast
    assert person.external_ids().imdb_id is None
    assert person.images().profiles == []
