import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import Settings
from tests.app.conftest import FILM, TRANSLATIONS, serving
from tests.support.bundles import Packed, put_into_production

OLD: dict[str, Any] = {
    "runtime": 112,
    "genre_encoded": 0,
    "lang_encoded": 0,
    "sentiment": 0.0,
    "overview_len": 0,
}


def predicted(client: TestClient, **facts: Any) -> dict[str, Any]:
    response = client.post("/predict", json=facts)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_forecast_says_what_it_rests_on(client: TestClient, learned: Packed):
    answer = predicted(client, **FILM)
    manifest = learned.manifest
    interval = answer["interval"]
    assert 0 < interval["low"] < answer["rating"] < interval["high"] < 10
    assert interval["high"] - interval["low"] == pytest.approx(
        manifest.interval80.width, abs=0.7 * manifest.interval80.width
    )
    assert interval["coverage"] == 0.8
    assert answer["average"] == pytest.approx(manifest.average_rating, abs=0.005)
    assert answer["mood"]["label"] == "positive"
    assert (answer["translated"], answer["missing"], answer["ignored"]) == (False, [], [])
    assert answer["version"] == manifest.version


def test_forecast_that_is_not_to_be_explained_is_the_same_without_reasons_and_comparables(
    client: TestClient,
):
    whole = predicted(client, **FILM)
    response = client.post("/predict", params={"explain": False}, json=FILM)
    assert whole["reasons"]
    assert whole["comparables"]
    assert response.json() == whole | {"reasons": [], "comparables": []}


def test_schema_says_what_explain_leaves_out(client: TestClient):
    (explain,) = client.get("/openapi.json").json()["paths"]["/predict"]["post"]["parameters"]
    assert (explain["name"], explain["in"], explain["required"]) == ("explain", "query", False)
    assert explain["schema"]["default"] is True
    assert "`reasons` and `comparables`" in explain["description"]


@pytest.mark.parametrize("fact", FILM)
def test_fact_that_is_left_out_is_named_as_missing(client: TestClient, fact: str):
    facts = {name: value for name, value in FILM.items() if name != fact}
    assert predicted(client, **facts)["missing"] == [fact]


@pytest.mark.parametrize(
    "fact",
    ["title", "overview", "language", "runtime", "release_date", "budget", "collection"],
)
def test_null_is_as_good_as_left_out(client: TestClient, fact: str):
    without = {name: value for name, value in FILM.items() if name != fact}
    assert predicted(client, **without, **{fact: None}) == predicted(client, **without)


def test_blank_plot_is_no_plot(client: TestClient):
    blank = predicted(client, **FILM | {"overview": " \n"})
    assert (blank["mood"], blank["missing"], blank["ignored"]) == (None, ["overview"], [])


@pytest.mark.parametrize(
    ("change", "ignored"),
    [
        ({"genres": ["Drama", "Puppetry"]}, {"genres": "'Puppetry' is no genre"}),
        ({"language": "qq"}, {"language": "no training film is in language 'qq'"}),
        ({"tagline": "It shines."}, {"tagline": "does not use it"}),
        ({"director": "Someone"}, {"director": "does not use it"}),
        (
            {"genres": ["Drama", "A", "B"], "popularity": 3.5},
            {"genres": "is no genre", "popularity": "does not use it"},
        ),
    ],
)
def test_what_does_not_enter_the_forecast_is_named_and_changes_nothing(
    client: TestClient, change: dict[str, Any], ignored: dict[str, str]
):
    answer = predicted(client, **FILM | change)
    told = {each["field"]: each["reason"] for each in answer["ignored"]}
    assert told.keys() == ignored.keys()
    assert all(ignored[field] in reason for field, reason in told.items())
    unknown = {"language": None} if "language" in change else {}
    assert answer["rating"] == predicted(client, **FILM | unknown)["rating"]


def test_genre_that_is_unknown_altogether_counts_as_none(client: TestClient):
    answer = predicted(client, **FILM | {"genres": ["Puppetry"]})
    none = predicted(client, **FILM | {"genres": []})
    assert answer["rating"] == none["rating"]
    assert none["missing"] == ["genres"]


@pytest.mark.parametrize(
    ("overview", "label"),
    [
        ("A wonderful, happy, excellent day.", "positive"),
        ("A terrible, horrible, bad day.", "negative"),
        ("They take the train on a day.", "neutral"),
    ],
)
def test_mood_of_the_plot_has_one_of_three_labels(client: TestClient, overview: str, label: str):
    mood = predicted(client, overview=overview)["mood"]
    assert mood["label"] == label
    cut = "neutral" if abs(mood["score"]) <= 0.1 else "clear"
    assert (label == "neutral") == (cut == "neutral")


def test_plot_in_another_script_is_translated_and_rated_as_its_translation(client: TestClient):
    ((korean, english),) = TRANSLATIONS.items()
    translated = predicted(client, **FILM | {"overview": korean})
    in_english = predicted(client, **FILM | {"overview": english})
    assert translated == in_english | {"translated": True}
    assert translated["mood"]["score"] > 0


def test_korean_plot_that_cannot_be_translated_is_read_as_it_is(client: TestClient):
    answer = predicted(client, **FILM | {"overview": "아무도 번역하지 못하는 줄거리"})
    assert (answer["read_in_korean"], answer["translated"], answer["mood"]) == (True, False, None)
    assert answer["ignored"] == []


def test_failed_translation_is_told_and_the_plot_unknown(client: TestClient):
    answer = predicted(client, **FILM | {"overview": "誰も訳せないあらすじ"})
    without = predicted(client, **FILM | {"overview": None})
    assert answer["rating"] == without["rating"]
    assert (answer["mood"], answer["translated"], answer["missing"]) == (None, False, [])
    assert [each["field"] for each in answer["ignored"]] == ["overview"]


def test_failed_translation_is_enough_to_ask_for_a_forecast(client: TestClient):
    answer = predicted(client, overview="아무도 번역하지 못하는 줄거리")
    assert answer["mood"] is None


@pytest.mark.parametrize("genre", [-1, 0, 3])
@pytest.mark.parametrize("language", [-1, 0, 1])
def test_old_contract_is_answered_by_the_same_model(
    client: TestClient, learned: Packed, genre: int, language: int
):
    codes = learned.load().codes
    old = client.get("/predict", params=OLD | {"genre_encoded": genre, "lang_encoded": language})
    facts: dict[str, Any] = {
        "runtime": OLD["runtime"],
        "genres": [codes.genres.name(genre) or "unknown"],
        "language": codes.languages.name(language),
    }
    assert old.json() == {"predicted_rating": predicted(client, **facts)["rating"]}


def test_old_contract_knows_the_plot_by_its_two_numbers(client: TestClient):
    def rated(**plot: Any) -> float:
        rating: float = client.get("/predict", params=OLD | plot).json()["predicted_rating"]
        return rating

    assert rated(overview_len=200, sentiment=0.8) > rated(overview_len=200, sentiment=-0.8)
    assert rated(overview_len=0, sentiment=0.8) == rated(overview_len=0, sentiment=-0.8)


def test_options_list_every_code_with_its_name(client: TestClient, learned: Packed):
    answer, codes = client.get("/options").json(), learned.load().codes
    assert answer["version"] == learned.manifest.version
    assert [each["code"] for each in answer["genres"]] == list(range(len(codes.genres.names)))
    assert [each["name"] for each in answer["genres"]] == list(codes.genres.names)
    languages = {each["language"]: (each["code"], each["name"]) for each in answer["languages"]}
    assert languages["ko"] == (codes.languages.code("ko"), "Korean")
    assert languages["xx"][1] == "No linguistic content"
    assert list(languages) == list(codes.languages.names)


def test_options_can_be_sent_back(client: TestClient):
    options = client.get("/options").json()
    genres = [each["name"] for each in options["genres"]]
    for each in options["languages"]:
        answer = predicted(client, genres=genres, language=each["language"])
        assert answer["ignored"] == []


def test_process_that_is_alive_and_ready_says_so(client: TestClient, learned: Packed):
    assert client.get("/livez").json() == {"status": "alive", "version": None}
    assert client.get("/readyz").json() == {"status": "ready", "version": learned.manifest.version}


def test_version_tells_where_the_model_comes_from(client: TestClient, learned: Packed):
    told = client.get("/version").json()
    manifest = learned.manifest
    assert told["version"] == manifest.version
    assert told["run_date"] == "2026-11-23"
    assert told["reason"] == learned.pointer().reason
    assert (told["loaded_from"], told["registry_problem"]) == ("registry", None)
    assert told["model_type"] == manifest.model_type
    assert told["metrics"]["holdout"]["rmse"] == manifest.metrics["holdout"].rmse
    assert told["baselines"].keys() == {"mean", "recent_mean", "genre_mean", "old_model"}
    assert told["split"]["split_date"] == manifest.split.split_date.isoformat()
    assert told["features"] == len(manifest.features)
    assert told["wandb_run"] == manifest.wandb_run
    assert (told["commit"], told["libraries"]) == (manifest.commit, manifest.libraries)
    assert told["data"] == manifest.data.model_dump()
    assert datetime.fromisoformat(told["created_at"]) == manifest.created_at
    pointer = learned.pointer()
    assert datetime.fromisoformat(told["since"]) == pointer.at
    assert (told["by"], told["previous"]) == (pointer.by, pointer.previous)
    assert manifest.created_at < datetime.fromisoformat(told["loaded_at"])
    assert told["cache_problem"] is None


def in_batch(client: TestClient, *films: Any) -> list[dict[str, Any]]:
    response = client.post("/v1/predict/batch", json={"films": films})
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def test_batch_answers_as_each_film_by_itself(client: TestClient, learned: Packed):
    (korean, _) = next(iter(TRANSLATIONS.items()))
    films = [FILM, {"genres": ["Horror"], "tagline": "odd"}, {"overview": korean}]
    response = client.post("/v1/predict/batch", json={"films": films}).json()
    assert response["version"] == learned.manifest.version
    alone = [client.post("/v1/predict", json=film).json() for film in films]
    assert [row["forecast"] for row in response["results"]] == alone
    assert [row["problem"] for row in response["results"]] == [None] * 3


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"title": "A title alone"},
        {"genres": ["Drama"], "runtime": "planted-input"},
        {"genres": ["Drama"], "runtime": -1, "budget": -1},
        {"genres": ["Drama"] * 21},
        {"genres": ["Drama"], "release_date": 5},
    ],
)
def test_bad_film_has_the_same_problem_in_a_batch_and_sinks_no_other(
    client: TestClient, bad: dict[str, Any]
):
    good, row, last = in_batch(client, FILM, bad, FILM)
    assert good == last
    assert good["forecast"]["rating"] > 0
    assert row["forecast"] is None
    assert row["problem"] == client.post("/v1/predict", json=bad).json()
    assert "planted-input" not in str(row)


@pytest.mark.parametrize("row", [None, 5, "planted-input", [], [FILM], True])
def test_row_that_is_no_film_is_told_in_its_place(client: TestClient, row: Any):
    bad, good = in_batch(client, row, FILM)
    assert bad["problem"]["status"] == 422
    assert "planted-input" not in str(bad)
    assert good["forecast"]


@pytest.mark.parametrize("films", [[], [FILM] * 101, None, {}, "films"])
def test_batch_that_is_empty_too_long_or_no_list_is_refused_whole(client: TestClient, films: Any):
    response = client.post("/v1/predict/batch", json={"films": films})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "films"


def test_batch_of_a_hundred_films_is_answered(client: TestClient):
    assert len(in_batch(client, *[FILM] * 100)) == 100


def test_batch_waits_for_its_translations_together(
    bucket_settings: Settings, learned: Packed, tmp_path: Path
):
    put_into_production(Registry(open_bucket(bucket_settings)), learned)
    together = threading.Barrier(4)  # as many as the translator asks at once

    def translate(_: str) -> str:
        together.wait(60)
        return "A happy day."

    with serving(bucket_settings, tmp_path, translate, timeout_seconds=60) as (client, _):
        rows = in_batch(client, *({"overview": f"행복한 하루 {number}"} for number in range(4)))
    assert all(row["forecast"]["translated"] for row in rows)


def test_options_may_be_kept_a_minute_and_forecasts_not(client: TestClient):
    assert client.get("/v1/options").headers["cache-control"] == "private, max-age=60"
    assert client.get("/v1/predict", params=OLD).headers["cache-control"] == "no-store"
