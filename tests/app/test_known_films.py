from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.field_errors import CODES
from app.film_facts import FACT_NAMES
from movierating.films.source import invented_films
from sandbox.s3.process import S3Server
from tests.app.routes.test_films import serving_films
from tests.support.bundles import RUN_DATE, Packed
from tests.support.catalogues import catalogue_file, films
from tests.support.films import unreleased_film

CREDITS = {
    "cast": [{"name": "Jo Lindqvist", "order": 0}],
    "crew": [{"name": "Ada Novak", "job": "Director", "department": "Directing"}],
}
# The ids of the training films of `packed` are small.
NO_TRAINING_FILM = 900_000
HARBOUR = {"id": NO_TRAINING_FILM, "title": "Harbour", "vote_count": 20, "credits": CREDITS}
# TMDB's code `cn` is Cantonese, and never the country China.
CANTONESE = {"id": 900_001, "original_language": "cn", "vote_count": 20}
BARE = {"id": 900_002, "overview": "", "genres": [], "vote_count": 20}
UPCOMING = unreleased_film(900_004, title="The Lantern Returns")
LONG = {"id": 900_003, "title": "T" * 501, "vote_count": 20}


@pytest.fixture(scope="module")
def client(
    s3_server: S3Server, packed: Packed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("known")
    stored = [*films(), HARBOUR, CANTONESE, BARE, LONG, UPCOMING]
    with serving_films(s3_server, packed, folder, catalogue_file(folder, stored)) as client:
        yield client


def forecast_of(client: TestClient, **body: Any) -> dict[str, Any]:
    response = client.post("/v1/predict", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def facts_of(client: TestClient, film_id: int) -> dict[str, Any]:
    facts: dict[str, Any] = client.get(f"/v1/films/{film_id}").json()["facts"]
    return facts


def comparable(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in {"film", "comparables"}}


def test_film_of_the_catalogue_is_forecast_from_its_facts(client: TestClient):
    facts = facts_of(client, UPCOMING["id"])
    by_id = forecast_of(client, tmdb_id=UPCOMING["id"])
    assert comparable(by_id) == comparable(forecast_of(client, **facts))
    assert by_id["film"] == {
        "id": UPCOMING["id"],
        "title": "The Lantern Returns",
        "release_date": facts["release_date"],
        "status": "upcoming",
        "origin": "catalogue",
        "as_of": RUN_DATE.isoformat(),
        "taken": [name for name in FACT_NAMES if name in facts],
        "overridden": [],
        "removed": [],
        "is_training_film": False,
        "notice": None,
    }


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ({"runtime": 61}, "runtime"),
        ({"genres": ["Horror"]}, "genres"),
        ({"genre_ids": [27]}, "genres"),
        ({"original_language": "fr"}, "language"),
        ({"directors": ["Nobody Yet"]}, "directors"),
    ],
)
def test_fact_that_is_sent_overrides_that_of_the_catalogue(
    client: TestClient, sent: dict[str, Any], name: str
):
    facts = facts_of(client, NO_TRAINING_FILM)
    changed = forecast_of(client, tmdb_id=NO_TRAINING_FILM, **sent)
    own = sent if name in sent else {name: {"genres": ["Horror"], "language": "fr"}[name]}
    expected = forecast_of(client, **facts | own)
    assert (changed["rating"], changed["reasons"]) == (expected["rating"], expected["reasons"])
    assert changed["film"]["overridden"] == [name]
    taken = facts.keys() - {name}
    assert changed["film"]["taken"] == [each for each in FACT_NAMES if each in taken]


@pytest.mark.parametrize(
    "sent",
    [
        {"overview": None},
        {"overview": "  "},
        {"runtime": 0},
        {"directors": []},
        {"release_date": ""},
        {"original_language": None},
        {"credits": {"crew": []}},
    ],
)
def test_blank_takes_a_fact_of_the_catalogue_away(client: TestClient, sent: dict[str, Any]):
    (field,) = sent
    name = {"original_language": "language", "credits": "directors"}.get(field, field)
    answer = forecast_of(client, tmdb_id=NO_TRAINING_FILM, **sent)
    assert answer["film"]["removed"] == [name]
    assert name in answer["missing"]
    facts = facts_of(client, NO_TRAINING_FILM)
    without = {each: value for each, value in facts.items() if each != name}
    assert comparable(answer) == comparable(forecast_of(client, **without))


def test_fact_that_the_catalogue_lacks_can_be_added(client: TestClient):
    answer = forecast_of(client, tmdb_id=1, collection="The Lanterns")
    assert "collection" not in answer["missing"]
    film = answer["film"]
    assert "collection" not in {*film["taken"], *film["overridden"], *film["removed"]}


def test_film_of_which_the_model_has_learned_is_named_and_not_compared_with_itself(
    client: TestClient,
):
    answer = forecast_of(client, tmdb_id=3)
    assert answer["film"]["is_training_film"] is True
    assert answer["film"]["notice"].startswith("the model in service has learned from this film")
    assert 3 not in [each["id"] for each in answer["comparables"]]
    other = forecast_of(client, tmdb_id=NO_TRAINING_FILM)["film"]
    assert (other["is_training_film"], other["notice"]) == (False, None)
    assert other["status"] == "released"


def test_languages_of_the_catalogue_are_read_as_tmdbs(client: TestClient):
    answer = forecast_of(client, tmdb_id=CANTONESE["id"])
    assert ("language", ["cn"]) in [(each["field"], each["values"]) for each in answer["ignored"]]


def test_value_of_the_catalogue_that_the_api_refuses_is_left_out_and_named(client: TestClient):
    answer = forecast_of(client, tmdb_id=LONG["id"])
    assert "title" in answer["missing"]
    assert "title" in [each["field"] for each in answer["ignored"]]
    own = forecast_of(client, tmdb_id=LONG["id"], title="Short")
    assert "title" not in [each["field"] for each in own["ignored"]]


def test_film_as_tmdb_sends_it_is_not_looked_up(client: TestClient):
    sent = {"id": 1, "title": "Another", "genres": [{"id": 27, "name": "Horror"}]}
    answer = forecast_of(client, **sent)
    assert answer["film"] is None
    assert "overview" in answer["missing"]
    (note,) = (each for each in answer["ignored"] if each["field"] == "id")
    assert "send it as tmdb_id" in note["reason"]


@pytest.mark.parametrize(
    ("body", "field", "code", "sentence"),
    [
        ({"tmdb_id": 404}, "tmdb_id", "unknown_film", "the film catalogue has no film 404; it has"),
        ({"tmdb_id": 404}, "tmdb_id", "unknown_film", "no TMDB_API_KEY; send the facts"),
        ({"tmdb_id": -1}, "tmdb_id", "too_small", "no film has such an id; send TMDB's id"),
        ({"tmdb_id": 0}, "tmdb_id", "too_small", "no film has such an id"),
        ({"tmdb_id": 10**30}, "tmdb_id", "too_large", "no film has such an id"),
        ({"tmdb_id": "1"}, "tmdb_id", "wrong_type", "this is a text; send TMDB's id of a film"),
        ({"tmdb_id": "The Lantern"}, "tmdb_id", "wrong_type", "this is a text"),
        ({"tmdb_id": True}, "tmdb_id", "wrong_type", "this is true or false"),
        ({"tmdb_id": [1]}, "tmdb_id", "wrong_type", "this is a list"),
        ({"tmdb_id": 1.5}, "tmdb_id", "not_a_whole_number", "this is no whole number"),
        ({"tmdb_id": None}, "body", "plot_or_genre_missing", "or a film's id (tmdb_id)"),
        ({"id": 1}, "body", "plot_or_genre_missing", "or a film's id (tmdb_id)"),
        (
            {"tmdb_id": 1, "overview": None, "genres": []},
            "body",
            "plot_or_genre_missing",
            "neither a plot nor a genre of this film",
        ),
        ({"tmdb_id": 900_002}, "body", "plot_or_genre_missing", "the catalogue and the request"),
        ({"tmdb_id": 1, "runtime": -1}, "runtime", "too_small", "not above 0"),
    ],
)
def test_film_that_cannot_be_taken_is_refused_with_a_sentence(
    client: TestClient, body: dict[str, Any], field: str, code: str, sentence: str
):
    response = client.post("/v1/predict", json=body)
    assert response.status_code == 422
    problem = response.json()
    (error,) = problem["errors"]
    assert (error["field"], error["code"]) == (field, code)
    assert sentence in error["message"]
    assert code in CODES
    batch = client.post("/v1/predict/batch", json={"films": [body, {"tmdb_id": 1}]}).json()
    refused, taken = batch["results"]
    assert refused["problem"] == problem
    assert taken["forecast"]["film"]["id"] == 1


def test_film_of_a_batch_can_be_changed(client: TestClient):
    bodies: list[dict[str, Any]] = [
        {"tmdb_id": 1},
        {"tmdb_id": 1, "overview": None},
        {"tmdb_id": 1, "runtime": 61},
    ]
    response = client.post("/v1/predict/batch", json={"films": bodies})
    rows = [each["forecast"] for each in response.json()["results"]]
    assert rows == [forecast_of(client, **body) for body in bodies]


def test_explain_false_takes_the_catalogues_facts_too(client: TestClient):
    whole = forecast_of(client, tmdb_id=1, overview=None)
    quick = client.post(
        "/v1/predict", params={"explain": False}, json={"tmdb_id": 1, "overview": None}
    )
    assert quick.json() == whole | {"reasons": [], "comparables": []}


def test_forecast_without_a_catalogue_is_refused_and_others_are_made(
    s3_server: S3Server, packed: Packed, tmp_path: Path
):
    with serving_films(s3_server, packed, tmp_path, None) as client:
        response = client.post("/v1/predict", json={"tmdb_id": 1})
        body = {"films": [{"tmdb_id": 1}, {"genres": ["Drama"]}]}
        first, second = client.post("/v1/predict/batch", json=body).json()["results"]
    assert (response.status_code, response.json()["type"]) == (503, "/problems/not-ready")
    assert "there is no film catalogue yet" in response.json()["detail"]
    assert first["problem"] == response.json()
    assert second["forecast"]


def test_catalogue_of_another_source_than_the_models_is_refused(
    s3_server: S3Server, packed: Packed, tmp_path: Path
):
    path = catalogue_file(tmp_path, source=invented_films("1a2b"))
    with serving_films(s3_server, packed, tmp_path, path) as client:
        response = client.post("/v1/predict", json={"tmdb_id": 1, "genres": ["Drama"]})
        page = client.get(response.json()["type"])
    assert (response.status_code, response.json()["type"]) == (409, "/problems/other-films")
    assert response.json()["detail"] == (
        "the catalogue has invented films (invented-films@1a2b), but the model learned from "
        "TMDB's films (api.themoviedb.org); send the facts without tmdb_id"
    )
    assert page.status_code == 200


def test_damaged_catalogue_is_explained(s3_server: S3Server, packed: Packed, tmp_path: Path):
    path = catalogue_file(tmp_path)
    with serving_films(s3_server, packed, tmp_path, path) as client:
        (copy,) = (tmp_path / "cache").glob("films-*.sqlite")
        copy.write_bytes(b"damaged" * 1_000)
        response = client.post("/v1/predict", json={"tmdb_id": 1})
    assert response.status_code == 503
    assert response.json()["detail"] == "the film catalogue is damaged; publish it again"
