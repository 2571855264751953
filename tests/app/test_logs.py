import json
import logging
import sys

import pytest
from pydantic import ValidationError

from app.logs import REQUEST_ID, JsonFormatter, locations
from app.schemas import FilmFacts

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


def test_facts_stand_in_the_line():
    assert written("request", facts={"status": 200, "odd": object})["status"] == 200


def test_request_in_whose_course_it_was_written_is_named():
    assert "request_id" not in written("x")
    token = REQUEST_ID.set("abc")
    try:
        assert written("x")["request_id"] == "abc"
    finally:
        REQUEST_ID.reset(token)


def test_exception_is_told_by_type_and_place_and_not_by_what_was_sent():
    try:
        try:
            FilmFacts.model_validate({"genres": PLANTED})
        except ValidationError as error:
            raise KeyError(PLANTED) from error
    except KeyError:
        line = written("broke", exc_info=sys.exc_info())
    told = line["exception"]
    assert isinstance(told, list)
    assert told[0] == "KeyError"
    assert "ValidationError" in told
    assert "test_logs.py" in told[1]
    assert PLANTED not in str(line)


def test_exception_without_a_trace_has_its_type():
    assert locations(ValueError(PLANTED)) == ["ValueError"]
    assert locations(None) == []


@pytest.mark.parametrize("message", ["\udc80", "등대"])
def test_odd_letters_do_not_break_the_log(message: str):
    assert written(message)["level"] == "WARNING"
