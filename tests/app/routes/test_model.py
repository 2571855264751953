import pytest
from fastapi.testclient import TestClient

from tests.support.bundles import Packed


def test_ratings_of_a_genre_are_those_of_its_films(client: TestClient, learned: Packed):
    films = learned.load().similar_films.of_genre("Drama")
    answer = client.get("/ratings", params={"genre": "Drama"}).json()
    assert answer["films"] == sum(answer["counts"]) == len(films) > 0
    assert answer["mean"] == pytest.approx(sum(f.rating for f in films) / len(films), abs=0.006)
    highest = max(film.rating for film in films)
    last = max(at for at, count in enumerate(answer["counts"]) if count)
    begins = answer["lowest"] + last * answer["step"]
    assert begins <= highest <= begins + answer["step"]


def test_bins_reach_from_0_to_10(client: TestClient):
    answer = client.get("/ratings").json()
    assert answer["lowest"] + len(answer["counts"]) * answer["step"] == 10
    assert answer["genre"] is None


def test_ratings_of_all_films_are_more_than_those_of_a_genre(client: TestClient):
    everything = client.get("/ratings").json()["films"]
    assert everything > client.get("/ratings", params={"genre": "Drama"}).json()["films"]


def test_genre_that_nobody_knows_is_not_found(client: TestClient):
    assert client.get("/ratings", params={"genre": "Puppetry"}).status_code == 404


def test_evidence_of_the_run_is_told(client: TestClient, learned: Packed):
    told, evidence = client.get("/evidence").json(), learned.load().evidence
    assert evidence is not None
    assert told == evidence.model_dump(mode="json")
    assert {each["kind"] for each in told["slices"]} >= {"genre", "language"}
    assert (
        sum(each["films"] for each in told["calibration"]) == learned.manifest.split.holdout_films
    )


def test_card_of_the_run_is_told(client: TestClient):
    response = client.get("/card")
    assert response.headers["content-type"].startswith("text/markdown")
    assert response.text.startswith("# Model card")


@pytest.mark.parametrize("path", ["/evidence", "/card"])
def test_bundle_without_it_says_so(bare: TestClient, path: str):
    assert bare.get(path).status_code == 404
