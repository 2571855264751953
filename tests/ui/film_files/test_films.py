import csv
import io
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ui.film_files import films
from ui.film_files.errors import FileError
from ui.film_files.films import FilmsFile
from ui.film_files.rows import Answers, Row, RowReader
from ui.film_files.table import MAX_BYTES
from ui.i18n.words import Words

KO, EN = Words("ko"), Words("en")


def read(text: str | bytes, encoding: str = "utf-8", **answers: Any) -> FilmsFile:
    raw = text if isinstance(text, bytes) else text.encode(encoding)
    return films.read_films(raw, EN, Answers(**answers) if answers else None)


def rows(text: str | bytes, encoding: str = "utf-8", **answers: Any) -> list[Row]:
    return read(text, encoding, **answers).rows


def table(*lines: list[str]) -> str:
    stream = io.StringIO()
    csv.writer(stream).writerows(lines)
    return stream.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_headings_of_both_languages_are_read_in_each_encoding(encoding: str, delimiter: str):
    text = "제목,Plot,genres,언어\n등불,빛과 바다,드라마/SF,Korean\n".replace(",", delimiter)
    found = read(text, encoding)
    (film,) = found.rows
    assert film.facts == {
        "title": "등불",
        "overview": "빛과 바다",
        "genres": ["Drama", "Science Fiction"],
        "language": "ko",
    }
    assert (film.line, film.problem, found.table.delimiter) == (2, None, delimiter)


def test_headings_of_the_trade_are_read():
    heads = "영화명,시놉시스,장르,러닝타임,원어,개봉일,감독,각본,주연,제작사,제작국가,제작비(억원)"
    cells = "등불,섬의 등대,멜로/로맨스,125분,한국어,2026.12.25,김,박,이;최,달,대한민국,50"
    (film,) = rows(f"{heads},배급사,등급\n{cells},별,12세\n", won_per_dollar=1250.0)
    assert film.problem is None
    assert film.facts == {
        "title": "등불",
        "overview": "섬의 등대",
        "genres": ["Romance"],
        "runtime": 125,
        "language": "ko",
        "release_date": "2026-12-25",
        "directors": ["김"],
        "writers": ["박"],
        "cast": ["이", "최"],
        "companies": ["달"],
        "countries": ["KR"],
        "budget": 4_000_000,
    }
    assert film.remarks == (
        "Budget: 5,000,000,000 won are 4,000,000 US dollars at 1,250 won per dollar.",
    )


def test_each_column_is_listed_with_its_use():
    found = read("영화명,배급사,관객수,stars,,원제\n등불,달,100,5,x,Lamp\n".replace("등불", "등불"))
    uses = [(column.heading, column.field, column.reason) for column in found.columns]
    assert uses == [
        ("영화명", "title", None),
        ("배급사", None, "distributor"),
        ("관객수", None, "after_release"),
        ("stars", None, "unknown"),
        ("", None, "no_heading"),
        ("원제", None, "second_choice"),
    ]
    assert found.examples == {0: "등불", 1: "달", 2: "100", 3: "5", 4: "x", 5: "Lamp"}


def test_rows_above_the_headings_are_skipped_and_shown():
    found = read("영화 목록\n2026년 라인업,,\n\n제목,장르,감독\n등불,드라마,김\n")
    assert found.above == ("영화 목록", "2026년 라인업")
    assert [(row.line, row.title) for row in found.rows] == [(5, "등불")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_first_line_may_name_the_delimiter(delimiter: str):
    text = f"sep={delimiter}\r\n" + "title,genre\r\nA,Drama\r\n".replace(",", delimiter)
    found = read(text)
    assert found.table.delimiter == delimiter
    assert [(row.line, row.facts) for row in found.rows] == [
        (3, {"title": "A", "genres": ["Drama"]})
    ]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_quotation_mark_without_partner_swallows_no_other_film(line_end: str):
    lines = ['1,"A,Drama', "2,B,Comedy", '3,"C",Drama', '4,D "x",Drama', '5,"E" x,Drama', "6,F,War"]
    text = line_end.join(["no,title,genre", *lines, ""])
    found = rows(text)
    assert [(row.line, row.title, bool(row.problem)) for row in found] == [
        (2, None, True),
        (3, "B", False),
        (4, "C", False),
        (5, 'D "x"', False),
        (6, None, True),
        (7, "F", False),
    ]


@pytest.mark.parametrize(
    ("lines", "read_titles"),
    [
        (['1,"A,Drama', '2,B",Comedy', "3,C,War"], ['B"', "C"]),
        (['1,"A', '2,B"', "3,C,War"], ["C"]),
        (['1,"A,Drama', "2,B,Comedy", "3,C,War"], ["B", "C"]),
        (['1,A,"Drama', "2,B,Comedy"], ["B"]),
    ],
)
def test_row_that_may_have_swallowed_others_is_refused(lines: list[str], read_titles: list[str]):
    first, *others = rows("\n".join(["no,title,genre", *lines]))
    assert first.problem == EN("csv.quote")
    assert [row.title for row in others if not row.problem] == read_titles


def test_line_breaks_inside_a_text_are_part_of_it():
    (film, other) = rows('title,plot,genre\nA,"Two lines,\nand ""more"", here.",Drama\nB,x,War\n')
    assert film.facts["overview"] == 'Two lines,\nand "more", here.'
    assert other.title == "B"


def test_surplus_cells_are_refused_by_row_and_empty_ones_are_not():
    surplus, good = rows("title,genre\nA,Drama,90\nB,War,,\n")
    assert surplus.problem == EN("csv.surplus", cells="3", columns="2")
    assert good.facts == {"title": "B", "genres": ["War"]}


def test_rows_with_fewer_cells_are_counted():
    found = read("title,genre,runtime\nA,Drama\nB,War,90\n")
    assert found.short_rows == 1
    assert [row.problem for row in found.rows] == [None, None]


@pytest.mark.parametrize(
    ("heads", "first", "second"),
    [
        ("제목,title,genre", "제목", "title"),
        ("genre,장르", "genre", "장르"),
        ("주연,출연,장르", "주연", "출연"),
    ],
)
def test_two_columns_of_one_meaning_are_refused(heads: str, first: str, second: str):
    with pytest.raises(FileError) as caught:
        read(f"{heads}\na,b,c\n")
    assert (caught.value.kind, caught.value.values) == (
        "two_columns",
        {"first": first, "second": second},
    )


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", "empty"),
        (b"genre\n", "empty"),
        (b"genre\n,\n\n", "empty"),
        (b"a,b\n1,2\n", "no_columns"),
        (b"year,imdb rating\n1,2\n", "no_columns"),
        (b"genre\n" + b"Drama\n" * (films.MAX_ROWS + 1), "too_many"),
        (b'genre\n"' + b"x" * 200_001 + b'"\n', "unreadable"),
        (b"genre\n" + b"," * 200_001, "unreadable"),
        (b"genre\n" + b"," * 2_000, "unreadable"),
        (b"genre\n" + b"\n" * MAX_BYTES, "too_large"),
        (b"<html><table><tr><td>title</td></tr></table></html>", "web_page"),
        (b'<?xml version="1.0"?><Workbook/>', "web_page"),
    ],
)
def test_unusable_file_raises_an_error_with_its_reason(raw: bytes, kind: str):
    with pytest.raises(FileError) as caught:
        films.read_films(raw, EN)
    assert caught.value.kind == kind
    for words in (EN, KO):
        assert words(
            f"csv.{kind}", **{"found": "", "most": "", "megabytes": ""} | caught.value.values
        )


def test_headings_that_were_found_are_named():
    with pytest.raises(FileError) as caught:
        read("Foo,Bar\n1,2\n")
    assert caught.value.values == {"found": "Foo, Bar"}


@settings(max_examples=40)
@given(st.binary(max_size=400))
def test_reader_raises_nothing_but_file_errors(raw: bytes):
    for begin in (b"", b"genre,runtime,budget,release date\n", b"PK\x03\x04"):
        with suppress(FileError):
            assert films.read_films(begin + raw, EN)


@settings(max_examples=60)
@given(
    st.text(max_size=60), st.sampled_from(["runtime", "budget", "release date", "genres", "cast"])
)
def test_every_cell_is_read_or_refused(cell: str, head: str):
    with suppress(FileError):
        assert films.read_films(
            table(["genre", head], ["Drama", cell]).encode("utf-8", "replace"), EN
        )


@pytest.mark.parametrize(
    ("head", "cell", "message"),
    [
        ("runtime", "long", "running time must be a number of minutes"),
        ("runtime", "2:05", "running time must be a number of minutes"),
        ("budget", "much", "budget must be a sum"),
        ("budget", "€5M", "budget must be a sum"),
        ("budget", "1.500", "budget could mean two things"),
        ("release date", "soon", "release date must be a whole date"),
        ("release date", "03/04/2026", "release date could mean two days"),
        ("cast", '[{"name": "A"', "cast must be names"),
    ],
)
def test_faulty_cell_refuses_its_row_and_no_other(head: str, cell: str, message: str):
    wrong, right = rows(table(["genre", head], ["Drama", cell], ["War", ""]))
    assert message in (wrong.problem or "")
    assert (right.problem, right.line) == (None, 3)


def test_row_needs_a_plot_a_genre_or_what_finds_it():
    nothing, year = rows("title,genre,year\nA,,\nB,,2024\n")
    assert nothing.problem == EN("faults.body")
    assert (year.problem, year.year, year.title) == (None, 2024, "B")


def test_word_for_an_unknown_value_counts_as_empty_but_not_as_a_title():
    (film,) = rows("title,genre,runtime,release date,budget\nUnknown,Drama,N/A,미정,-\n")
    assert film.facts == {"title": "Unknown", "genres": ["Drama"]}


def test_order_of_dates_is_told_by_the_column_or_asked():
    told = read("genre,release date\nDrama,12/25/2026\nWar,03/04/2026\n")
    assert [row.facts["release_date"] for row in told.rows] == ["2026-12-25", "2026-03-04"]
    assert (told.questions, told.date_order) == (frozenset(), "month")
    text = "genre,release date\nDrama,03/04/2026\nWar,2026-01-02\n"
    asked = read(text)
    assert [bool(row.problem) for row in asked.rows] == [True, False]
    assert asked.questions == {"date_order"}
    answered = read(text, date_order="day")
    assert answered.rows[0].facts["release_date"] == "2026-04-03"
    assert answered.questions == {"date_order"}  # the question stays, so that it can be changed


def test_unit_of_a_korean_budget_is_asked():
    text = "장르,제작비\n드라마,50\n"
    asked = read(text)
    assert asked.questions == {"budget_unit"}
    assert asked.rows[0].facts == {"genres": ["Drama"]}
    assert asked.rows[0].remarks == (EN("csv.no_unit", cell="50"),)
    won = read(text, budget_unit="hundred_million_won")
    assert won.questions == {"budget_unit", "won_per_dollar"}
    assert won.rows[0].remarks == (EN("csv.no_rate", cell="50"),)
    both = read(text, budget_unit="hundred_million_won", won_per_dollar=1000.0)
    assert both.rows[0].facts["budget"] == 5_000_000
    assert read(text, budget_unit="dollars").rows[0].facts["budget"] == 50


def test_decimal_comma_is_told_by_semicolons():
    (film,) = rows("genre;budget;runtime\nDrama;1.500;99,5\n")
    assert film.facts == {"genres": ["Drama"], "budget": 1500, "runtime": 99.5}
    (typed,) = rows('genre,runtime\nDrama,"1,12"\n')
    assert typed.problem


def test_cleaned_file_of_the_pipeline_is_read():
    heads = ["id", "title", "budget", "runtime", "vote_average", "release_year", "genre_encoded"]
    heads += [
        "lang_encoded",
        "release_date",
        "original_language",
        "franchise",
        "overview",
        "genres",
    ]
    cells = ["7", "Lamp", "1000000.0", "112.0", "7.1", "2024", "3", "1", "2024-05-01", "ko"]
    cells += ["Lamps", "A lamp.", '["Drama", "War"]']
    (film,) = rows(table([*heads, "directors"], [*cells, '["Ada Novak"]']), "utf-8-sig")
    assert film.problem is None
    assert film.facts == {
        "title": "Lamp",
        "budget": 1_000_000,
        "runtime": 112,
        "release_date": "2024-05-01",
        "language": "ko",
        "collection": "Lamps",
        "overview": "A lamp.",
        "genres": ["Drama", "War"],
        "directors": ["Ada Novak"],
    }
    assert (film.tmdb_id, film.year) == (7, 2024)


@pytest.mark.parametrize("style", ["json", "python", "names"])
def test_exports_of_tmdb_are_read(style: str):
    genres = '[{"id": 18, "name": "Drama"}, {"id": 10752, "name": "War"}]'
    companies = '[{"name": "Moon, Inc.", "id": 4}]'
    countries = '[{"iso_3166_1": "KR", "name": "South Korea"}]'
    series = '{"id": 1, "name": "Lamps"}'
    if style == "python":
        genres, companies = genres.replace('"', "'"), companies.replace('"', "'")
        countries, series = countries.replace('"', "'"), series.replace('"', "'")
    if style == "names":
        genres, companies, countries = "Drama, War", "Moon, Inc.", "South Korea"
        series = "Lamps"
    heads = ["id", "title", "vote_average", "vote_count", "original_language", "original_title"]
    heads += ["overview", "genres", "production_companies", "production_countries", "budget"]
    cells = ["7", "Lamp", "7.1", "900", "ko", "등불", "A lamp.", genres, companies, countries, "0"]
    heads += ["belongs_to_collection", "release_date", "runtime", "tagline", "crew"]
    cells += [series, "2024-05-01", "112.0", "Light!", ""]
    (film,) = rows(table(heads, cells))
    assert film.problem is None
    assert film.facts["genres"] == ["Drama", "War"]
    assert film.facts["companies"] == ["Moon, Inc."]
    assert film.facts["countries"] in (["KR"], ["South Korea"])
    assert film.facts["collection"] == "Lamps"
    assert (film.tmdb_id, film.facts["language"], film.facts["runtime"]) == (7, "ko", 112)


def test_crew_of_an_export_gives_the_directors():
    crew = '[{"job": "Director", "name": "Ada Novak"}, {"job": "Editor", "name": "Adam Lee"}]'
    cast = '[{"character": "X", "name": "Eva Kim", "order": 0}]'
    (film,) = rows(
        table(["movie_id", "title", "cast", "crew", "genre"], ["7", "A", cast, crew, "War"])
    )
    assert (film.facts["directors"], film.facts["cast"]) == (["Ada Novak"], ["Eva Kim"])


def test_number_of_an_own_table_is_not_taken_for_tmdbs():
    found = read("id,title,genre\n1,A,Drama\n")
    assert found.rows[0].tmdb_id is None
    assert found.columns[0].reason == "unknown"


IMDB = (
    "Position,Const,Created,Modified,Description,Title,Original Title,URL,Title Type,IMDb Rating,"
    "Runtime (mins),Year,Genres,Num Votes,Release Date,Directors,Your Rating,Date Rated\n"
)


def test_list_of_imdb_is_read_without_series_and_games():
    found = read(
        IMDB + "1,tt0000001,2026-01-01,,my note,Lamp,,https://x,Movie,7.1,112,2024,"
        '"Drama, War",900,2024-05-01,Ada Novak,,\n'
        "2,tt2,2026-01-01,,,Series,,https://x,TV Series,7.1,45,2024,Drama,900,,,,\n"
        "3,tt3,2026-01-01,,,Game,,https://x,Video Game,7.1,,2024,Drama,900,,,,\n"
    )
    film, series, game = found.rows
    assert film.facts == {
        "title": "Lamp",
        "runtime": 112,
        "genres": ["Drama", "War"],
        "release_date": "2024-05-01",
        "directors": ["Ada Novak"],
    }
    assert (film.year, film.is_listed) == (2024, True)
    assert series.problem == EN("csv.bad_title_type", cell="TV Series")
    assert game.problem == EN("csv.bad_title_type", cell="Video Game")


@pytest.mark.parametrize(
    "text",
    [
        "Date,Name,Year,Letterboxd URI\n2026-01-01,Lamp,2024,https://boxd.it/x\n",
        "Letterboxd list export v7\nDate,Name,Tags,URL,Description\n"
        "2026-01-01,My list,,https://boxd.it/l,\n\n"
        "Position,Name,Year,URL,Description\n1,Lamp,2024,https://boxd.it/x,\n",
    ],
)
def test_list_of_letterboxd_is_read(text: str):
    (film,) = rows(text)
    assert (film.title, film.year, film.is_listed, film.problem) == ("Lamp", 2024, True, None)
    assert film.facts == {"title": "Lamp"}


def test_rows_after_the_last_allowed_one_are_not_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(RowReader, "row", lambda *_: pytest.fail("a row was read"))
    with pytest.raises(FileError):
        read("genre\n" + "Drama\n" * 100_000)


@pytest.mark.parametrize(
    ("head", "cell"),
    [
        ("budget", "1" * 20_000),
        ("budget", "9" * 90 + "조"),
        ("runtime", "9" * 400),
        ("release_date", "2026" * 5_000),
        ("year", "1e400"),
        ("year", "2019.9"),
        ("tmdb_id", "12345678901234567890"),
    ],
)
def test_impossible_number_refuses_its_row(head: str, cell: str):
    text = table(["title", "genres", head], ["A", "Drama", cell], ["B", "Drama", ""])
    first, second = rows(text, won_per_dollar=1e-300)
    assert first.problem
    assert second.problem is None


def test_year_as_pandas_writes_it_is_read():
    (row,) = rows("title,genres,year\nA,Drama,2024.0\n")
    assert (row.year, row.problem) == (2024, None)


def test_heading_of_any_length_is_unknown():
    found = read("title,genres," + "(" * 20_000 + "\nA,Drama,x\n")
    assert [column.field for column in found.columns] == ["title", "genres", None]


def test_file_of_many_malformed_rows_is_refused():
    with pytest.raises(FileError, match="unreadable"):
        read("title,genres\n" + 'x","\n' * 2_000)


def test_row_has_a_bounded_number_of_lines():
    lines = "line\n" * 300
    first, second = rows(f'title,overview\nA,"{lines}"\nB,A plot\n')[0:300:299]
    assert first.problem
    assert second.problem
