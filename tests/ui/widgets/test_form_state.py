from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.widgets import form_state

ANYTHING = st.none() | st.text() | st.floats() | st.integers() | st.lists(st.text())


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("runtime", "112", 112),
        ("runtime", "601", 601),
        ("runtime", "90.5", 90.5),
        ("runtime", "nan", None),
        ("budget", "1e7", 10_000_000),
        ("budget", "inf", None),
        ("release_date", "2027-05-01", date(2027, 5, 1)),
        ("release_date", "1066-10-14", None),
        ("release_date", "soon", None),
        ("overview", None, ""),
        ("genres", ["Drama", "Drama", ""], ["Drama"]),
        ("language", None, ""),
    ],
)
def test_value_is_converted_for_its_field_or_dropped(field: str, value: Any, expected: Any):
    assert form_state.field_value(field, value) == expected


@given(st.sampled_from(form_state.FIELDS), ANYTHING)
def test_any_value_can_be_converted_and_converting_twice_changes_nothing(field: str, value: Any):
    if field in form_state.LIST_FIELDS and not isinstance(value, list):
        value = None
    converted = form_state.field_value(field, value)
    assert form_state.field_value(field, converted) == converted


@pytest.mark.parametrize("facts", [None, [], "x", {"genres": "Drama", "runtime": "x", "a": 1}])
def test_facts_of_any_form_are_cleaned(facts: Any):
    assert form_state.cleaned(facts) == {}


def test_usable_facts_stay_as_they_are():
    facts = {
        "overview": "A plot",
        "genres": ["Drama"],
        "runtime": 112,
        "release_date": "2027-05-01",
    }
    assert form_state.cleaned(facts) == facts
