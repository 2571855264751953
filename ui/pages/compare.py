"""The page that forecasts several films at once; `st.navigation` executes it."""

from collections.abc import Iterable, Sequence

import streamlit as st

from ui.client.api import ApiError, ask
from ui.client.predictions import Forecast
from ui.i18n.words import Words
from ui.widgets import charts, films_csv, problem, table
from ui.widgets.films_csv import FileError, Outcome, Row

# After these the other films would fare no better.
_FOR_ALL = frozenset({"away", "slow", "no_model", "key"})
_DRAWN = 40  # films; more are in the table


def main() -> None:
    """Films of the form and of a file, forecast at a click."""
    words = Words(st.session_state.ui)
    st.title(words("compare.title"), anchor=False)
    st.markdown(words("compare.lead"))
    rows = [*_from_form(words), *_from_file(words)]
    if st.button(
        words("compare.submit"), type="primary", disabled=not rows, width="stretch", key="compare"
    ):
        st.session_state.outcomes = _forecast(words, rows)
    if outcomes := st.session_state.get("outcomes"):
        _show(words, outcomes)


def _from_form(words: Words) -> list[Row]:
    films = st.session_state.setdefault("compared", [])
    if not films:
        return []
    rows = [Row(at, facts) for at, facts in enumerate(films, 1)]
    st.header(words("compare.from_form"), anchor=False)

    def forget() -> None:
        films.clear()
        st.session_state.pop("outcomes", None)

    titles = [[_called(words, row)] for row in rows]
    table.show(words("compare.from_form"), [words("csv.title")], titles, headed=True)
    st.button(words("compare.forget"), on_click=forget)
    return rows


def _from_file(words: Words) -> list[Row]:
    st.header(words("compare.from_file"), anchor=False)
    st.markdown(words("compare.file_note", most=str(films_csv.MOST_ROWS)))
    st.download_button(
        words("compare.example"),
        films_csv.example(words),
        "films.csv",
        "text/csv",
        on_click="ignore",
    )
    # Any file may come: of a wrong ending Streamlit shows a red icon, and does not say why.
    uploaded = st.file_uploader(words("compare.upload"), key="upload")
    if uploaded is None:
        return []
    try:
        rows = films_csv.read(uploaded.getvalue(), words)
    except FileError as error:
        st.error(words(f"csv.{error.kind}", most=str(films_csv.MOST_ROWS)), icon=":material/error:")
        return []
    wrong = [row for row in rows if row.problem]
    counted = {
        "good": words.count("films", len(rows) - len(wrong)),
        "wrong": words.count("rows", len(wrong)),
    }
    st.markdown(words("compare.read", **counted))
    if wrong:
        table.show(
            words("compare.wrong"),
            [words("csv.row"), words("csv.title"), words("csv.problem")],
            [(str(row.line), row.title or "", row.problem or "") for row in wrong],
        )
    return rows


def _forecast(words: Words, rows: Sequence[Row]) -> list[Outcome]:
    """Ask for each film; a fault that would meet all the others ends it."""
    outcomes: list[Outcome] = []
    films = words.count("films", len(rows))
    progress = st.progress(0.0, words("compare.progress", done="0", all=films))
    ended = None
    for at, row in enumerate(rows, 1):
        outcome = _outcome(words, row, ended)
        outcomes.append(outcome[0])
        ended = ended or outcome[1]
        progress.progress(at / len(rows), words("compare.progress", done=str(at), all=films))
    progress.empty()
    if ended is not None:
        problem.show(words, ended)
    return outcomes


def _outcome(words: Words, row: Row, ended: ApiError | None) -> tuple[Outcome, ApiError | None]:
    """What comes of a film, and the fault that ends the whole."""
    if row.problem:
        return Outcome(row, problem=row.problem), None
    if ended is not None:
        return Outcome(row, problem=words("compare.not_asked")), None
    try:
        return Outcome(row, ask(Forecast.read, "/predict", row.facts)), None
    except ApiError as error:
        told = problem.lines(words, error) if error.kind == "refused" else []
        reason = "; ".join(told) or words(f"problem.{error.kind}").replace("*", "")
        return Outcome(row, problem=reason), error if error.kind in _FOR_ALL else None


def _show(words: Words, outcomes: Iterable[Outcome]) -> None:
    outcomes = list(outcomes)
    st.header(words("compare.results"), anchor=False)
    good = [(_called(words, each.row), each.forecast) for each in outcomes if each.forecast]
    if good:
        films = [
            (f"{at}. {name}", found.rating, found.low, found.high)
            for at, (name, found) in enumerate(good[:_DRAWN], 1)
        ]
        parts = [f"{name} {words.number(rating, '0.0')}" for name, rating, _, _ in films]
        st.vega_lite_chart(spec=charts.side_by_side(films), alt=words.all_of(parts))
    heads = ("row", "title", "rating", "interval", "mood", "remark")
    table.show(
        words("compare.results"),
        [words(f"csv.{name}") for name in heads],
        [_line(words, each) for each in outcomes],
        numbers=(2, 3),
        headed=True,
    )
    st.download_button(
        words("compare.download"),
        films_csv.results(outcomes, words),
        "forecasts.csv",
        "text/csv",
        on_click="ignore",
    )


def _line(words: Words, outcome: Outcome) -> list[str]:
    begin = [str(outcome.row.line), _called(words, outcome.row)]
    found = outcome.forecast
    if found is None:
        return [*begin, "", "", "", outcome.problem or ""]
    interval = f"{words.number(found.low, '0.0')}–{words.number(found.high, '0.0')}"
    unused = words.all_of(words.name("fields", name) for name in found.ignored)
    return [
        *begin,
        words.number(found.rating, "0.0"),
        interval,
        words.name("moods", found.mood[0] if found.mood else "unknown"),
        words("page.ignored", name=unused) if unused else "",
    ]


def _called(words: Words, row: Row) -> str:
    """The title, or what else tells the film from the others."""
    if row.title:
        return row.title
    if row.facts.get("overview"):
        return str(row.facts["overview"])[:40] + "…"
    named = [words.name("genres", genre) for genre in row.facts.get("genres", [])]
    return words.all_of(named) or words("compare.untitled")


if __name__ == "__main__":
    main()
