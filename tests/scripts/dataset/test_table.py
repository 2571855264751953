import csv
import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from movierating.films.codes import Codes, CodeTable
from movierating.films.film import Entity, Film, Plot
from scripts.dataset.table import NEW_COLUMNS, OLD_COLUMNS, film_of, films_of, read_cleaned, row_of
from scripts.runtime.storage import DataFileError

CODES = Codes(CodeTable(("Drama", "Crime")), CodeTable(("en", "ko")))
numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=9)
names = st.lists(texts, max_size=3).map(tuple)
entities = st.builds(Entity, st.integers(1, 2**53 - 1), texts)
named = st.lists(texts | entities, max_size=3).map(tuple)
films = st.builds(
    Film,
    title=st.none() | texts,
    genres=names,
    countries=names,
    directors=named,
    writers=named,
    cast=named,
    companies=named,
    franchise=st.none() | texts | entities,
    keywords=named,
    original_language=st.none() | st.from_regex("[a-z]{2}", fullmatch=True),
    runtime_minutes=st.none() | numbers,
    release_date=st.dates(),
    budget_usd=st.none() | numbers,
    plot=st.none()
    | st.builds(
        Plot,
        st.integers(1, 10**6),
        numbers,
        subjectivity=st.none() | numbers,
        text=st.none() | texts,
    ),
)


OUTCOME = {"revenue": 1, "vote_count": 1, "vote_average": 5.0}


def written_and_read(some: list[Film]) -> pd.DataFrame:
    rows = [OUTCOME | {"id": at} | row_of(film, CODES) for at, film in enumerate(some)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cleaned.csv"
        pd.DataFrame(rows).to_csv(
            path, index=False, encoding="utf-8-sig", quoting=csv.QUOTE_NONNUMERIC
        )
        return read_cleaned(path).sort_values("id")


@given(st.lists(films, min_size=1, max_size=4))
@example([Film(release_date=pd.Timestamp("2026-11-23").date(), budget_usd=0.1 + 0.2)])
@example([Film(release_date=pd.Timestamp("2026-11-23").date(), title="NA", franchise=' "A",\r\nB')])
@example(
    [Film(release_date=pd.Timestamp("2026-11-23").date(), title="\r", cast=("A\0", "\n", '"'))]
)
def test_film_is_read_exactly_as_it_was_written(some: list[Film]):
    assert films_of(written_and_read(some)) == some


def test_cleaned_file_is_read_oldest_first(tmp_path: Path):
    path = tmp_path / "cleaned.csv"
    days = ["2026-01-02", "2025-12-31", "2026-01-01", "2025-12-31"]
    others = dict.fromkeys((*OLD_COLUMNS, *NEW_COLUMNS), 0)
    frame = pd.DataFrame(others | {"id": [1, 4, 2, 3], "release_date": days})
    frame.to_csv(path, index=False)
    assert read_cleaned(path)["id"].tolist() == [3, 4, 2, 1]


@pytest.mark.parametrize("missing", ["id", "release_date", "keywords", "overview_ko"])
def test_file_of_another_version_names_the_missing_column_and_what_to_do(
    tmp_path: Path, missing: str
):
    path = tmp_path / "movies_cleaned_2026-11-23.csv"
    names = [name for name in (*OLD_COLUMNS, *NEW_COLUMNS) if name != missing]
    pd.DataFrame({name: ["1"] for name in names}).to_csv(path, index=False)
    with pytest.raises(
        DataFileError,
        match=rf"movies_cleaned_2026-11-23.csv has no column '{missing}', .* run preprocess",
    ):
        read_cleaned(path)


@pytest.mark.parametrize("raw", [b"", b"id,title\n1,2,3,4\n", b"\xff\xfe\x00"])
def test_damaged_file_is_named(tmp_path: Path, raw: bytes):
    path = tmp_path / "cleaned.csv"
    path.write_bytes(raw)
    with pytest.raises(DataFileError, match=r"cleaned\.csv .*run preprocess for its date again"):
        read_cleaned(path)


def test_unknown_facts_are_empty_and_unknown_codes_minus_one():
    row = row_of(Film(), CODES)
    assert row.pop("genre_encoded") == row.pop("lang_encoded") == -1
    lists = ("genres", "countries", "directors", "writers", "cast", "companies", "keywords")
    assert {row.pop(name) for name in lists} == {"[]"}
    assert set(row.values()) == {None}


def test_row_has_the_columns_known_before_release():
    after_release = {"id", "revenue", "vote_count", "vote_average"}
    assert row_of(Film(), CODES).keys() == {*OLD_COLUMNS, *NEW_COLUMNS} - after_release


def test_empty_cells_of_a_row_are_unknown():
    row: dict[Any, Any] = row_of(Film(release_date=pd.Timestamp("2020-01-01").date()), CODES)
    nan = {name: math.nan for name, value in row.items() if value is None}
    assert film_of(row | nan) == Film(release_date=pd.Timestamp("2020-01-01").date())
