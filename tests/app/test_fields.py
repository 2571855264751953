from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from app.field_errors import CODES
from app.film_facts import FilmFacts
from movierating.films.film import Entity

PLANTED = "planted-input"


def problem_with(field: str, value: Any) -> tuple[str, str]:
    """Return the code and the message for the value of a field."""
    with pytest.raises(ValidationError) as raised:
        FilmFacts.model_validate({"overview": "A ship sails.", field: value})
    (error,) = raised.value.errors()
    assert error["loc"][0] == field
    assert PLANTED not in error["msg"]
    return error["type"], error["msg"]


@pytest.mark.parametrize(
    ("value", "code", "what"),
    [
        (0, "not_a_date", "this is a number"),
        (1_803_000_000, "not_a_date", "this is a number"),
        (20270501, "not_a_date", "this is a number"),
        (True, "not_a_date", "this is true or false"),
        (["2027-05-01"], "not_a_date", "this is a list"),
        ("20270501", "not_a_date", "no date in the form that is read"),
        ("1803000000", "not_a_date", "no date in the form that is read"),
        ("2027-5-1", "not_a_date", "no date in the form that is read"),
        ("01.05.2027", "not_a_date", "no date in the form that is read"),
        ("2027-05-01T00:00:00Z", "not_a_date", "no date in the form that is read"),
        ("2027-W18-6", "not_a_date", "no date in the form that is read"),
        (PLANTED, "not_a_date", "no date in the form that is read"),
        ("2027-02-30", "not_a_date", "there is no such day"),
        ("1869-12-31", "too_small", "too early"),
        ("2100-01-02", "too_large", "too late"),
    ],
)
def test_only_a_day_is_read_as_a_date(value: Any, code: str, what: str):
    found, message = problem_with("release_date", value)
    assert found == code
    assert what in message
    assert "such as 2027-05-01" in message


@pytest.mark.parametrize("field", ["runtime", "budget"])
@pytest.mark.parametrize(
    ("value", "code", "what"),
    [
        (True, "not_a_number", "this is true or false"),
        ("1_12", "not_a_number", "this text is no number"),
        ("1e2", "not_a_number", "this text is no number"),
        ("112 min", "not_a_number", "this text is no number"),
        ("0x70", "not_a_number", "this text is no number"),
        ("", "not_a_number", "this text is no number"),
        (PLANTED, "not_a_number", "this text is no number"),
        ([112], "not_a_number", "this is a list"),
        ({"minutes": 112}, "not_a_number", "this is an object"),
        (-1, "too_small", "not above 0"),
        (float("nan"), "too_small", "not above 0"),
        (float("inf"), "too_large", "too high"),
        (10**400, "too_large", "too high"),
    ],
)
def test_only_a_number_is_read_as_a_number(field: str, value: Any, code: str, what: str):
    found, message = problem_with(field, value)
    assert found == code
    assert what in message
    assert "such as" in message


@pytest.mark.parametrize("field", ["title", "overview", "language", "collection"])
@pytest.mark.parametrize("value", [5, True, ["a"], {PLANTED: PLANTED}])
def test_only_a_text_is_read_as_a_text(field: str, value: Any):
    assert problem_with(field, value)[0] == "wrong_type"


@pytest.mark.parametrize("field", ["title", "overview", "language", "collection"])
def test_half_of_a_character_is_refused(field: str):
    assert problem_with(field, "half of an emoji: \ud83d")[0] == "not_unicode"


@pytest.mark.parametrize(
    "field", ["genres", "countries", "directors", "writers", "cast", "companies", "keywords"]
)
@pytest.mark.parametrize(
    ("value", "code"),
    [
        (PLANTED, "wrong_type"),
        (5, "wrong_type"),
        ([None], "wrong_type"),
        ([True], "wrong_type"),
        ([1.5], "wrong_type"),
        ([[PLANTED]], "wrong_type"),
        ([{PLANTED: PLANTED}], "wrong_type"),
        (["Drama", " "], "too_short"),
        (["x" * 201], "too_long"),
        (["half of an emoji: \ud83d"], "not_unicode"),
        (["Drama"] * 1_001, "too_long"),
    ],
)
def test_only_a_list_of_names_is_read_as_such(field: str, value: Any, code: str):
    assert problem_with(field, value)[0] == code


def test_id_that_no_genre_can_have_is_refused():
    assert problem_with("genres", [10**5_000])[0] == "too_large"


def test_every_code_is_explained():
    values = [("runtime", True), ("runtime", -1), ("runtime", 601), ("title", 5), ("cast", [""])]
    values += [("release_date", 0), ("overview", "x" * 10_001)]
    assert {problem_with(*each)[0] for each in values} <= CODES.keys()


@pytest.mark.parametrize("fact", FilmFacts.model_fields)
def test_null_counts_as_left_out_for_every_field(fact: str):
    required = "genres" if fact == "overview" else "overview"
    facts: dict[str, Any] = {required: ["Drama"] if required == "genres" else "A ship sails."}
    assert FilmFacts.model_validate(facts | {fact: None}) == FilmFacts.model_validate(facts)


@pytest.mark.parametrize(
    ("field", "blank"), [("runtime", 0), ("runtime", 0.0), ("budget", 0), ("release_date", "")]
)
def test_blank_of_tmdb_counts_as_left_out(field: str, blank: Any):
    assert getattr(FilmFacts.model_validate({"genres": ["Drama"], field: blank}), field) is None


@pytest.mark.parametrize(
    ("field", "sent", "read"),
    [
        ("runtime", "112", 112.0),
        ("runtime", "１１２", 112.0),
        ("budget", "5000000.5", 5_000_000.5),
        ("release_date", "２０２７-05-01", date(2027, 5, 1)),
        ("title", "  Ｔｈｅ\u00a0 Lantern ", "The Lantern"),
        ("genres", [18, {"id": 99, "name": "Documentaire"}, "드라마", {"name": "Horror"}],
         ["Drama", "Documentary", "Drama", "Horror"]),
        ("genres", ["Puppetry", 999_999], ["Puppetry", "999999"]),
        ("countries", [{"iso_3166_1": "KR", "name": "South Korea"}, "us"], ["KR", "us"]),
        ("directors", [{"id": 1, "name": "Ada  Novak"}], [Entity(1, "Ada Novak")]),
        ("collection", {"id": 1, "name": "Lanterns"}, Entity(1, "Lanterns")),
        ("keywords", {"keywords": [{"id": 1, "name": "lantern"}]}, [Entity(1, "lantern")]),
    ],
)  # fmt: skip
def test_value_is_read_by_what_is_meant(field: str, sent: Any, read: Any):
    assert getattr(FilmFacts.model_validate({"overview": "A.", field: sent}), field) == read
