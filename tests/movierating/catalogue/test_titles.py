import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing

import pytest

from movierating.catalogue.titles import (
    begins_with,
    contains,
    has_two_of,
    index_text,
    is_exactly,
    terms_of,
    title_key,
)

TITLES = {
    1: ["Spider-Man: No Way Home", "스파이더맨: 노 웨이 홈"],
    2: ["Parasite", "기생충"],
    3: ["Up", "업"],
    4: ["Amélie", "Le Fabuleux Destin d'Amélie Poulain"],
    5: ["千と千尋の神隠し", "Spirited Away"],
    6: ["WALL·E"],
    7: ["2001: A Space Odyssey"],
}


@pytest.fixture(scope="module")
def index() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(
            "CREATE VIRTUAL TABLE titles USING fts5(terms, content='', tokenize='ascii')"
        )
        rows = [(number, index_text(titles)) for number, titles in TITLES.items()]
        database.executemany("INSERT INTO titles (rowid, terms) VALUES (?, ?)", rows)
        yield database


def found(index: sqlite3.Connection, query: str) -> list[int]:
    rows = index.execute("SELECT rowid FROM titles WHERE titles MATCH ? ORDER BY rowid", [query])
    return [number for (number,) in rows]


@pytest.mark.parametrize(
    ("text", "films"),
    [
        ("spider man", [1]),
        ("SPIDERMAN", [1]),
        ("way home", [1]),
        ("no", [1]),
        ("노웨이", [1]),
        ("노 웨이", [1]),
        ("기생", [2]),
        ("생충", [2]),
        ("기생추", [2]),  # the last syllable is not complete yet
        ("u", [3, 4]),
        ("p", [1, 2, 3, 4, 5, 7]),
        ("amelie", [4]),
        ("d'Amelie", [4]),
        ("神隠", [5]),
        ("千", [5]),
        ("wall-e", [6]),
        ("2001", [7]),
        ("1a", [7]),
        ("homespider", []),
        ("z", []),
    ],
)
def test_any_part_of_a_title_finds_it(index: sqlite3.Connection, text: str, films: list[int]):
    assert found(index, contains(title_key(text))) == films


def test_exact_title_and_beginning_are_told_apart(index: sqlite3.Connection):
    assert found(index, is_exactly(title_key("up"))) == [3]
    assert found(index, is_exactly(title_key("para"))) == []
    assert found(index, begins_with(title_key("para"))) == [2]
    assert found(index, begins_with(title_key("site"))) == []
    assert found(index, begins_with(title_key("w"))) == [6]


def test_titles_of_one_film_do_not_run_into_each_other(index: sqlite3.Connection):
    assert found(index, contains(title_key("site기생"))) == []


def test_two_common_terms_find_a_misspelt_title(index: sqlite3.Connection):
    assert found(index, has_two_of(terms_of(title_key("parrasite"))))[:1] == [2]
    assert has_two_of(["one"]) == has_two_of([]) == ""


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("  The LANTERN! ", "thelantern"),
        ("Ｆｕｌｌ　ｗｉｄｔｈ", "fullwidth"),
        ("🎬🍿", ""),
        ("...", ""),
        ("", ""),
    ],
)
def test_key_has_only_letters_and_digits(title: str, key: str):
    assert title_key(title) == key


def test_key_of_a_syllable_is_the_same_in_both_unicode_forms():
    composed = "봉준호"
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    assert title_key(composed) == title_key(decomposed)
