from typing import Any

import pytest

from dags.approval import answer_of
from scripts.deploy import Approval


@pytest.mark.parametrize(
    ("option", "person", "answer"),
    [
        ("Approve", {"id": "7", "name": "ada"}, Approval(approved=True, by="ada")),
        ("Reject", {"id": "7", "name": "ada"}, Approval(approved=False, by="ada")),
        ("Reject", None, Approval(approved=False, by="nobody's answer in 10 h")),
    ],
)
def test_answer_names_who_gave_it(option: str, person: Any, answer: Approval):
    assert answer_of({"chosen_options": [option], "responded_by_user": person}) == answer


def test_without_a_question_there_is_no_answer():
    assert answer_of(None) is None
