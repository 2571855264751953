import csv
import io
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.stub_api import FORECAST
from ui.client.predictions import Forecast
from ui.i18n.words import Words
from ui.widgets import films_csv
from ui.widgets.films_csv import FileError, FilmResult, Row

KO, EN = Words("ko"), Words("en")
ROOT = Path(__file__).parents[3]


def films(text: str, encoding: str = "utf-8") -> list[Row]:
    return films_csv.read_films(text.encode(encoding), KO)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_columns_may_have_names_of_both_languages_or_of_the_api(encoding: str):
    (film,) = films("제목,Plot,genres,원어\n등불,빛,드라마; SF,Korean\n", encoding)
    assert film.facts == {
        "title": "등불",
        "overview": "빛",
        "genres": ["Drama", "Science Fiction"],
        "language": "ko",
    }
    assert (film.line, film.problem) == (2, None)


@pytest.mark.parametrize(
    "written", ["2027-05-01", "2027.05.01", "2027/05/01", "2027.5.1", "2027. 5. 1."]
)
def test_dates_may_have_korean_separators(written: str):
    (film,) = films(f"genre,release date\nDrama,{written}\n")
    assert film.facts["release_date"] == "2027-05-01"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Drama,long,,", "러닝타임 칸에는 분 단위"),
        ("Drama,nan,,", "러닝타임 칸에는 분 단위"),
        ("Drama,,much,", "제작비 칸에는 미국 달러"),
        ("Drama,,,soon", "개봉일 칸에는 2027-05-01과 같은"),
        (",90,,", "줄거리와 장르 중"),
    ],
)
def test_faulty_row_names_the_field_and_other_rows_are_read(row: str, message: str):
    wrong, right = films(f"genre,runtime,budget,release_date\n{row}\nComedy,90,,\n")
    assert wrong.problem is not None
    assert message in wrong.problem
    assert (right.problem, right.line) == (None, 3)


def test_unknown_columns_and_empty_rows_are_skipped():
    (film,) = films("genre,stars\n\nDrama,5\n,\n")
    assert film.facts == {"genres": ["Drama"]}


def test_row_may_be_shorter_or_longer_than_the_head():
    short, long = films("genre,runtime\nDrama\nComedy,90,surplus\n")
    assert (short.facts, long.facts) == (
        {"genres": ["Drama"]},
        {"genres": ["Comedy"], "runtime": 90},
    )


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", "empty"),
        (b"genre\n", "empty"),
        (b"a,b\n1,2\n", "no_columns"),
        (b"\xff\xfe\x00\x81", "unreadable"),
        (b"genre\n" + b"Drama\n" * (films_csv.MAX_ROWS + 1), "too_many"),
        (b'genre\n"' + b"x" * 200_000 + b'"\n', "unreadable"),
        (b"genre\n" + b"," * 200_001, "unreadable"),
        (b"genre\n" + b"\n" * films_csv.MAX_MB * 1024 * 1024, "too_large"),
    ],
)
def test_unusable_file_raises_an_error_with_its_reason(raw: bytes, kind: str):
    with pytest.raises(FileError) as caught:
        films_csv.read_films(raw, EN)
    assert caught.value.kind == kind
    assert EN(f"csv.{kind}", most="200", megabytes="2")


@given(st.binary(max_size=400))
def test_reader_raises_nothing_but_file_errors(raw: bytes):
    with suppress(FileError):
        assert films_csv.read_films(b"genre,runtime\n" + raw, EN)


@pytest.mark.parametrize("words", [KO, EN])
def test_example_file_is_valid(words: Words):
    (film,) = films_csv.read_films(films_csv.example_file(words), words)
    assert film.problem is None
    assert film.facts["genres"] == ["Drama", "Mystery"]
    assert film.facts["language"] == words.code


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n"])
def test_cell_that_a_spreadsheet_would_calculate_is_quoted(first: str):
    result = FilmResult(Row(2, {"title": f"{first}SUM(1)"}), problem=f"{first}x")
    text = films_csv.results_file([result], EN).decode("utf-8-sig")
    _, row = csv.reader(io.StringIO(text, newline=""))
    assert row[1] == f"'{first}SUM(1)"
    assert row[-1] == f"'{first}x"


def test_results_file_has_a_row_per_film_and_no_formulas():
    good = FilmResult(Row(2, {"title": "=cmd()"}), Forecast.parse(FORECAST))
    bad = FilmResult(Row(3, {"title": "바다"}), problem="오류")
    text = films_csv.results_file([good, bad], EN).decode("utf-8-sig")
    head, first, second = csv.reader(io.StringIO(text))
    assert head[:4] == ["Row", "Film", "Rating", "Interval from"]
    assert first[:4] == ["2", "'=cmd()", "6.84", "5.93"]
    assert second[0] == "3"
    assert second[-1] == "오류"
    assert {len(head), len(first), len(second)} == {len(head)}


def test_rows_after_the_last_allowed_one_are_not_read(monkeypatch: pytest.MonkeyPatch):
    read = []
    monkeypatch.setattr(films_csv, "_row", lambda at, *_: read.append(at))
    with pytest.raises(FileError):
        films("genre\n" + "Drama\n" * 100_000)
    assert len(read) == films_csv.MAX_ROWS


def test_streamlit_refuses_larger_files_than_the_page_reads():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["server"]["maxUploadSize"] == films_csv.MAX_MB


def test_results_file_names_unused_and_changed_values():
    body = FORECAST | {
        "ignored": [{"field": "genres", "values": ["Puppetry"], "reason": "unknown"}],
        "read_as": [{"field": "language", "sent": "kr", "read": "ko"}],
    }
    result = FilmResult(Row(2, {}), Forecast.parse(body))
    text = films_csv.results_file([result], EN).decode("utf-8-sig")
    head, row = csv.reader(io.StringIO(text))
    cells = dict(zip(head, row, strict=True))
    assert "(Puppetry)" in cells["Not used"]
    assert "“kr” as “ko”" in cells["Read as"]


@pytest.mark.parametrize("cell", ["1_12", "1,12", "1e2", "0x70", "nan", "112 min", "--1"])
def test_number_that_can_be_misread_is_an_error(cell: str):
    (film,) = films(f'genre,runtime\nDrama,"{cell}"\n')
    assert film.problem


@pytest.mark.parametrize(
    ("cell", "minutes"), [("112", 112), ("１１２", 112), ("1,112.5", 1112.5), ("-5", -5)]
)
def test_plain_number_is_read(cell: str, minutes: float):
    (film,) = films(f'genre,runtime\nDrama,"{cell}"\n')
    assert film.facts["runtime"] == minutes
