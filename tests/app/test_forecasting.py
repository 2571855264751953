import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
import requests
from fastapi.testclient import TestClient

from app.film_facts import FACT_NAMES, FilmFacts
from app.forecasting import (
    MAX_NOTES,
    NOT_TRANSLATED,
    TRANSLATION_FAILED,
    PlotReading,
    forecast,
    forecast_from_codes,
    limited,
    mood_of,
    read_plot,
)
from app.known_films import CompletedFilm
from app.matching import match
from app.schemas import FieldNote
from movierating.films.film import Film, Plot
from movierating.films.tokens import MAX_CAST
from movierating.model.plot_weights import DIMENSIONS
from movierating.registry.bundle import Bundle
from movierating.registry.evidence import Evidence, SubgroupReliability
from sandbox.tmdb.process import RunningStandIn
from scripts.dataset.plot_vectors import with_plot_vectors
from scripts.dataset.split import TimeSplit
from scripts.dataset.table import films_of, read_cleaned
from scripts.training.vectors import build_vectors
from tests.app.conftest import FILM
from tests.support.bundles import Packed
from tests.support.encoders import plot_weights
from tests.support.pipeline_run import Run
from tests.support.stand_in import TMDB_KEY

FACTS = FilmFacts(overview="A ship sails.", genres=["Drama"], language="ko", runtime=100)


@pytest.fixture
def twenty_films(run: Run) -> pd.DataFrame:
    """Return twenty films from the pipeline run; many of them lack a fact."""
    frame = read_cleaned(run.files.cleaned)
    # The API refuses a film without plot and genre.
    frame = frame[frame["overview_len"].notna() | (frame["genres"] != "[]")]
    lacking = [
        frame[frame[column].isna()].head(count)
        for column, count in {"runtime": 5, "overview_len": 5, "budget": 3}.items()
    ]
    chosen = pd.concat([*lacking, frame[frame["genres"] == "[]"].head(2), frame.tail(20)])
    return chosen.drop_duplicates("id").head(20)


@pytest.fixture
def bodies(twenty_films: pd.DataFrame, tmdb_stand_in: RunningStandIn) -> list[dict[str, Any]]:
    """Return one request body for each of `twenty_films`, with the facts from the TMDB stand-in."""
    films = [
        requests.get(
            f"{tmdb_stand_in.base_url}/movie/{film_id}",
            params={"api_key": TMDB_KEY, "append_to_response": "credits,keywords"},
            timeout=10,
        ).json()
        for film_id in twenty_films["id"]
    ]
    return [body_of(film) for film in films]


def body_of(film: dict[str, Any]) -> dict[str, Any]:
    """Convert TMDB's JSON of a film to a request body with the facts known before its release."""
    crew, cast = film["credits"]["crew"], film["credits"]["cast"]
    return {
        "title": film["title"],
        "overview": film["overview"],
        "genres": named(film["genres"]),
        "language": film["original_language"],
        "runtime": film["runtime"] or None,
        "release_date": film["release_date"],
        "budget": film["budget"] or None,
        "countries": [each["iso_3166_1"] for each in film["production_countries"]],
        "directors": identified(each for each in crew if each["job"] == "Director"),
        "writers": identified(each for each in crew if each["department"] == "Writing"),
        "cast": identified(cast),
        "companies": identified(film["production_companies"]),
        "collection": film["belongs_to_collection"],
        "keywords": identified(film["keywords"]["keywords"]),
    }


def named(things: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(each["name"] for each in things))


def identified(things: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    by_id = {each["id"]: {"id": each["id"], "name": each["name"]} for each in things}
    return list(by_id.values())


def test_requests_have_all_facts_that_the_api_accepts(bodies: list[dict[str, Any]]):
    assert {frozenset(body) for body in bodies} == {frozenset(FACT_NAMES)}
    for fact in FACT_NAMES:
        assert any(body[fact] for body in bodies), f"no film has {fact}"


def test_training_and_serving_see_the_same_features(
    twenty_films: pd.DataFrame, bodies: list[dict[str, Any]], learned: Packed
):
    bundle = learned.load()
    served = []
    for body in bodies:
        facts = FilmFacts.model_validate_json(json.dumps(body))
        reading = read_plot(facts.overview, facts.overview)
        served.append(match(bundle, facts, reading.plot).film)
    assert len(served) == 20
    trained = films_of(twenty_films)
    assert served == trained
    vectors = bundle.matrix(served)
    np.testing.assert_array_equal(vectors, bundle.matrix(trained))
    assert vectors.shape == (20, len(bundle.manifest.features))
    for feature, column in zip(bundle.manifest.features, vectors.T, strict=True):
        assert not np.isnan(column).all(), f"no film has {feature}"


def test_hold_out_films_have_the_same_vectors_in_service_as_in_training(run: Run, learned: Packed):
    bundle = learned.load()
    films = with_plot_vectors(read_cleaned(run.files.cleaned), run.files.folder)
    split = TimeSplit.of_newest(films)
    vectors, _ = build_vectors(split, bundle.manifest.features)
    served = bundle.measured.matrix(split.holdout.films)
    np.testing.assert_allclose(served, vectors.evaluation_films().full, rtol=1e-5, atol=1e-5)


def test_training_and_serving_give_the_same_scores(
    twenty_films: pd.DataFrame, bodies: list[dict[str, Any]], learned: Packed, client: TestClient
):
    scores = learned.load().forecast(films_of(twenty_films))
    answers = [client.post("/predict", json=body).json() for body in bodies]
    assert [answer["rating"] for answer in answers] == [round(float(each), 2) for each in scores]
    assert len(set(scores.tolist())) > 10


@pytest.mark.parametrize("fact", ["directors", "writers", "cast", "companies"])
def test_higher_effect_makes_a_higher_forecast(learned: Packed, fact: str):
    bundle = learned.load()
    trait = {"directors": "director", "writers": "writer", "companies": "company"}.get(fact, fact)
    effects = {name: effect for name, (_, effect, *_) in bundle.effects.tables[trait].items()}
    worst, nobody, best = (
        forecast(
            bundle, CompletedFilm(FACTS.model_copy(update={fact: [name]})), PlotReading(None)
        ).rating
        for name in (
            min(effects, key=effects.__getitem__),
            "Nobody Yet",
            max(effects, key=effects.__getitem__),
        )
    )
    assert worst < nobody < best


def test_unknown_genres_and_languages_are_left_out(packed: Packed):
    facts = FilmFacts(genres=["Puppetry"], language="qq")
    film = match(packed.load(), facts, None).film
    assert film == Film()


@pytest.mark.parametrize(
    ("text", "english", "reading"),
    [
        (None, None, PlotReading(None)),
        ("", None, PlotReading(None)),
        ("A ship.", "A ship.", PlotReading(Plot(7, 0.0, 0.0, "A ship."))),
        ("배.", "A ship.", PlotReading(Plot(7, 0.0, 0.0, "A ship."), translated=True)),
        (
            "배.",
            None,
            PlotReading(None, problem=TRANSLATION_FAILED),
        ),
    ],
)
def test_plot_is_read_with_or_without_translation(
    text: str | None, english: str | None, reading: PlotReading
):
    assert read_plot(text, english) == reading


@pytest.mark.parametrize(
    ("polarity", "label"),
    [
        (-1, "negative"),
        (-0.101, "negative"),
        (-0.1, "neutral"),
        (0, "neutral"),
        (0.1, "neutral"),
        (0.101, "positive"),
        (1, "positive"),
    ],
)
def test_mood_is_neutral_up_to_a_polarity_of_a_tenth(polarity: float, label: str):
    mood = mood_of(Plot(10, polarity))
    assert mood is not None
    assert (mood.score, mood.label) == (polarity, label)


@pytest.mark.parametrize("plot", [None, Plot(None, None, None, "배.", "ko")])
def test_unknown_plot_and_korean_plot_have_no_mood(plot: Plot | None):
    assert mood_of(plot) is None


def reading_korean(bundle: Bundle) -> Bundle:
    plots = plot_weights(effect=0, score=0, words_effect=0.8, words_score=0, shift=1 / DIMENSIONS)
    return replace(bundle, effects=replace(bundle.effects, plots=plots))


KOREAN_FACTS: Final = FACTS.model_copy(update={"overview": "등대에서 편지를 찾는다."})
UNREAD: Final = PlotReading(None, problem=NOT_TRANSLATED)


def test_korean_plot_without_translation_is_read_in_korean_and_has_no_mood(packed: Packed):
    bundle = reading_korean(packed.load())
    answer = forecast(bundle, CompletedFilm(KOREAN_FACTS), UNREAD)
    assert (answer.read_in_korean, answer.translated, answer.mood) == (True, False, None)
    assert answer.ignored == []
    plot = UNREAD.or_korean(bundle, KOREAN_FACTS.overview).plot
    film = match(bundle, KOREAN_FACTS, plot).film
    record = bundle.effects.encode(film, np.zeros(DIMENSIONS))
    assert record["effect=plot"] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("knows", "text"), [(False, "등대에서 편지를 찾는다."), (True, "灯台で手紙を見つける。")]
)
def test_plot_that_the_bundle_cannot_read_is_ignored(packed: Packed, knows: bool, text: str):
    bundle = reading_korean(packed.load()) if knows else packed.load()
    answer = forecast(bundle, CompletedFilm(FACTS.model_copy(update={"overview": text})), UNREAD)
    assert (answer.read_in_korean, answer.mood) == (False, None)
    assert [(each.field, each.reason) for each in answer.ignored] == [("overview", NOT_TRANSLATED)]


@pytest.mark.parametrize("quantile", [0.0, 6.0, 40.0])
def test_interval_stays_between_0_and_10(packed: Packed, quantile: float):
    bundle = packed.load()
    wide = replace(bundle, model=replace(bundle.model, quantile=quantile))
    answer = forecast(wide, CompletedFilm(FACTS), PlotReading(None))
    assert 0 <= answer.interval.low <= answer.rating <= answer.interval.high <= 10


def test_interval_width_follows_the_model_for_each_film(packed: Packed):
    bundle = packed.load()
    widths = []
    for runtime in (120.0, 195.0):
        facts = FACTS.model_copy(update={"runtime": runtime})
        answer = forecast(bundle, CompletedFilm(facts), PlotReading(None))
        vector = bundle.matrix([match(bundle, facts, None).film])
        (low,), (high,) = bundle.model.intervals(vector)
        widths.append(answer.interval.high - answer.interval.low)
        assert widths[-1] == pytest.approx(high - low, abs=0.011)
    assert widths[1] > widths[0] + 0.1


def test_bundle_of_version_1_0_0_gives_an_interval_and_no_distribution(packed: Packed):
    bundle = packed.load()
    old = replace(bundle, model=replace(bundle.model, errors=None))
    answer = forecast(old, CompletedFilm(FACTS), PlotReading(None), at_least=[6.5])
    assert (answer.quantiles, answer.at_least) == (None, None)
    assert answer.interval.low < answer.rating < answer.interval.high
    by_codes = forecast_from_codes(old, 100, 0, 0, 0.9, 0, at_least=[6.5])
    assert (by_codes.quantiles, by_codes.at_least) == (None, None)


def test_only_the_leading_cast_is_used(packed: Packed):
    bundle, leads = packed.load(), [f"Lead {at}" for at in range(MAX_CAST)]
    few, many = (
        match(bundle, FACTS.model_copy(update={"cast": cast}), None).film
        for cast in (leads, [*leads, "Extra"])
    )
    assert few == many


@pytest.mark.parametrize("fact", FACT_NAMES)
def test_empty_fact_is_listed_as_missing(packed: Packed, fact: str):
    empty: Any = [] if isinstance(FilmFacts.model_fields[fact].default, list) else None
    facts = FilmFacts(**FILM).model_copy(update={fact: empty})
    assert forecast(packed.load(), CompletedFilm(facts), PlotReading(None)).missing == [fact]


def test_old_contract_ignores_the_mood_without_a_plot(learned: Packed):
    bundle = learned.load()
    assert forecast_from_codes(bundle, 100, 0, 0, 0.9, 0) == forecast_from_codes(
        bundle, 100, 0, 0, -0.9, 0
    )


def test_answer_names_the_kinds_of_films_that_are_not_reliable(packed: Packed):
    def measured(kind: str, name: str, **alarms: bool) -> SubgroupReliability:
        facts = {"kind": kind, "name": name, "films": 61, "bias": 0.3, "coverage": 0.7}
        none = {"biased": False, "badly_covered": False}
        return SubgroupReliability.model_validate(facts | none | alarms)

    korean, drama = measured("language", "ko", biased=True), measured("genre", "Drama")
    horror = measured("genre", "Horror", badly_covered=True)
    evidence = Evidence(
        slices=(), calibration=(), importance={}, reliability=(korean, drama, horror)
    )
    bundle = replace(packed.load(), evidence=evidence)

    def named(**facts: Any) -> list[SubgroupReliability]:
        changed = FACTS.model_copy(update=facts)
        return forecast(bundle, CompletedFilm(changed), PlotReading(None)).reliability

    assert named() == [korean]  # a Korean drama
    assert named(genres=["Comedy", "Horror"]) == [korean, horror]
    assert named(language="en") == []
    assert forecast(packed.load(), CompletedFilm(FACTS), PlotReading(None)).reliability == []


def test_notes_are_limited_in_number_and_length():
    notes = [FieldNote(field="x" * 10_000, reason="y" * 10_000)] * (MAX_NOTES + 7)
    kept = limited(notes)
    assert kept[-1] == FieldNote(field="...", reason="7 more fields or values are not listed here")
    assert len(kept) == MAX_NOTES + 1
    assert max(len(each.field) + len(each.reason) for each in kept) < 700


def test_few_notes_are_kept_as_they_are():
    notes = [FieldNote(field="tagline", reason="this model does not use it")] * MAX_NOTES
    assert limited(notes) == notes
