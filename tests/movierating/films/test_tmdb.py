from typing import Any

import pytest

from movierating.films import tmdb

CREDITS = {
    "cast": [
        {"name": "Jo Lindqvist", "order": 1},
        {"name": "Extra"},
        {"name": "Kim Minseo", "order": 0},
    ],
    "crew": [
        {"name": "Ada Novak", "job": "Director", "department": "Directing"},
        {"name": "Ada Novak", "job": "Screenplay", "department": "Writing"},
        {"name": "Lee Sun", "job": "Novel", "department": "Writing"},
        {"name": "Ray Light", "job": "Gaffer", "department": "Lighting"},
    ],
}


def test_people_are_read_by_their_job():
    assert tmdb.directors(CREDITS) == ("Ada Novak",)
    assert tmdb.writers(CREDITS) == ("Ada Novak", "Lee Sun")
    assert tmdb.other_crew(CREDITS) == ("Ray Light",)
    assert tmdb.cast(CREDITS) == ("Kim Minseo", "Jo Lindqvist", "Extra")


def test_names_are_normalised_and_listed_once_and_objects_without_a_name_are_left_out():
    found: list[dict[str, Any]] = [{"name": "Ａ  b"}, {"name": "A b"}, {"name": " "}, {"id": 1}]
    assert tmdb.names(found) == ("A b",)


@pytest.mark.parametrize("value", [None, 5, "text", [], [1, "a"], {"crew": None}, {"crew": [1]}])
def test_value_of_another_type_counts_as_absent(value: Any):
    assert tmdb.directors(value) == ()
    assert tmdb.names(tmdb.objects(value if isinstance(value, list) else [])) == ()


def test_codes_of_countries_are_read():
    assert tmdb.country_codes([{"iso_3166_1": "KR", "name": "South Korea"}]) == ("KR",)
