"""Describe an invalid field for people, in a sentence, and for programs, with a stable code."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from pydantic_core.core_schema import ErrorType

# What each code means, for the page about invalid input. A code never changes its meaning, because
# programs compare it; the sentences of a `FieldProblem` may change at any time.
CODES: Final = {
    "missing": "A field that is required was not sent.",
    "wrong_type": "The value is of another kind than the field, such as a number instead of text.",
    "not_a_number": "The value is not a number.",
    "not_a_whole_number": "The value is not a whole number.",
    "not_a_date": "The value is not a date in the form YYYY-MM-DD.",
    "not_true_or_false": "The value is neither true nor false.",
    "too_small": "The number or date is below the lowest one that is accepted.",
    "too_large": "The number or date is above the highest one that is accepted.",
    "too_short": "The text has too few characters, or the list too few entries.",
    "too_long": "The text has too many characters, the list too many entries, or a number too many "
    "digits.",
    "too_long_together": "The plots of all films in a batch have too many characters together.",
    "wrong_form": "The text does not have the form that the documentation of the field describes.",
    "unknown_choice": "The field does not accept this value.",
    "unknown_code": "The number is not the code of a genre or language of the model in service.",
    "unknown_field": "A field of this name does not exist.",
    "not_unicode": "The text contains a character that does not exist, such as half of an emoji.",
    "plot_or_genre_missing": "The film has neither a plot nor a genre.",
    "unknown_film": "No film has this id in the film catalogue, nor at TMDB, if it was asked.",
    "unsuitable_film": "The film is an adult film or a video, and none of these is forecast.",
    "not_json": "The body of the request is not JSON.",
    "not_utf8": "The body of the request is not encoded in UTF-8.",
    "not_gzip": "The body of the request is announced as gzip, but is not, or is incomplete.",
    "too_deep": "The body of the request has too many lists or objects inside each other.",
    "not_valid": "The value is not valid for another reason, which the message gives.",
}

_OBJECT: Final = ("wrong_type", 'send a JSON object, such as {{"genres": ["Drama"]}}')
_LIST: Final = ("wrong_type", 'send a list, such as ["Drama"]')
_TEXT: Final = ("wrong_type", "send a text in quotes")
_NUMBER: Final = ("not_a_number", "send a number, such as 112")
_WHOLE_NUMBER: Final = ("not_a_whole_number", "send a whole number, such as 112")
_DATE: Final = ("not_a_date", "send a date as YYYY-MM-DD, such as 2027-05-01")
_BOOLEAN: Final = ("not_true_or_false", "send true or false")

# For each error type of pydantic that a request can cause: our code and sentence. Braces stand for
# a value from the context of the error. Pydantic's own messages name patterns and Python classes.
_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("missing", "send this field; it is required"),
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dict_type": _OBJECT,
    "list_type": _LIST,
    "string_type": _TEXT,
    "string_unicode": ("not_unicode", "the text contains a character that does not exist"),
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": ("too_long", "the number has too many digits"),
    "int_from_float": _WHOLE_NUMBER,
    "bool_type": _BOOLEAN,
    "bool_parsing": _BOOLEAN,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "greater_than": ("too_small", "must be greater than {gt}"),
    "greater_than_equal": ("too_small", "must be {ge} or greater"),
    "less_than": ("too_large", "must be less than {lt}"),
    "less_than_equal": ("too_large", "must be {le} or less"),
    "string_too_short": ("too_short", "the text must have {min_length} or more characters"),
    "string_too_long": ("too_long", "the text may have at most {max_length} characters"),
    "too_short": ("too_short", "the list must have {min_length} or more entries"),
    "too_long": ("too_long", "the list may have at most {max_length} entries"),
    "string_pattern_mismatch": (
        "wrong_form",
        "the text does not have the form that /docs describes for this field",
    ),
    "literal_error": ("unknown_choice", "send one of: {expected}"),
    "enum": ("unknown_choice", "send one of: {expected}"),
    "extra_forbidden": ("unknown_field", "there is no field of this name; leave it out"),
}
_PYDANTIC_TYPES: Final = frozenset(get_args(ErrorType))


def described(error: Mapping[str, Any]) -> tuple[str, str]:
    """Return the code and the sentence for an error as pydantic lists it.

    An error whose type is not one of pydantic's was raised by this service, as a
    `PydanticCustomError`. Its type is the code, and its message is the sentence.
    """
    kind = error["type"]
    context: Mapping[str, Any] = error.get("ctx") or {}
    if "message" in context:  # from `app.fields.refuse`; its code can be one of pydantic's types
        return kind, str(context["message"])
    if kind in _SENTENCES:
        code, sentence = _SENTENCES[kind]
        return code, sentence.format_map({name: _plain(each) for name, each in context.items()})
    if kind not in _PYDANTIC_TYPES:
        return kind, error["msg"]
    if kind in {"value_error", "assertion_error"}:  # raised by a validator of this service
        return "not_valid", str(context.get("error", error["msg"]))
    return "not_valid", "this value cannot be used; /docs describes the field"


def _plain(value: Any) -> str:
    """Write a limit without the digits that only Python needs: 600 instead of 600.0."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)
