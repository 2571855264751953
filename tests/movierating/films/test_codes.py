import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierating.films.codes import UNKNOWN_CODE, Codes, CodeTable

names = st.text(min_size=1, max_size=5)
seen = st.lists(st.none() | names | st.just(""))
tables = st.lists(names, unique=True).map(lambda listed: CodeTable(tuple(listed)))


@given(tables, seen)
def test_extending_never_changes_a_code(table: CodeTable, more: list[str | None]):
    extended = table.extended(more)
    assert extended.names[: len(table.names)] == table.names
    assert set(extended.names) == set(table.names) | {name for name in more if name}


@given(tables, seen)
def test_extending_with_the_same_names_again_adds_nothing(table: CodeTable, more: list[str | None]):
    extended = table.extended(more)
    assert extended.extended(more) == extended


@given(tables)
def test_code_and_name_are_inverse(table: CodeTable):
    assert [table.name(table.code(name)) for name in table.names] == list(table.names)
    assert [table.code(name) for name in table.names] == list(range(len(table.names)))


def test_new_names_come_most_frequent_first_then_by_name():
    table = CodeTable(("Drama",))
    extended = table.extended(["Horror", "Crime", "Drama", "Horror", "Action", None, ""])
    assert extended.names == ("Drama", "Horror", "Action", "Crime")


@pytest.mark.parametrize("name", [None, "", "Western", "drama"])
def test_unknown_name_is_minus_one(name: str | None):
    assert CodeTable(("Drama",)).code(name) == UNKNOWN_CODE == -1


@pytest.mark.parametrize("code", [-1, -2, 1, 99])
def test_unknown_code_has_no_name(code: int):
    assert CodeTable(("Drama",)).name(code) is None


def test_duplicate_name_is_refused():
    with pytest.raises(ValueError, match="each name once"):
        CodeTable(("Drama", "Crime", "Drama"))


@given(tables, tables)
def test_tables_survive_json(genres: CodeTable, languages: CodeTable):
    codes = Codes(genres, languages)
    assert Codes.from_json(codes.to_json()) == codes
