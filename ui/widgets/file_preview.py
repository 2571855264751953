"""Upload a file, and show how it is read, before any film in it is forecast."""

from typing import Final

import streamlit as st

from ui.film_files import films
from ui.film_files.errors import FileError
from ui.film_files.films import FilmsFile
from ui.film_files.headings import Column
from ui.film_files.numbers import BUDGET_UNITS
from ui.film_files.rows import Answers, Row
from ui.film_files.table import text_of
from ui.i18n.words import Words
from ui.widgets import form_state, notices, results_csv, table
from ui.widgets.markdown import plain

_SHOWN_FILMS: Final = 3
_SHOWN_CHARACTERS: Final = 60
_DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_ORDERS: Final = {"month": "month_first", "day": "day_first"}
_WON_PER_DOLLAR: Final = (100.0, 100_000.0)


def draw(words: Words) -> list[Row]:
    """Draw the field for a file, its films, and questions about its columns; return the films."""
    st.markdown(words("compare.file_note", most=str(films.MAX_ROWS)))
    st.download_button(
        words("compare.example"),
        results_csv.example_file(words),
        "films.csv",
        "text/csv",
        on_click="ignore",  # otherwise a download would run the whole page again
    )
    # No filter by file type: Streamlit rejects a wrong type with a red icon and no explanation.
    uploaded = st.file_uploader(words("compare.upload"), key="upload")
    if uploaded is None:
        st.session_state.pop("file", None)
        return []
    try:
        file = _read(uploaded.getvalue(), uploaded.file_id, words)
    except FileError as error:
        st.error(words(f"csv.{error.kind}", **_shown(error)), icon=":material/error:")
        return []
    _draw_questions(file, uploaded.file_id, words)
    _draw_preview(file, words)
    _draw_wrong_rows(file.rows, words)
    return file.rows


def _shown(error: FileError) -> dict[str, str]:
    """Return the values in an error's text as plain text, not as Markdown."""
    return {name: plain(value) for name, value in error.values.items()}


def _read(raw: bytes, file_id: str, words: Words) -> FilmsFile:
    """Read a file, once for each answer of the visitor: a large file takes a while."""
    state = st.session_state
    answers = Answers(*(state.get(f"{name}:{file_id}") for name in Answers.__dataclass_fields__))
    key = (file_id, words.code, answers)
    if state.get("file", (None, None))[0] != key:
        state.file = (key, films.read_films(raw, words, answers))
    file: FilmsFile = state.file[1]
    return file


def _draw_questions(file: FilmsFile, file_id: str, words: Words) -> None:
    if "date_order" in file.questions:
        st.radio(
            words("file.date_order"),
            list(_ORDERS),
            index=None,
            format_func=lambda order: words(f"file.{_ORDERS[order]}"),
            key=f"date_order:{file_id}",
        )
    if "budget_unit" in file.questions:
        st.radio(
            words("file.budget_unit"),
            list(BUDGET_UNITS),
            index=None,
            format_func=lambda unit: words(f"units.{unit}"),
            key=f"budget_unit:{file_id}",
            horizontal=True,
        )
    if "won_per_dollar" in file.questions:
        st.number_input(
            words("file.won_per_dollar"),
            *_WON_PER_DOLLAR,
            value=None,
            key=f"won_per_dollar:{file_id}",
        )
        notices.small_print(words("file.won_note"))


def _draw_preview(file: FilmsFile, words: Words) -> None:
    wrong = sum(row.problem is not None for row in file.rows)
    counts = {
        "good": words.count("films", len(file.rows) - wrong),
        "wrong": words.count("rows", wrong),
    }
    st.markdown(words("compare.read", **counts))
    with st.expander(words("file.title"), expanded=True):
        for line in _about(file, words):
            st.text(line)
        table.draw(
            words("file.columns"),
            [words(f"file.{name}") for name in ("heading", "use", "example")],
            [
                (column.heading, use_of(column, words), file.examples.get(column.at, ""))
                for column in file.columns
            ],
        )
        _draw_first_films(file, words)


def _about(file: FilmsFile, words: Words) -> list[str]:
    """Return sentences about the file as a whole."""
    found = file.table
    lines = []
    if found.delimiter:
        delimiter = words(f"file.{_DELIMITERS[found.delimiter]}")
        lines.append(words("file.text", encoding=found.encoding or "", delimiter=delimiter))
    else:
        lines.append(words("file.workbook", sheet=found.sheet or ""))
    if found.other_sheets:
        lines.append(words("file.other_sheets", names=", ".join(found.other_sheets)))
    if file.above:
        lines.append(words("file.above", text=" / ".join(file.above)[:200]))
    if file.short_rows:
        lines.append(words("file.short", count=words.count("rows", file.short_rows)))
    if file.date_order:
        lines.append(words(f"file.{file.date_order}"))
    if any(row.is_listed for row in file.rows):
        lines.append(words("file.list"))
    return lines


def use_of(column: Column, words: Words) -> str:
    """Return as what a column is read, or why it is not used."""
    if column.reason or not column.field:
        return words(f"file.{column.reason}")
    if column.field in form_state.FIELDS:
        name = words.name("fields", column.field)
        return f"{name} ({column.unit})" if column.unit else name
    return words(f"file.{column.field}")


def _draw_first_films(file: FilmsFile, words: Words) -> None:
    good = [row for row in file.rows if not row.problem][:_SHOWN_FILMS]
    used = [name for name in form_state.FIELDS if any(name in row.facts for row in good)]
    heads = ["title", *(name for name in used if name != "title")]
    if good:
        table.draw(
            words("file.films"),
            [words.name("fields", name) for name in heads],
            [[_value(row.facts.get(name, ""), name, words) for name in heads] for row in good],
        )


def _value(value: object, name: str, words: Words) -> str:
    """Return a fact as a person reads it."""
    listed = value if isinstance(value, list) else [value] if value != "" else []
    shown = [text_of(each) for each in listed]
    if name == "genres":
        shown = [words.name("genres", each) for each in shown]
    if name == "language":
        shown = [words.language(each) for each in shown]
    if name == "countries":
        shown = [words.country(each) for each in shown]
    text = ", ".join(shown)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _draw_wrong_rows(rows: list[Row], words: Words) -> None:
    wrong = [row for row in rows if row.problem]
    if wrong:
        table.draw(
            words("compare.wrong"),
            [words("csv.row"), words("csv.title"), words("csv.problem")],
            [(str(row.line), row.title or "", row.problem or "") for row in wrong],
        )
