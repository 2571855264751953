from datetime import timedelta
from typing import Any

import pytest

from scripts.ledger.scoring import ratings_at_marks
from tests.support.bundles import RUN_DATE

DAY = timedelta(days=1)
RELEASED = RUN_DATE - 100 * DAY


def row(*votes: tuple[int, float | None, int]) -> dict[str, Any]:
    """Create a film with a vote history, given as (days since release, rating, votes) per day."""
    known = [
        {"date": RELEASED + age * DAY, "vote_average": rating, "vote_count": count}
        for age, rating, count in votes
    ]
    return {"id": 1, "release_date": RELEASED, "votes": known}


@pytest.mark.parametrize(
    ("film", "age", "marks"),
    [
        (row(), 100, {}),
        (row((-3, 9.0, 80)), 100, {}),  # votes before the release do not count
        (row((5, None, 0)), 100, {}),
        (row((5, 7.0, 49)), 29, {}),
        (row((5, 7.0, 49)), 30, {"30 days": 7.0}),
        (row((5, 7.0, 50)), 5, {"votes": 7.0}),
        (row((5, 7.0, 50), (9, 8.0, 60)), 30, {"votes": 7.0, "30 days": 8.0}),
        (row((31, 7.0, 50)), 31, {"votes": 7.0}),
        (row((31, 7.0, 50)), 90, {"votes": 7.0, "90 days": 7.0}),
        (row((31, 7.0, 50)), 30, {}),
    ],
)
def test_film_is_due_at_its_marks_with_its_rating_on_those_days(
    film: dict[str, Any], age: int, marks: dict[str, float]
):
    found = ratings_at_marks(film, RELEASED + age * DAY, min_votes=50)
    assert {each.mark: each.rating for each in found} == marks
