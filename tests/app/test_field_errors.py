import re
from datetime import date
from typing import Annotated, Any, Literal, get_args

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ErrorType

from app.field_errors import CODES, described

# What only a Python programmer, or a reader of the source code, understands.
JARGON = re.compile(
    r"pattern|instance|\bInput\b|dictionary|FilmFacts|\^|\\|\{|parse|\.0\b", re.ASCII
)


class Facts(BaseModel):
    """A model that raises the errors that requests to the API can cause."""

    model_config = ConfigDict(extra="forbid")

    required: int = 0
    runtime: Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)] = 1
    genres: Annotated[list[str], Field(min_length=1, max_length=2)] = ["Drama"]
    language: Annotated[str, Field(pattern="^[a-z]{2}$")] = "ko"
    title: Annotated[str, Field(min_length=1, max_length=3)] = "One"
    day: Annotated[date, Field(ge=date(1870, 1, 1), lt=date(2100, 1, 1))] = date(2000, 1, 1)
    sort: Literal["rating", "title"] = "title"
    explain: bool = True
    mood: Annotated[float, Field(ge=-1, lt=1)] = 0
    even: int = 2

    @field_validator("even")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("send an even number")
        if value > 10:
            raise PydanticCustomError("too_large", "must be 10 or less")
        return value


@pytest.mark.parametrize(
    ("facts", "code", "message"),
    [
        ({"runtime": 0}, "too_small", "must be greater than 0"),
        ({"runtime": 601}, "too_large", "must be 600 or less"),
        ({"runtime": "long"}, "not_a_number", "send a number, such as 112"),
        ({"runtime": float("nan")}, "not_a_number", None),
        ({"required": 1.5}, "not_a_whole_number", "send a whole number, such as 112"),
        ({"required": None}, "not_a_whole_number", None),
        ({"required": "9" * 5_000}, "too_long", "the number has too many digits"),
        ({"genres": "Drama"}, "wrong_type", 'send a list, such as ["Drama"]'),
        ({"genres": []}, "too_short", "the list must have 1 or more entries"),
        ({"genres": ["a", "b", "c"]}, "too_long", "the list may have at most 2 entries"),
        ({"genres": [5]}, "wrong_type", "send a text in quotes"),
        ({"language": "Korean"}, "wrong_form", None),
        ({"title": ""}, "too_short", "the text must have 1 or more characters"),
        ({"title": "Four"}, "too_long", "the text may have at most 3 characters"),
        ({"title": "\ud800"}, "not_unicode", None),
        ({"day": "1.5.2027"}, "not_a_date", "send a date as YYYY-MM-DD, such as 2027-05-01"),
        ({"day": 0.5}, "not_a_date", None),
        ({"day": "1800-01-01"}, "too_small", "must be 1870-01-01 or greater"),
        ({"day": "2100-01-01"}, "too_large", "must be less than 2100-01-01"),
        ({"sort": "size"}, "unknown_choice", "send one of: 'rating' or 'title'"),
        ({"explain": "perhaps"}, "not_true_or_false", "send true or false"),
        ({"mood": -2}, "too_small", "must be -1 or greater"),
        ({"mood": 1}, "too_large", "must be less than 1"),
        ({"even": 3}, "not_valid", "send an even number"),
        ({"even": 12}, "too_large", "must be 10 or less"),
        ({"other": 3}, "unknown_field", "there is no field of this name; leave it out"),
    ],
)
def test_invalid_value_gets_a_code_and_a_sentence(
    facts: dict[str, Any], code: str, message: str | None
):
    with pytest.raises(ValidationError) as caught:
        Facts.model_validate(facts)
    (error,) = caught.value.errors()
    found_code, sentence = described(error)
    assert found_code == code
    assert message in {None, sentence}
    assert not JARGON.search(sentence)


@pytest.mark.parametrize("value", [None, [], "text"])
def test_value_that_is_no_object_is_named_without_the_class(value: Any):
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Facts).validate_python(value)
    code, sentence = described(caught.value.errors()[0])
    assert (code, sentence) == ("wrong_type", 'send a JSON object, such as {"genres": ["Drama"]}')


@pytest.mark.parametrize("kind", get_args(ErrorType))
def test_every_error_of_pydantic_gets_a_known_code(kind: str):
    limits = dict.fromkeys(("gt", "ge", "lt", "le", "min_length", "max_length", "expected"), 5.0)
    code, sentence = described({"type": kind, "msg": "Input of FilmFacts", "ctx": limits})
    assert code in CODES
    assert sentence
    assert kind in {"value_error", "assertion_error"} or "FilmFacts" not in sentence
