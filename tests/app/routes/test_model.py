import pytest
from fastapi.testclient import TestClient

from tests.support.bundles import Packed
from ui.client import predictions
from ui.client.model import Evidence as PageEvidence


def test_ratings_count_the_films_of_the_genre(client: TestClient, learned: Packed):
    films = learned.load().similar_films.of_genre("Drama")
    answer = client.get("/ratings", params={"genre": "Drama"}).json()
    assert answer["films"] == sum(answer["counts"]) == len(films) > 0
    assert answer["mean"] == pytest.approx(sum(f.rating for f in films) / len(films), abs=0.006)
    highest = max(film.rating for film in films)
    last = max(at for at, count in enumerate(answer["counts"]) if count)
    begins = answer["lowest"] + last * answer["step"]
    assert begins <= highest <= begins + answer["step"]


def test_bins_of_ratings_cover_0_to_10(client: TestClient):
    answer = client.get("/ratings").json()
    assert answer["lowest"] + len(answer["counts"]) * answer["step"] == 10
    assert answer["genre"] is None


def test_ratings_without_a_genre_count_all_films(client: TestClient):
    everything = client.get("/ratings").json()["films"]
    assert everything > client.get("/ratings", params={"genre": "Drama"}).json()["films"]


@pytest.mark.parametrize("genre", ["drama", "드라마", "18"])
def test_genre_of_ratings_is_read_by_what_is_meant(client: TestClient, genre: str):
    usual = client.get("/ratings", params={"genre": "Drama"}).json()
    assert client.get("/ratings", params={"genre": genre}).json() == usual


def test_ratings_of_an_unknown_genre_give_404(client: TestClient):
    assert client.get("/ratings", params={"genre": "Puppetry"}).status_code == 404


def test_evidence_is_that_of_the_training_run(client: TestClient, learned: Packed):
    body, evidence = client.get("/evidence").json(), learned.load().evidence
    assert evidence is not None
    assert body == evidence.model_dump(mode="json")
    assert {each["kind"] for each in body["slices"]} >= {"genre", "language"}
    assert (
        sum(each["films"] for each in body["calibration"]) == learned.manifest.split.holdout_films
    )


def test_card_is_served_as_markdown(client: TestClient):
    response = client.get("/card")
    assert response.headers["content-type"].startswith("text/markdown")
    assert response.text.startswith("# Model card")


@pytest.mark.parametrize("path", ["/evidence", "/card"])
def test_bundle_without_evidence_and_card_gives_404(bare: TestClient, path: str):
    assert bare.get(path).status_code == 404


def test_page_reads_the_chances_of_its_thresholds_and_what_each_fact_is_worth(client: TestClient):
    asked = [rating for rating in predictions.THRESHOLDS if rating not in {6, 7, 8}]
    answer = client.post("/v1/predict", params={"at_least": asked}, json={"genres": ["Drama"]})
    chances = predictions.Forecast.parse(answer.json()).chances
    assert [rating for rating, _ in chances] == list(predictions.THRESHOLDS)
    assert [chance for _, chance in chances] == sorted((c for _, c in chances), reverse=True)
    evidence = PageEvidence.parse(client.get("/v1/evidence").json())
    assert {"runtime", "directors"} <= {each.field for each in evidence.narrowing}
    assert {each.kind for each in evidence.reliability} == {"genre", "language"}
