import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import requests
from fastapi.testclient import TestClient

from app.forecasting import Reading, film_from, forecast, mood_of, old_forecast, read_plot
from app.schemas import FilmFacts
from movierating.features import build_matrix
from movierating.film import Plot
from sandbox.tmdb.process import RunningStandIn
from scripts.cleaned import films_of, read_cleaned
from tests.bundles import Packed
from tests.pipeline_run import Run
from tests.stand_in import TMDB_KEY

FACTS = FilmFacts(overview="A ship sails.", genres=["Drama"], language="ko", runtime=100)


@pytest.fixture
def twenty(run: Run) -> pd.DataFrame:
    """Twenty films of the run, many of which lack something."""
    frame = read_cleaned(run.files.cleaned)
    # What has neither plot nor genre cannot be asked for.
    frame = frame[frame["overview_len"].notna() | (frame["genres"] != "[]")]
    lacking = [
        frame[frame[column].isna()].head(count)
        for column, count in {"runtime": 5, "overview_len": 5, "budget": 3}.items()
    ]
    chosen = pd.concat([*lacking, frame[frame["genres"] == "[]"].head(2), frame.tail(20)])
    return chosen.drop_duplicates("id").head(20)


@pytest.fixture
def bodies(twenty: pd.DataFrame, tmdb_stand_in: RunningStandIn) -> list[dict[str, Any]]:
    """The same films as TMDB tells of them, as bodies for the API."""
    films = [
        requests.get(
            f"{tmdb_stand_in.base_url}/movie/{film_id}", params={"api_key": TMDB_KEY}, timeout=10
        ).json()
        for film_id in twenty["id"]
    ]
    return [
        {
            "title": film["title"],
            "overview": film["overview"],
            "genres": [genre["name"] for genre in film["genres"]],
            "language": film["original_language"],
            "runtime": film["runtime"] or None,
            "release_date": film["release_date"],
            "budget": film["budget"] or None,
        }
        for film in films
    ]


def test_training_and_serving_see_the_same_features(
    twenty: pd.DataFrame, bodies: list[dict[str, Any]], learned: Packed
):
    bundle = learned.load()
    served = []
    for body in bodies:
        facts = FilmFacts.model_validate_json(json.dumps(body))
        reading = read_plot(facts.overview, facts.overview)
        served.append(film_from(bundle, facts, reading))
    assert len(served) == 20
    trained = films_of(twenty)
    assert served == trained
    features = bundle.manifest.features
    np.testing.assert_array_equal(build_matrix(served, features), build_matrix(trained, features))


def test_training_and_serving_give_the_same_scores(
    twenty: pd.DataFrame, bodies: list[dict[str, Any]], learned: Packed, client: TestClient
):
    scores = learned.load().rate(films_of(twenty))
    answers = [client.post("/predict", json=body).json() for body in bodies]
    assert [answer["rating"] for answer in answers] == [round(float(each), 2) for each in scores]
    assert len(set(scores.tolist())) > 10


def test_unknown_facts_leave_the_film_unknown(packed: Packed):
    facts = FilmFacts(genres=["Puppetry"], language="qq")
    film = film_from(packed.load(), facts, Reading(None))
    assert (film.genres, film.original_language, film.plot) == ((), None, None)


@pytest.mark.parametrize(
    ("text", "english", "reading"),
    [
        (None, None, Reading(None)),
        ("", None, Reading(None)),
        ("A ship.", "A ship.", Reading(Plot(7, 0.0, 0.0))),
        ("배.", "A ship.", Reading(Plot(7, 0.0, 0.0), translated=True)),
        ("배.", None, Reading(None, failed=True)),
    ],
)
def test_plot_is_read_as_it_was_understood(text: str | None, english: str | None, reading: Reading):
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
def test_mood_is_cut_at_a_tenth_on_either_side(polarity: float, label: str):
    mood = mood_of(Plot(10, polarity))
    assert mood is not None
    assert (mood.score, mood.label) == (polarity, label)


def test_unknown_plot_has_no_mood():
    assert mood_of(None) is None


@pytest.mark.parametrize("half_width", [0.0, 3.0, 20.0])
def test_interval_stays_between_0_and_10(packed: Packed, half_width: float):
    bundle = packed.load()
    interval = bundle.manifest.interval80.model_copy(update={"half_width": half_width})
    manifest = bundle.manifest.model_copy(update={"interval80": interval})
    wide = type(bundle)(manifest, bundle.codes, bundle.model)
    answer = forecast(wide, FACTS, Reading(None))
    assert 0 <= answer.interval.low <= answer.rating <= answer.interval.high <= 10


def test_old_contract_without_a_plot_takes_its_mood_for_unknown(learned: Packed):
    bundle = learned.load()
    assert old_forecast(bundle, 100, 0, 0, 0.9, 0) == old_forecast(bundle, 100, 0, 0, -0.9, 0)
