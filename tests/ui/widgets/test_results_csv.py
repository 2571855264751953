import csv
import io
import tomllib
from pathlib import Path

import pytest

from tests.support.stub_api import FORECAST
from ui.client.predictions import Forecast
from ui.film_files.films import read_films
from ui.film_files.rows import Row
from ui.film_files.table import MAX_MB
from ui.i18n.words import Words
from ui.widgets.results_csv import FilmResult, example_file, results_file

KO, EN = Words("ko"), Words("en")
ROOT = Path(__file__).parents[3]


def cells_of(result: FilmResult) -> dict[str, str]:
    text = results_file([result], EN).decode("utf-8-sig")
    head, row = csv.reader(io.StringIO(text, newline=""))
    return dict(zip(head, row, strict=True))


@pytest.mark.parametrize("words", [KO, EN])
def test_example_file_is_valid(words: Words):
    (film,) = read_films(example_file(words), words).rows
    assert film.problem is None
    assert film.facts["genres"] == ["Drama", "Mystery"]
    assert film.facts["language"] == words.code


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n"])
def test_cell_that_a_spreadsheet_would_calculate_is_quoted(first: str):
    cells = cells_of(FilmResult(1, Row(2, {"title": f"{first}SUM(1)"}), problem=f"{first}x"))
    assert cells["Film"] == f"'{first}SUM(1)"
    assert cells["Error"] == f"'{first}x"


def test_results_file_has_a_row_per_film():
    good = FilmResult(1, Row(None, {"title": "=cmd()"}), Forecast.parse(FORECAST))
    bad = FilmResult(2, Row(7, {"title": "바다"}), problem="오류")
    text = results_file([good, bad], EN).decode("utf-8-sig")
    head, first, second = csv.reader(io.StringIO(text))
    assert head[:4] == ["No.", "Film", "Rating", "Interval from"]
    assert first[:4] == ["1", "'=cmd()", "6.84", "5.93"]
    assert (first[-1], second[0], second[-2:]) == ("", "2", ["오류", "7"])
    assert {len(head), len(first), len(second)} == {len(head)}


def test_streamlit_refuses_larger_files_than_the_page_reads():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["server"]["maxUploadSize"] == MAX_MB


def test_results_file_names_warnings_and_unused_and_changed_values():
    body = FORECAST | {
        "ignored": [{"field": "genres", "values": ["Puppetry"], "reason": "unknown"}],
        "read_as": [{"field": "language", "sent": "kr", "read": "ko"}],
        "warnings": [{"field": "runtime", "message": "unusual"}],
    }
    row = Row(2, {}, remarks=("Budget converted.",))
    cells = cells_of(FilmResult(1, row, Forecast.parse(body)))
    assert "(Puppetry)" in cells["Not used"]
    assert "“kr” as “ko”" in cells["Read as"]
    assert cells["Unusual"] == "running time"
    assert cells["Notes"] == "Budget converted."
