from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scripts.store.people import MAX_OTHER_NAMES, PeopleStore, PersonRecord
from scripts.store.store_files import StoreCorruptError

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
ODD: list[Any] = [
    "봉준호",
    "Joon-ho Bong",
    "BONG JOON HO",
    "",
    "  ",
    None,
    7,
    "봉준호",
    "봉 준 호",
    "\ud83d",
    "x" * 101,
]
BONG = {
    "id": 21684,
    "name": "Bong Joon Ho",
    "original_name": "봉준호",
    "also_known_as": ODD,
    "profile_path": "/p.jpg",
}


def test_other_names_are_usable_and_distinct():
    person = PersonRecord.of(BONG, NOW)
    assert (person.id, person.name, person.profile_path) == (21684, "Bong Joon Ho", "/p.jpg")
    assert person.other_names == ("봉준호", "Joon-ho Bong", "봉 준 호", "?")


@pytest.mark.parametrize("listed", [None, [], {}, "봉준호", 7])
def test_person_without_other_names_has_none(listed: Any):
    person = PersonRecord.of({"id": 1, "name": "Ada", "also_known_as": listed}, NOW)
    assert (person.other_names, person.profile_path) == ((), None)


def test_number_of_other_names_is_limited():
    names = [f"name {at}" for at in range(500)]
    person = PersonRecord.of({"id": 1, "name": "Ada", "also_known_as": names}, NOW)
    assert len(person.other_names) == MAX_OTHER_NAMES


def test_people_are_read_as_they_were_written(tmp_path: Path):
    store = PeopleStore(tmp_path)
    assert store.read() == {}
    people = [PersonRecord.of(BONG, NOW), PersonRecord(7, NOW), PersonRecord(8, NOW, "Ada")]
    store.write(people)
    assert store.read() == {person.id: person for person in people}
    assert dict(store.other_names()) == {21684: list(people[0].other_names)}


def test_old_records_are_deleted(tmp_path: Path):
    store = PeopleStore(tmp_path)
    store.write([PersonRecord(1, NOW - timedelta(1), "Old"), PersonRecord(2, NOW, "New")])
    assert store.purge(NOW).keys() == {2}
    assert store.read().keys() == {2}
    assert PeopleStore(tmp_path / "none").purge(NOW) == {}


def test_damaged_file_is_named(tmp_path: Path):
    store = PeopleStore(tmp_path)
    store.write([PersonRecord.of(BONG, NOW)])
    path = tmp_path / "people" / "people.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(StoreCorruptError, match=r"people\.parquet is damaged"):
        store.read()
