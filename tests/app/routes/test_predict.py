import threading
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from fastapi.testclient import TestClient

from app.forecasting import forecast
from movierating.films.film import name_of
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import Settings
from sandbox.tmdb.process import RunningStandIn
from tests.app.conftest import FILM, TRANSLATIONS, serving
from tests.app.test_forecasting import body_of
from tests.support.bundles import Packed, put_into_production
from tests.support.stand_in import TMDB_KEY

LEADS = [f"Lead {number}" for number in range(5)]
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


def chances_of(answer: dict[str, Any]) -> dict[float, float]:
    return {each["rating"]: each["probability"] for each in answer["at_least"]}


def test_forecast_has_interval_average_mood_and_version(client: TestClient, learned: Packed):
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
    assert (answer["translated"], answer["missing"], answer["read_as"]) == (False, [], [])
    assert answer["version"] == manifest.version


def test_explain_false_only_empties_reasons_and_comparables(
    client: TestClient,
):
    whole = predicted(client, **FILM)
    response = client.post("/predict", params={"explain": False}, json=FILM)
    assert whole["reasons"]
    assert whole["comparables"]
    assert response.json() == whole | {"reasons": [], "comparables": []}


@pytest.fixture(scope="module")
def parameters(client: TestClient) -> dict[str, Any]:
    """Return the query parameters of `POST /predict` in the OpenAPI documentation, by name."""
    listed = client.get("/openapi.json").json()["paths"]["/predict"]["post"]["parameters"]
    return {each["name"]: each for each in listed}


def test_openapi_says_what_explain_leaves_out(parameters: dict[str, Any]):
    explain = parameters["explain"]
    assert (explain["name"], explain["in"], explain["required"]) == ("explain", "query", False)
    assert explain["schema"]["default"] is True
    assert "`reasons` and `comparables`" in explain["description"]


def test_distribution_agrees_with_the_interval(client: TestClient):
    answer = predicted(client, **FILM)
    ratings = {each["level"]: each["rating"] for each in answer["quantiles"]}
    assert list(ratings) == [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]
    assert list(ratings.values()) == sorted(ratings.values())
    assert (ratings[0.1], ratings[0.9]) == (answer["interval"]["low"], answer["interval"]["high"])


def test_chances_of_6_7_and_8_or_more_are_always_stated(client: TestClient):
    chances = chances_of(predicted(client, **FILM))
    assert list(chances) == [6, 7, 8]
    assert 1 >= chances[6] > chances[7] > chances[8] >= 0


def test_chance_of_any_other_rating_is_stated_on_request(client: TestClient):
    plain = predicted(client, **FILM)
    median = plain["quantiles"][3]["rating"]
    asked = {"at_least": [median, 0, 10, 7, 6.5]}
    answer = client.post("/predict", params=asked, json=FILM).json()
    chances = chances_of(answer)
    assert list(chances) == sorted({0, 6, 6.5, 7, 8, 10, median})
    assert chances[0] == 1
    assert chances[median] == pytest.approx(0.5, abs=0.02)
    assert chances_of(plain) == {rating: chances[rating] for rating in (6, 7, 8)}
    assert answer | {"at_least": plain["at_least"]} == plain


def test_batch_states_the_chances_that_were_asked_for(client: TestClient):
    films: list[dict[str, Any]] = [FILM, {}, {"genres": ["Drama"]}]
    asked = {"at_least": 6.5}
    answer = client.post("/v1/predict/batch", params=asked, json={"films": films}).json()
    rows = answer["results"]
    single = client.post("/predict", params={"at_least": 6.5}, json=FILM).json()
    assert rows[0]["forecast"] == single
    assert rows[1]["problem"]
    assert list(chances_of(rows[2]["forecast"])) == [6, 6.5, 7, 8]


def test_old_contract_states_chances_on_request_only(client: TestClient):
    plain = client.get("/predict", params=OLD).json()
    answer = client.get("/predict", params=OLD | {"at_least": 6.5}).json()
    assert list(plain) == ["predicted_rating"]
    assert answer["predicted_rating"] == plain["predicted_rating"]
    assert list(chances_of(answer)) == [6, 6.5, 7, 8]
    assert len(answer["quantiles"]) == 7


@pytest.mark.parametrize(
    ("asked", "detail"),
    [
        ("at_least=10.5", "at_least.0: must be 10 or less"),
        ("at_least=7&at_least=-1", "at_least.1: must be 0 or greater"),
        ("at_least=seven", "at_least.0: send a number"),
        ("at_least=", "at_least.0: send a number"),
        ("at_least=nan", "at_least.0: must be 10 or less"),
        ("at_least=inf", "at_least.0: must be 10 or less"),
        ("&".join(["at_least=7"] * 21), "at_least: the list may have at most 20 entries"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/predict", "/v1/predict/batch"])
def test_at_least_that_is_no_rating_is_refused_in_one_sentence(
    client: TestClient, path: str, asked: str, detail: str
):
    body = FILM if path == "/v1/predict" else {"films": [FILM]}
    response = client.post(f"{path}?{asked}", json=body)
    assert response.status_code == 422
    assert response.json()["detail"].startswith(detail)


def test_openapi_describes_at_least(parameters: dict[str, Any]):
    at_least = parameters["at_least"]
    assert (at_least["in"], at_least["required"]) == ("query", False)
    schema = at_least["schema"]["items"]
    assert (schema["minimum"], schema["maximum"]) == (0, 10)
    assert "probability of this rating" in at_least["description"]


@pytest.mark.parametrize("fact", FILM)
def test_fact_that_was_not_sent_is_listed_as_missing(client: TestClient, fact: str):
    facts = {name: value for name, value in FILM.items() if name != fact}
    assert predicted(client, **facts)["missing"] == [fact]


@pytest.mark.parametrize(
    "fact",
    ["title", "overview", "language", "runtime", "release_date", "budget", "collection"],
)
def test_null_counts_as_not_sent(client: TestClient, fact: str):
    without = {name: value for name, value in FILM.items() if name != fact}
    assert predicted(client, **without, **{fact: None}) == predicted(client, **without)


def test_blank_plot_counts_as_missing(client: TestClient):
    blank = predicted(client, **FILM | {"overview": " \n"})
    assert (blank["mood"], blank["missing"]) == (None, ["overview"])
    assert "overview" not in {each["field"] for each in blank["ignored"]}


@pytest.mark.parametrize(
    ("change", "ignored"),
    [
        ({"genres": ["Drama", "Puppetry"]}, {"genres": (["Puppetry"], "not a genre")}),
        ({"language": "qq"}, {"language": (["qq"], "not a language")}),
        ({"language": "mt"}, {"language": (["mt"], "no training film is in this language")}),
        ({"tagline": "It shines."}, {"tagline": (["It shines."], "does not use it")}),
        ({"director": "Someone"}, {"director": (["Someone"], "does not use it")}),
        (
            {"genres": ["Drama", "A", "B"], "popularity": 3.5},
            {"genres": (["A", "B"], "not a genre"), "popularity": (["3.5"], "after the release")},
        ),
        ({"countries": ["KR", "ZZ"]}, {"countries": (["ZZ"], "no such country")}),
        ({"cast": [*LEADS, "Extra", "Other"]}, {"cast": (["Extra", "Other"], "the first 5")}),
    ],
)
def test_ignored_values_are_listed_and_do_not_change_the_forecast(
    client: TestClient, change: dict[str, Any], ignored: dict[str, tuple[list[str], str]]
):
    usual = FILM | ({"cast": LEADS} if "cast" in change else {})
    before = usual | ({"language": None} if "language" in change else {})
    answer, without = predicted(client, **usual | change), predicted(client, **before)
    more = [each for each in answer["ignored"] if each not in without["ignored"]]
    assert {each["field"]: each["values"] for each in more} == {
        field: values for field, (values, _) in ignored.items()
    }
    assert all(ignored[each["field"]][1] in each["reason"] for each in more)
    assert answer["rating"] == without["rating"]


def test_film_of_names_that_the_model_knows_has_nothing_ignored(
    client: TestClient, learned: Packed
):
    tables = learned.load().effects.tables
    fields = {"directors": "director", "writers": "writer", "cast": "cast", "companies": "company"}
    names = {field: [name_of(next(iter(tables[trait])))] for field, trait in fields.items()}
    answer = predicted(client, genres=["Drama"], **names)
    assert (answer["ignored"], answer["read_as"]) == ([], [])
    odd = {
        field: [f" {unicodedata.normalize('NFD', each.upper())} "]
        for field, [each] in names.items()
    }
    same = predicted(client, genres=["드라마"], **odd)
    assert same["rating"] == answer["rating"]
    assert same["ignored"] == []
    assert {each["field"] for each in same["read_as"]} == {"genres", *fields}


def test_plot_in_decomposed_letters_is_read_as_usual(client: TestClient):
    (korean, _) = next(iter(TRANSLATIONS.items()))
    usual = predicted(client, overview=korean)
    decomposed = predicted(client, overview=unicodedata.normalize("NFD", korean))
    assert decomposed["translated"]
    assert [each["field"] for each in decomposed["read_as"]] == ["overview"]
    assert decomposed | {"read_as": []} == usual


def test_film_of_tmdb_is_forecast_like_the_same_film_in_our_form(
    client: TestClient, tmdb_stand_in: RunningStandIn
):
    params = {"api_key": TMDB_KEY, "append_to_response": "credits,keywords,release_dates"}
    listed = requests.get(
        f"{tmdb_stand_in.base_url}/discover/movie", params={"api_key": TMDB_KEY}, timeout=10
    ).json()["results"]
    films = [
        requests.get(f"{tmdb_stand_in.base_url}/movie/{each['id']}", params, timeout=10).json()
        for each in listed[:3]
    ]
    for film, row in zip(films, in_batch(client, *films), strict=True):
        whole = predicted(client, **film)
        assert row["forecast"] == whole
        own = body_of(film)
        day = min([own["release_date"], *released(film)])
        assert whole["rating"] == predicted(client, **own | {"release_date": day})["rating"]
        assert "vote_average" in {each["field"] for each in whole["ignored"]}


def released(film: dict[str, Any]) -> list[str]:
    return [
        each["release_date"][:10]
        for country in film["release_dates"]["results"]
        for each in country["release_dates"]
    ]


def test_parameter_that_the_route_does_not_have_is_named(client: TestClient):
    for path in ("/predict", "/predict/batch"):
        body = {"films": [FILM], "explain": False} if "batch" in path else FILM
        answer = client.post(path, params={"explian": "false"}, json=body).json()
        named = {each["field"]: each["values"] for each in answer["ignored"]}
        assert named["explian"] == ["false"]
        assert "batch" not in path or named["explain"] == ["false"]


def test_old_contract_names_what_it_does_not_use(client: TestClient):
    answer = client.get("/predict", params=OLD | {"sentiment": 0.5, "genre": "Drama"}).json()
    assert {each["field"]: each["values"] for each in answer["ignored"]} == {
        "sentiment": ["0.5"],
        "genre": ["Drama"],
    }
    assert client.get("/predict", params=OLD).json().keys() == {"predicted_rating"}


def test_explain_false_counts_in_batches(client: TestClient):
    rows = client.post("/predict/batch", params={"explain": False}, json={"films": [FILM] * 2})
    alone = client.post("/predict", params={"explain": False}, json=FILM).json()
    assert [row["forecast"] for row in rows.json()["results"]] == [alone] * 2
    assert alone["reasons"] == []


def test_unknown_genre_alone_counts_as_no_genre(client: TestClient):
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
def test_mood_of_the_plot_is_labelled(client: TestClient, overview: str, label: str):
    mood = predicted(client, overview=overview)["mood"]
    assert mood["label"] == label
    cut = "neutral" if abs(mood["score"]) <= 0.1 else "clear"
    assert (label == "neutral") == (cut == "neutral")


def test_forecast_of_a_translated_plot_is_that_of_its_translation(client: TestClient):
    ((korean, english),) = TRANSLATIONS.items()
    translated = predicted(client, **FILM | {"overview": korean})
    in_english = predicted(client, **FILM | {"overview": english})
    assert translated == in_english | {"translated": True}
    assert translated["mood"]["score"] > 0


def test_korean_plot_without_translation_is_read_in_korean(client: TestClient):
    answer = predicted(client, **FILM | {"overview": "아무도 번역하지 못하는 줄거리"})
    assert (answer["read_in_korean"], answer["translated"], answer["mood"]) == (True, False, None)
    assert "overview" not in {each["field"] for each in answer["ignored"]}


def test_korean_plot_is_read_in_korean_by_default(untranslated: TestClient):
    ((korean, english),) = TRANSLATIONS.items()
    answer = predicted(untranslated, **FILM | {"overview": korean})
    assert (answer["read_in_korean"], answer["translated"], answer["mood"]) == (True, False, None)
    in_english = predicted(untranslated, **FILM | {"overview": english})
    assert not in_english["read_in_korean"]
    assert in_english["mood"]["score"] > 0
    for each in (answer, in_english):
        assert "overview" not in {note["field"] for note in each["ignored"]}


@pytest.mark.parametrize("overview", ["誰も訳せないあらすじ", "Ein Wärter findet einen Brief"])
def test_plot_in_another_language_is_ignored_by_default(untranslated: TestClient, overview: str):
    answer = predicted(untranslated, **FILM | {"overview": overview})
    without = predicted(untranslated, **FILM | {"overview": None})
    assert (answer["rating"], answer["mood"]) == (without["rating"], None)
    (note,) = (each for each in answer["ignored"] if each["field"] == "overview")
    assert note["values"] == [overview]
    assert "translation is switched off" in note["reason"]


def test_request_can_refuse_translation(bucket_settings: Settings, learned: Packed, tmp_path: Path):
    put_into_production(Registry(open_bucket(bucket_settings)), learned)
    sent: list[str] = []

    def translate(text: str) -> str:
        sent.append(text)
        return "A ship."

    film = FILM | {"overview": "誰も訳せないあらすじ"}
    with serving(bucket_settings, tmp_path, translate) as (client, _):
        refused = client.post("/predict?translate=false", json=film).json()
        (row,) = client.post("/predict/batch?translate=false", json={"films": [film]}).json()[
            "results"
        ]
        assert sent == []
        assert client.post("/predict?translate=true", json=film).json()["translated"]
    for answer in (refused, row["forecast"]):
        (note,) = (each for each in answer["ignored"] if each["field"] == "overview")
        assert not answer["translated"]
        assert "translate=false" in note["reason"]


def test_plot_that_could_not_be_translated_is_ignored(client: TestClient):
    answer = predicted(client, **FILM | {"overview": "誰も訳せないあらすじ"})
    without = predicted(client, **FILM | {"overview": None})
    assert answer["rating"] == without["rating"]
    assert (answer["mood"], answer["translated"], answer["missing"]) == (None, False, [])
    (overview,) = (each for each in answer["ignored"] if each["field"] == "overview")
    assert overview["values"] == ["誰も訳せないあらすじ"]


def test_plot_alone_is_enough_even_if_it_is_not_translated(client: TestClient):
    answer = predicted(client, overview="아무도 번역하지 못하는 줄거리")
    assert answer["mood"] is None


@pytest.mark.parametrize("genre", [-1, 0, 3])
@pytest.mark.parametrize("language", [-1, 0, 1])
def test_old_contract_gives_the_same_rating_as_the_facts(
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


def test_old_contract_uses_the_mood_only_with_a_plot(client: TestClient):
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


def test_options_say_how_plots_are_read(client: TestClient, untranslated: TestClient):
    for each, translation in ((client, "google"), (untranslated, "off")):
        answer = each.get("/options").json()
        assert (answer["plot_languages"], answer["translation"]) == (["en", "ko"], translation)


def test_every_option_is_accepted_in_a_request(client: TestClient):
    options = client.get("/options").json()
    genres = [each["name"] for each in options["genres"]]
    for each in options["languages"]:
        answer = predicted(client, genres=genres, language=each["language"])
        assert answer["ignored"] == []


def test_probes_of_a_ready_service(client: TestClient, learned: Packed):
    assert client.get("/livez").json() == {"status": "alive", "version": None}
    assert client.get("/readyz").json() == {"status": "ready", "version": learned.manifest.version}


def test_version_has_the_lineage_of_the_model(client: TestClient, learned: Packed):
    info = client.get("/version").json()
    manifest = learned.manifest
    assert info["version"] == manifest.version
    assert info["run_date"] == "2026-11-23"
    assert info["reason"] == learned.pointer().reason
    assert (info["loaded_from"], info["registry_problem"]) == ("registry", None)
    assert info["model_type"] == manifest.model_type
    assert info["metrics"]["holdout"]["rmse"] == manifest.metrics["holdout"].rmse
    assert info["baselines"].keys() == {"mean", "recent_mean", "genre_mean", "old_model"}
    assert info["split"]["split_date"] == manifest.split.split_date.isoformat()
    assert manifest.refit
    assert info["refit"] == manifest.refit.model_dump(mode="json")
    assert info["features"] == len(manifest.features)
    assert info["wandb_run"] == manifest.wandb_run
    assert (info["commit"], info["libraries"]) == (manifest.commit, manifest.libraries)
    assert info["data"] == manifest.data.model_dump()
    assert datetime.fromisoformat(info["created_at"]) == manifest.created_at
    pointer = learned.pointer()
    assert datetime.fromisoformat(info["since"]) == pointer.at
    assert (info["by"], info["previous"]) == (pointer.by, pointer.previous)
    assert manifest.created_at < datetime.fromisoformat(info["loaded_at"])
    assert info["cache_problem"] is None


def in_batch(client: TestClient, *films: Any) -> list[dict[str, Any]]:
    response = client.post("/v1/predict/batch", json={"films": films})
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def test_batch_gives_the_same_forecasts_as_single_requests(client: TestClient, learned: Packed):
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
        {"genres": ["Drama"], "credits": "planted-input"},
    ],
)
def test_invalid_film_gets_a_problem_in_its_row_and_does_not_affect_the_others(
    client: TestClient, bad: dict[str, Any]
):
    good, row, last = in_batch(client, FILM, bad, FILM)
    assert good == last
    assert good["forecast"]["rating"] > 0
    assert row["forecast"] is None
    assert row["problem"] == client.post("/v1/predict", json=bad).json()
    assert "planted-input" not in str(row)


@pytest.mark.parametrize("row", [None, 5, "planted-input", [], [FILM], True])
def test_row_that_is_not_a_film_gets_a_problem(client: TestClient, row: Any):
    bad, good = in_batch(client, row, FILM)
    assert bad["problem"]["status"] == 422
    assert "planted-input" not in str(bad)
    assert good["forecast"]


@pytest.mark.parametrize("films", [[], [FILM] * 101, None, {}, "films"])
def test_batch_must_be_a_list_of_1_to_100_films(client: TestClient, films: Any):
    response = client.post("/v1/predict/batch", json={"films": films})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "films"


def test_batch_of_100_films_is_accepted(client: TestClient):
    assert len(in_batch(client, *[FILM] * 100)) == 100


def test_batch_translates_its_plots_in_parallel(
    bucket_settings: Settings, learned: Packed, tmp_path: Path
):
    put_into_production(Registry(open_bucket(bucket_settings)), learned)
    together = threading.Barrier(4)  # the size of the thread pool of the translator

    def translate(_: str) -> str:
        together.wait(60)
        return "A happy day."

    with serving(bucket_settings, tmp_path, translate, timeout_seconds=60) as (client, _):
        rows = in_batch(client, *({"overview": f"행복한 하루 {number}"} for number in range(4)))
    assert all(row["forecast"]["translated"] for row in rows)


def test_options_may_be_cached_for_a_minute_and_forecasts_may_not(client: TestClient):
    assert client.get("/v1/options").headers["cache-control"] == "private, max-age=60"
    assert client.get("/v1/predict", params=OLD).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/predict", "/v1/predict"])
def test_only_the_old_contract_is_announced_as_deprecated(client: TestClient, path: str):
    old, new = client.get(path, params=OLD).headers, client.post(path, json=FILM).headers
    assert old["deprecation"] == "@1796083200"
    assert parsedate_to_datetime(old["sunset"]) > datetime.fromtimestamp(1796083200, UTC)
    assert 'rel="deprecation"' in old["link"]
    assert not {"deprecation", "sunset", "link"} & new.keys()
    described = client.get("/openapi.json").json()["paths"][path]
    assert described["get"]["deprecated"] is True
    assert "deprecated" not in described["post"]


def test_batch_with_too_many_characters_is_refused_with_both_numbers(client: TestClient):
    films = [{"overview": "A plot. " * 1_250}] * 26
    answer = client.post("/v1/predict/batch", json={"films": films})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("films", "too_long_together")
    assert "260000 characters" in error["message"]
    assert "at most 250000" in error["message"]
    assert len(in_batch(client, *films[:25])) == 25


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_calculation_holds_up_no_other_request(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str
):
    begun, go_on = threading.Event(), threading.Event()

    def slow(*arguments: Any, **options: Any) -> Any:
        begun.set()
        go_on.wait(60)
        return forecast(*arguments, **options)

    monkeypatch.setattr("app.routes.predict.forecast", slow)
    body = {"films": [FILM]} if path.endswith("batch") else FILM
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.post, path, json=body)
        assert begun.wait(60)
        try:
            others = [client.get(each, params=OLD) for each in ("/livez", "/readyz", "/predict")]
        finally:
            go_on.set()
        assert [each.status_code for each in [*others, answer.result()]] == [200] * 4


def test_plot_that_is_translated_slowly_holds_up_no_calculation(
    bucket_settings: Settings, learned: Packed, tmp_path: Path
):
    put_into_production(Registry(open_bucket(bucket_settings)), learned)
    begun, go_on = threading.Event(), threading.Event()

    def translate(_: str) -> str:
        begun.set()
        go_on.wait(60)
        return "A happy day."

    slow = {"films": [{"overview": f"행복한 하루 {number}"} for number in range(60)]}
    with (
        serving(bucket_settings, tmp_path, translate, timeout_seconds=60) as (client, _),
        ThreadPoolExecutor(1) as pool,
    ):
        answer = pool.submit(client.post, "/predict/batch", json=slow)
        assert begun.wait(60)
        try:
            assert client.post("/predict", json=FILM).status_code == 200
            assert client.get("/people", params={"q": "a"}).status_code == 200
        finally:
            go_on.set()
        assert all(row["forecast"]["translated"] for row in answer.result().json()["results"])


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
@pytest.mark.parametrize(
    "odd",
    [
        {f"{number:x}": 0 for number in range(50_000)},
        {name: [""] * 900 for name in ("directors", "writers", "cast", "companies", "keywords")},
        {"x" * 500_000: 0},
    ],
    ids=["unknown fields", "invalid names", "long name"],
)
def test_answer_is_not_larger_than_an_odd_request(
    client: TestClient, path: str, odd: dict[str, Any]
):
    film = {"genres": ["Drama"]} | odd
    answer = client.post(path, json={"films": [film]} if path.endswith("batch") else film)
    assert len(answer.content) < 10_000
    assert answer.status_code in {200, 422}
