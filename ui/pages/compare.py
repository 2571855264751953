"""The page that forecasts several films and shows the forecasts side by side."""

from collections.abc import Sequence

import streamlit as st

from ui.client.api import ApiError, fetch
from ui.client.predictions import Choices, Forecast
from ui.i18n.words import Words
from ui.widgets import charts, films_csv, notices, scenarios, table, translation
from ui.widgets.films_csv import FileError, FilmResult, Row

# After one of these errors the other films would fail too, so the page sends no more requests.
_STOPPING_ERRORS = frozenset({"away", "slow", "no_model", "key"})
_MAX_CHART_FILMS = 40  # the table below has all of them


def main() -> None:
    """Draw the page: the films to compare, a button, and the forecasts after the button is clicked.

    The films come from the form and from a CSV file that the visitor uploads.
    """
    words = Words(st.session_state.ui)
    st.title(words("compare.title"), anchor=False)
    st.markdown(words("compare.lead"))
    rows = [*_from_form(words), *_from_file(words)]
    translation.draw(words, _choices())
    if st.button(
        words("compare.submit"), type="primary", disabled=not rows, width="stretch", key="compare"
    ):
        # Streamlit runs this function again after each click, so store the results in the session.
        st.session_state.results = _forecast(words, rows)
    if results := st.session_state.get("results"):
        _draw_results(words, results)


def _choices() -> Choices:
    try:
        return fetch(Choices.parse, "/options")
    except ApiError:
        return Choices()  # the forecasts will report the same problem


def _from_form(words: Words) -> list[Row]:
    films = st.session_state.setdefault("compared", [])
    if not films:
        return []
    rows = [Row(at, facts) for at, facts in enumerate(films, 1)]
    st.header(words("compare.from_form"), anchor=False)

    def clear() -> None:
        # The results below contain these films, so remove them too.
        films.clear()
        st.session_state.pop("results", None)

    titles = [[_film_name(words, row)] for row in rows]
    table.draw(words("compare.from_form"), [words("csv.title")], titles, caption_hidden=True)
    st.button(words("compare.forget"), on_click=clear)
    return rows


def _from_file(words: Words) -> list[Row]:
    st.header(words("compare.from_file"), anchor=False)
    st.markdown(words("compare.file_note", most=str(films_csv.MAX_ROWS)))
    st.download_button(
        words("compare.example"),
        films_csv.example_file(words),
        "films.csv",
        "text/csv",
        on_click="ignore",  # otherwise a download would run the whole page again
    )
    # No filter by file type: Streamlit rejects a wrong type with a red icon and no explanation.
    uploaded = st.file_uploader(words("compare.upload"), key="upload")
    if uploaded is None:
        return []
    try:
        rows = films_csv.read_films(uploaded.getvalue(), words)
    except FileError as error:
        limits = {"most": str(films_csv.MAX_ROWS), "megabytes": str(films_csv.MAX_MB)}
        st.error(words(f"csv.{error.kind}", **limits), icon=":material/error:")
        return []
    wrong = [row for row in rows if row.problem]
    counts = {
        "good": words.count("films", len(rows) - len(wrong)),
        "wrong": words.count("rows", len(wrong)),
    }
    st.markdown(words("compare.read", **counts))
    if wrong:
        table.draw(
            words("compare.wrong"),
            [words("csv.row"), words("csv.title"), words("csv.problem")],
            [(str(row.line), row.title or "", row.problem or "") for row in wrong],
        )
    return rows


def _forecast(words: Words, rows: Sequence[Row]) -> list[FilmResult]:
    """Request a forecast for one film after the other.

    If a request fails for a reason that concerns all films, such as a missing API, no more requests
    are sent.
    """
    results: list[FilmResult] = []
    films = words.count("films", len(rows))
    progress = st.progress(0.0, words("compare.progress", done="0", all=films))
    stopped_by: ApiError | None = None
    for at, row in enumerate(rows, 1):
        result, stopping_error = _result(words, row, stopped=stopped_by is not None)
        results.append(result)
        stopped_by = stopped_by or stopping_error
        progress.progress(at / len(rows), words("compare.progress", done=str(at), all=films))
    progress.empty()
    if stopped_by is not None:
        notices.show_error(words, stopped_by)
    return results


def _result(words: Words, row: Row, stopped: bool) -> tuple[FilmResult, ApiError | None]:
    """Request the forecast for one film.

    Args:
        words: The texts in the visitor's language.
        row: The film.
        stopped: Whether to send no request, because an earlier one has failed for all films.

    Returns:
        The result for the film. If its request has failed for a reason that concerns all films, the
        second value is the error, otherwise it is None.
    """
    if row.problem:
        return FilmResult(row, problem=row.problem), None
    if stopped:
        return FilmResult(row, problem=words("compare.not_asked")), None
    try:
        return FilmResult(row, fetch(Forecast.parse, "/predict", row.facts)), None
    except ApiError as error:
        lines = notices.error_lines(words, error) if error.kind == "refused" else []
        # A table cell is plain text, so remove the asterisks that make Markdown bold.
        reason = "; ".join(lines) or words(f"problem.{error.kind}").replace("*", "")
        return FilmResult(row, problem=reason), error if error.kind in _STOPPING_ERRORS else None


def _draw_results(words: Words, results: Sequence[FilmResult]) -> None:
    st.header(words("compare.results"), anchor=False)
    good = [(_film_name(words, each.row), each.forecast) for each in results if each.forecast]
    if good:
        # The number keeps films with the same name in separate rows of the chart.
        films = [
            (f"{at}. {name}", forecast.rating, forecast.low, forecast.high)
            for at, (name, forecast) in enumerate(good[:_MAX_CHART_FILMS], 1)
        ]
        parts = [f"{name} {words.number(rating, '0.0')}" for name, rating, _, _ in films]
        st.vega_lite_chart(spec=charts.compared_films(films), alt=words.joined(parts))
    heads = ("row", "title", "rating", "interval", "mood", "remark")
    table.draw(
        words("compare.results"),
        [words(f"csv.{name}") for name in heads],
        [_cells(words, each) for each in results],
        numbers=(2, 3),
        caption_hidden=True,
    )
    st.download_button(
        words("compare.download"),
        films_csv.results_file(results, words),
        "forecasts.csv",
        "text/csv",
        on_click="ignore",
    )


def _cells(words: Words, result: FilmResult) -> list[str]:
    row = [str(result.row.line), _film_name(words, result.row)]
    forecast = result.forecast
    if forecast is None:
        return [*row, "", "", "", result.problem or ""]
    interval = f"{words.number(forecast.low, '0.0')}–{words.number(forecast.high, '0.0')}"
    unused = words.joined(notices.ignored_values(words, forecast).values())
    changed = "; ".join(notices.changed_values(words, forecast))
    return [
        *row,
        words.number(forecast.rating, "0.0"),
        interval,
        words.name("moods", forecast.mood[0] if forecast.mood else "unknown"),
        " ".join(
            [
                *([words("page.ignored", name=unused)] if unused else []),
                *([words("page.changed", values=changed)] if changed else []),
            ]
        ),
    ]


def _film_name(words: Words, row: Row) -> str:
    """Return a name for the film: its title, or else the beginning of its plot, or its genres.

    The name of a scenario also says what differs from its film.
    """
    changes = scenarios.label(words, row.facts)
    return f"{_name(words, row)} ({changes})" if changes else _name(words, row)


def _name(words: Words, row: Row) -> str:
    if row.title:
        return row.title
    if row.facts.get("overview"):
        return str(row.facts["overview"])[:40] + "…"
    named = [words.name("genres", genre) for genre in row.facts.get("genres", [])]
    return words.joined(named) or words("compare.untitled")


if __name__ == "__main__":
    main()
