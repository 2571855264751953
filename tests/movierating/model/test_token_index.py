import tracemalloc

import pytest

from movierating.films.film import Entity, Named
from movierating.model.token_index import NameIndex, WordIndex

BONG, OTHER_BONG = Entity(21684, "Bong Joon-ho"), Entity(9, "BONG JOON HO")
INDEX = NameIndex([BONG, "Ada Novak", Entity(1, "봉준호"), OTHER_BONG, Entity(5, "Ådå")])


@pytest.mark.parametrize("named", [BONG, Entity(21684, "봉준호"), "bong joon ho", "Bong  JOON-HO"])
def test_person_is_found_by_id_under_any_name_and_by_name_in_any_spelling(named: Named):
    assert INDEX.find(named) == 0


def test_homonym_is_found_by_id():
    assert INDEX.find(Entity(9, "Bong Joon-ho")) == 3


def test_unknown_id_is_somebody_else_of_the_same_name():
    assert INDEX.find(Entity(77, "Bong Joon-ho")) is None
    assert INDEX.find(Entity(77, "Nobody")) is None


def test_id_is_found_by_its_name_where_only_the_name_is_known():
    assert INDEX.find(Entity(77, "ada novak")) == 1


def test_all_who_bear_a_name_are_listed_in_the_order_of_the_rows():
    assert INDEX.bearing("bong joon-ho") == [0, 3]
    assert INDEX.bearing("ada") == [4]
    assert INDEX.bearing("nobody") == []


def test_rows_are_listed_as_they_were_given():
    assert list(INDEX) == [BONG, "Ada Novak", Entity(1, "봉준호"), OTHER_BONG, Entity(5, "Ådå")]
    assert [INDEX.name(row) for row in (0, 2)] == ["Bong Joon-ho", "봉준호"]
    assert len(INDEX) == 5


@pytest.mark.parametrize(
    ("letters", "rows"),
    [("joon ho", [0, 3]), ("ad", [1, 4]), ("준", [2]), ("o a", []), ("", []), (" ", []), ("!", [])],
)
def test_letters_are_found_within_names_and_not_across_them(letters: str, rows: list[int]):
    assert [row for _, row in INDEX.containing(letters)] == rows


def test_empty_index_finds_nothing():
    index = NameIndex([])
    assert (index.find(BONG), index.find("Ada"), list(index.containing("a"))) == (None, None, [])


@pytest.mark.parametrize("twice", [[BONG, Entity(21684, "Other")], ["Ada", "ADA"]])
def test_one_of_whom_there_are_two_rows_is_refused(twice: list[Named]):
    with pytest.raises(ValueError, match="once"):
        NameIndex(twice)


def test_word_is_found_only_as_it_is_spelled_and_listed_once():
    assert WordIndex(["Drama"]).find("Drama") == 0
    assert WordIndex(["Drama"]).find("drama") is None
    with pytest.raises(ValueError, match="once"):
        WordIndex(["Drama", "Drama"])


def test_index_of_names_needs_less_memory_than_their_texts():
    names = [Entity(at + 1, f"Given{at} Family{at}") for at in range(20_000)]
    tracemalloc.start()
    index = NameIndex(iter(names))
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(index) == 20_000
    assert used / 20_000 < 110  # bytes; a text with such a name alone has 70, its key as many


OTHERS = {21684: ["봉준호", "Joon-ho Bong", "Ada Novak"], 5: ["Joon Bong Ho"]}
WITH_OTHERS = NameIndex([BONG, "Ada Novak", OTHER_BONG, Entity(5, "Ådå")], OTHERS)


@pytest.mark.parametrize(
    "name", ["봉준호", "봉 준호", "joon ho bong", "Bong Joonho", "BONG JOON HO", "Joonho Bong"]
)
def test_person_is_found_by_every_known_name(name: str):
    assert WITH_OTHERS.bearing(name)[0] == 0


def test_own_name_comes_before_the_other_name_of_somebody_else():
    assert WITH_OTHERS.bearing("Ada Novak") == [1, 0]


@pytest.mark.parametrize("others", [[], ["제임스 토머스", "ジェームズ・トーマス"]])
def test_other_order_is_found_only_for_people_with_a_native_name(others: list[str]):
    assert NameIndex([Entity(1, "James Thomas")], {1: others}).find("Thomas James") is None


def test_other_name_of_somebody_is_no_name_of_an_unknown_id():
    assert WITH_OTHERS.find(Entity(77, "봉준호")) is None


def test_letters_of_other_names_are_found():
    assert [row for _, row in WITH_OTHERS.containing("준호")] == [0]
    assert {row for _, row in WITH_OTHERS.containing("joon ho")} == {0, 2}
