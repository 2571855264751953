from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from movierating.catalogue.publication import Catalogues
from movierating.films.source import invented_films
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from sandbox.s3.process import S3Server
from tests.app.conftest import serving
from tests.app.test_paging import pages_of
from tests.support.bundles import RUN_DATE, Packed, put_into_production
from tests.support.catalogues import VOTES_TO_SCORE, catalogue_file, films
from tests.support.films import moment
from tests.support.forecasts import VERSION_ERRORS, forecast, stated

# The ids of the training films of `packed` are small.
NO_TRAINING_FILM = {
    "id": 900_000,
    "title": "Harbour",
    "original_title": "Harbour",
    "vote_count": 20,
}

# The measured model has not learned from this film, and the one in service has.
REFIT_FILM = {"id": 350, "title": "Quay", "original_title": "Quay", "vote_count": 20}


@contextmanager
def serving_films(
    server: S3Server, packed: Packed, folder: Path, path: Path | None
) -> Iterator[TestClient]:
    """Run the API with a model, and with a catalogue if there is one, on the catalogue's day."""
    settings = server.settings(server.new_bucket())
    put_into_production(Registry(open_bucket(settings)), packed)
    if path:
        Catalogues(open_bucket(settings)).publish(path, moment())
    with serving(settings, folder / "cache") as (client, _):
        yield client


@pytest.fixture(scope="module")
def client(
    s3_server: S3Server, packed: Packed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("films")
    made = [
        forecast(1, RUN_DATE - timedelta(1), rating=6.444, low=5.5, high=7.4),
        forecast(1, rating=6.5, distribution=stated(6.5, 0.5)),
    ]
    stored = [*films(), NO_TRAINING_FILM, REFIT_FILM]
    path = catalogue_file(folder, stored, made, errors=VERSION_ERRORS)
    with serving_films(s3_server, packed, folder, path) as client:
        yield client


def get(client: TestClient, path: str, **query: Any) -> Any:
    response = client.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


def listed(client: TestClient, **query: Any) -> list[int]:
    return [film["id"] for film in get(client, "/v1/films", **query)["films"]]


def test_film_is_found_by_a_part_of_any_title(client: TestClient):
    assert listed(client, q="lantern returns") == [1]
    assert listed(client, q="등불") == [3, 1]
    assert listed(client, q="lantern", status="released") == [4, 3]
    assert listed(client, q="등불", status="upcoming") == [1]


def test_list_shows_titles_date_rating_and_votes(client: TestClient):
    (film,) = get(client, "/v1/films", q="등불", status="released")["films"]
    assert film == {
        "id": 3,
        "title": "The Lantern",
        "original_title": "등불",
        "korean_title": "등불",
        "release_date": "2026-10-01",
        "status": "released",
        "rating": 7.25,
        "votes": 60,
        "poster": None,
    }


def test_pages_together_have_each_film_once(client: TestClient):
    assert pages_of(client, "/v1/films?limit=2") == [2, 2, 2, 1]
    pages = [listed(client, limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert [film for page in pages for film in page] == listed(client)


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("zzzzzz", "no film has such a title; send a shorter part of it, or the original title"),
        ("🍿🎬", "the text has no letter and no digit; send a part of a title"),
    ],
)
def test_empty_result_says_what_to_change(client: TestClient, text: str, notice: str):
    answer = get(client, "/v1/films", q=text)
    assert (answer["films"], answer["next"], answer["notice"]) == ([], None, notice)


def test_film_shows_facts_forecasts_and_votes_needed(client: TestClient):
    film = get(client, "/v1/films/1", at_least=6.25)
    assert film["facts"]["title"] == "The Lantern Returns"
    assert film["facts"]["genres"] == ["Crime", "Drama"]
    old, new = film["forecasts"]
    assert old == {
        "day": (RUN_DATE - timedelta(1)).isoformat(),
        "rating": 6.44,
        "interval": {"low": 5.5, "high": 7.4, "coverage": 0.8},
        "quantiles": None,
        "at_least": None,
        "version": "2026-11-23-0123456789ab",
    }
    assert new["quantiles"][0] == {"level": 0.05, "rating": 5.6}
    assert [(each["rating"], each["probability"]) for each in new["at_least"]] == [
        (6, 0.75),
        (6.25, 0.625),
        (7, 0.25),
        (8, 0),
    ]
    assert (film["status"], film["rating"], film["votes"]) == ("upcoming", None, 0)
    assert film["votes_needed"] == VOTES_TO_SCORE
    assert film["tmdb_url"] == "https://www.themoviedb.org/movie/1"
    assert (film["notice"], film["origin"]) == (None, "catalogue")


def test_film_says_whether_it_taught_the_model(client: TestClient):
    assert get(client, "/v1/films/4")["is_training_film"] is True
    assert get(client, f"/v1/films/{REFIT_FILM['id']}")["is_training_film"] is True
    assert get(client, f"/v1/films/{NO_TRAINING_FILM['id']}")["is_training_film"] is False
    assert get(client, "/v1/films/4")["votes_needed"] == 0


@pytest.mark.parametrize(
    ("film_id", "status", "detail"),
    [
        ("404", 404, "the film catalogue has no film 404; it has all films to come"),
        ("404", 404, "does not fetch other films from TMDB, because it has no TMDB_API_KEY"),
        ("0", 422, "film_id"),
        ("lantern", 422, "film_id"),
        ("9" * 30, 422, "1000000000000 or less"),
    ],
)
def test_unknown_id_is_explained(client: TestClient, film_id: str, status: int, detail: str):
    response = client.get(f"/v1/films/{film_id}")
    assert response.status_code == status
    assert detail in response.text


def test_title_of_hundreds_of_films_gives_pages(
    s3_server: S3Server, packed: Packed, tmp_path: Path
):
    same = [{"id": number, "vote_count": 10 + number} for number in range(1, 401)]
    path = catalogue_file(tmp_path, same)
    with serving_films(s3_server, packed, tmp_path, path) as client:
        answer = get(client, "/v1/films", q="the lantern", limit=3)
    assert [film["id"] for film in answer["films"]] == [400, 399, 398]
    assert "offset=3" in answer["next"]


def test_missing_and_empty_catalogue_are_explained(
    s3_server: S3Server, packed: Packed, tmp_path: Path
):
    with serving_films(s3_server, packed, tmp_path / "none", None) as client:
        response = client.get("/v1/films")
    assert response.status_code == 503
    assert "there is no film catalogue yet" in response.json()["detail"]
    path = catalogue_file(tmp_path, [])
    with serving_films(s3_server, packed, tmp_path / "empty", path) as client:
        assert "the film catalogue is empty" in get(client, "/v1/films")["notice"]


def test_catalogue_of_another_source_than_the_models_is_said(
    s3_server: S3Server, packed: Packed, tmp_path: Path
):
    path = catalogue_file(tmp_path, source=invented_films("1a2b"))
    with serving_films(s3_server, packed, tmp_path, path) as client:
        film = get(client, "/v1/films/3")
    assert film["notice"] == (
        "the catalogue has invented films (invented-films@1a2b), "
        "but the model learned from TMDB's films (api.themoviedb.org)"
    )
    assert film["tmdb_url"] is None
    assert film["is_training_film"] is False  # the model has learned from another film 3
