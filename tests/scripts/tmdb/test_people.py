from collections import Counter
from datetime import UTC, datetime, timedelta

from scripts.store.credits import Credited
from scripts.store.people import PersonRecord
from scripts.tmdb.people import due_people

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


def fetched(days_ago: int, number: int) -> PersonRecord:
    return PersonRecord(number, NOW - timedelta(days_ago), f"Person {number}")


def test_unknown_people_with_the_most_films_come_first_then_the_oldest_records():
    films = {1: 2, 2: 5, 3: 1, 4: 1, 5: 9}
    credited = {
        number: Credited(f"Person {number}", Counter(Directing=count))
        for number, count in films.items()
    }
    known = {3: fetched(151, 3), 4: fetched(160, 4), 5: fetched(149, 5), 6: fetched(170, 6)}
    assert due_people(credited, known, NOW) == [2, 1, 4, 3]
