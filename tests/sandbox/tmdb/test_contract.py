"""Compare responses from the TMDB stand-in (a local imitation of TMDB) with TMDB's own responses.

TMDB's responses were recorded earlier."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from sandbox.tmdb import errors
from sandbox.tmdb.process import RunningStandIn
from sandbox.tmdb.world import World

Get = Callable[..., requests.Response]
Recorded = Callable[[str], Any]

# In these fields TMDB sends null for some films, but not for the recorded film.
NULLABLE = {
    "backdrop_path",
    "belongs_to_collection",
    "imdb_id",
    "logo_path",
    "poster_path",
    "profile_path",
}
ANYTHING = {"wikidata_id", "facebook_id", "instagram_id", "twitter_id"}


def shapes(value: Any, path: str = "") -> dict[str, set[str]]:
    """Collect the types of the values in a JSON document by their path, such as `.genres[].id`.

    All entries of a list have the same path.
    """
    found = {path: {type(value).__name__}}
    if isinstance(value, dict):
        parts = [(f"{path}.{key}", content) for key, content in value.items()]
    else:
        parts = [(f"{path}[]", content) for content in value] if isinstance(value, list) else []
    for name, content in parts:
        for inner, kinds in shapes(content, name).items():
            found.setdefault(inner, set()).update(kinds)
    return found


def differences(real: Any, ours: Any) -> list[str]:
    """Compare two JSON values: TMDB's (`real`) and the TMDB stand-in's (`ours`).

    Returns:
        One sentence for each path in `ours` that `real` does not have, or has with another type.
    """
    known = shapes(real)
    wrong = []
    for path, kinds in shapes(ours).items():
        field = path.removesuffix("[]").rpartition(".")[2]
        allowed = known.get(path, set()) | ({"NoneType"} if field in NULLABLE else set())
        if field not in ANYTHING and not kinds <= allowed:
            wrong.append(f"{path}: {kinds} instead of {allowed}")
    return wrong


@pytest.fixture(scope="module")
def recorded(tmdb_shared: Path) -> Recorded:
    return lambda name: json.loads((tmdb_shared / "api" / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sample(world: World) -> list[int]:
    """Return the ids of some films, such as films with a collection, no language or no date."""
    columns = world.columns
    places = [
        *range(0, len(columns.ids), 400),
        *np.flatnonzero(world.facts.collection >= 0)[:5],
        *np.flatnonzero(columns.language == "xx")[:2],
        *np.flatnonzero(np.isnat(columns.released))[:2],
    ]
    return [int(columns.ids[at]) for at in places]


def test_details_have_the_recorded_fields_and_types(
    get: Get, recorded: Recorded, sample: list[int]
) -> None:
    real = recorded("recorded/movie_348.json")
    for film_id in sample:
        ours = get(f"/movie/{film_id}").json()
        assert list(ours) == list(real)
        assert differences(real, ours) == []


def test_collections_have_the_recorded_fields(get: Get, recorded: Recorded, world: World) -> None:
    member = int(world.columns.ids[np.flatnonzero(world.facts.collection >= 0)[0]])
    real = recorded("recorded/movie_348.json")["belongs_to_collection"]
    assert get(f"/movie/{member}").json()["belongs_to_collection"].keys() == real.keys()


def test_appended_parts_have_the_recorded_fields_and_types(
    get: Get, recorded: Recorded, sample: list[int]
) -> None:
    real = recorded("recorded/movie_550_append.json")
    parts = ("credits", "keywords", "release_dates", "external_ids")
    for film_id in sample:
        ours = get(f"/movie/{film_id}", append_to_response=",".join(parts)).json()
        for part in parts:
            assert differences(real[part], ours[part]) == []
            assert ours[part].keys() == real[part].keys()


@pytest.mark.parametrize("name", ["popular", "top_rated", "now_playing", "upcoming"])
def test_lists_have_the_recorded_fields_and_types(get: Get, recorded: Recorded, name: str) -> None:
    real = recorded(f"lists/{name}_page1.json")
    ours = get(f"/movie/{name}").json()
    # The recorded pages lack TMDB's field `dates`; their totals were added by hand.
    ours.pop("dates", None)
    assert ours.keys() == real.keys()
    assert ours["results"][0].keys() == real["results"][0].keys()
    assert differences(real, ours) == []


def test_genres_are_tmdbs(get: Get, recorded: Recorded) -> None:
    assert get("/genre/movie/list").json() == recorded("recorded/genre_movie_list.json")


def test_languages_have_tmdbs_codes_and_fields(get: Get, recorded: Recorded) -> None:
    real = recorded("recorded/configuration_languages.json")
    ours = get("/configuration/languages").json()
    assert {entry["iso_639_1"] for entry in ours} == {entry["iso_639_1"] for entry in real}
    assert ours[0].keys() == real[0].keys()
    english = {entry["iso_639_1"]: entry["english_name"] for entry in real}
    same = [entry["english_name"] == english[entry["iso_639_1"]] for entry in ours]
    assert sum(same) > 0.85 * len(same)


@pytest.mark.parametrize(
    ("name", "path", "params"),
    [
        ("400_22_page_over_500", "/movie/popular", {"page": 501}),
        ("401_7_invalid_key", "/movie/popular", {"api_key": "wrong"}),
        ("404_34_not_found", "/movie/1", {}),
    ],
)
def test_errors_have_tmdbs_bodies(
    get: Get, recorded: Recorded, name: str, path: str, params: dict[str, Any]
) -> None:
    answer = get(path, **params)
    assert answer.status_code == int(name[:3])
    assert answer.json() == recorded(f"errors/{name}.json")


def test_the_rate_limit_has_tmdbs_body(
    get: Get, tmdb_stand_in: RunningStandIn, recorded: Recorded
) -> None:
    with tmdb_stand_in.faults({"kind": "429", "first": 1}):
        answer = get("/movie/popular")
    assert answer.status_code == 429
    assert answer.json() == recorded("errors/429_25_rate_limit.json")


def test_every_error_uses_one_of_tmdbs_codes(recorded: Recorded) -> None:
    known = {
        (entry["http"], entry["status_code"]) for entry in recorded("errors/status_codes.json")
    }
    ours = [value for value in vars(errors).values() if isinstance(value, errors.Status)]
    assert {(status.http, status.code) for status in ours} <= known
