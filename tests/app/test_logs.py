import json
import logging
import sys

import pytest
from pydantic import ValidationError

from app.film_facts import FilmFacts
from app.logs import REQUEST_ID, JsonFormatter, locations

PLANTED = "planted-input-that-must-not-be-written"


def written(message: str, *args: object, **others: object) -> dict[str, object]:
    record = logging.LogRecord("app.some", logging.WARNING, "x.py", 1, message, args, None)
    record.__dict__.update(others)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    content: dict[str, object] = json.loads(line)
    return content


def test_line_is_json_with_time_level_and_logger():
    line = written('said "%s"\nto %s', "so", "me")
    assert line["message"] == 'said "so"\nto me'
    assert (line["level"], line["logger"]) == ("WARNING", "app.some")
    assert str(line["time"]).endswith("+00:00")


def test_facts_become_fields_of_the_line():
    assert written("request", facts={"status": 200, "odd": object})["status"] == 200


def test_line_has_the_id_of_its_request():
    assert "request_id" not in written("x")
    token = REQUEST_ID.set("abc")
    try:
        assert written("x")["request_id"] == "abc"
    finally:
        REQUEST_ID.reset(token)


def test_exception_is_logged_with_types_and_locations_but_no_message():
    try:
        try:
            FilmFacts.model_validate({"genres": PLANTED})
        except ValidationError as error:
            raise KeyError(PLANTED) from error
    except KeyError:
        line = written("broke", exc_info=sys.exc_info())
    exception = line["exception"]
    assert isinstance(exception, list)
    assert exception[0] == "KeyError"
    assert "ValidationError" in exception
    assert "test_logs.py" in exception[1]
    assert PLANTED not in str(line)


def test_exception_without_a_traceback_is_logged_with_its_type():
    assert locations(ValueError(PLANTED)) == ["ValueError"]
    assert locations(None) == []


@pytest.mark.parametrize("message", ["\udc80", "등대"])
def test_message_with_a_lone_surrogate_is_logged(message: str):
    assert written(message)["level"] == "WARNING"
