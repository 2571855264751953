from typing import Any, get_args

import pytest
from movie_rating_client import types

from app.main import create_app
from movierating.settings import ApiSettings, load_settings

# The types of the client, and the schemas of the API that they describe.
SCHEMAS = {
    "Film": "FilmFacts",
    "SimilarFilm": "Comparable",
    "InvalidField": "FieldProblem",
}
TYPES = [
    name
    for name, each in vars(types).items()
    if hasattr(each, "__required_keys__") and each is not types.Entity
]


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return create_app(load_settings(ApiSettings, s3_bucket_name="none")).openapi()


@pytest.mark.parametrize("name", TYPES)
def test_fields_of_a_type_are_those_of_the_api(described: dict[str, Any], name: str):
    # The API may have further fields, which users of the client can read too.
    schema = described["components"]["schemas"][SCHEMAS.get(name, name)]
    assert getattr(types, name).__annotations__.keys() <= schema["properties"].keys()


def test_fields_of_an_entity_are_those_of_the_api(described: dict[str, Any]):
    directors, _ = described["components"]["schemas"]["FilmFacts"]["properties"]["directors"][
        "anyOf"
    ]
    _, entity = directors["items"]["anyOf"]
    assert types.Entity.__annotations__.keys() == entity["properties"].keys()


@pytest.mark.parametrize(
    ("path", "parameter", "choices"),
    [
        ("/v1/people", "field", types.NameField),
        ("/v1/forecasts", "sort", types.Sorting),
        ("/v1/track-record/films", "state", types.State),
    ],
)
def test_choices_are_those_of_the_api(
    described: dict[str, Any], path: str, parameter: str, choices: Any
):
    parameters = described["paths"][path]["get"]["parameters"]
    (found,) = (each for each in parameters if each["name"] == parameter)
    kinds = found["schema"].get("anyOf", [found["schema"]])
    assert list(get_args(choices)) == next(each["enum"] for each in kinds if "enum" in each)
