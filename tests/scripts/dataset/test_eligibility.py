from typing import Any

import pytest

from scripts.dataset.eligibility import ineligible_rows, is_eligible
from tests.support.films import columns


@pytest.mark.parametrize(
    ("film", "reasons"),
    [
        ({}, []),
        ({"adult": True}, ["adult film"]),
        ({"video": True}, ["video"]),
        ({"adult": True, "video": True, "runtime": 12}, ["adult film", "video", "no feature film"]),
        ({"adult": None}, ["adult film"]),  # unknown flags: the record is damaged
        ({"video": "no"}, ["video"]),
        ({"runtime": None}, []),
        ({"runtime": 0}, []),
        ({"runtime": 39}, ["no feature film"]),
        ({"runtime": 40}, []),
        ({"runtime": 600}, []),
        ({"runtime": 601}, ["no feature film"]),
        ({"runtime": 900}, ["no feature film"]),
        ({"runtime": 2**70}, ["no feature film"]),
    ],
)
def test_only_feature_films_that_are_neither_adult_nor_video_are_eligible(
    film: dict[str, Any], reasons: list[str]
):
    films = columns({"id": 1}, {"id": 2} | film, {"id": 3})
    found = {reason: rows.tolist() for reason, rows in ineligible_rows(films).items() if len(rows)}
    assert found == {reason: [1] for reason in reasons}
    kept = films.filter(is_eligible())["id"].to_pylist()
    assert kept == ([1, 3] if reasons else [1, 2, 3])
