"""Forecast the films of a comparison, and show the results."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import streamlit as st

from ui.client.api import ApiError
from ui.client.batches import Outcome, forecast_films
from ui.film_files import lookup
from ui.film_files.rows import Row
from ui.i18n.words import Words
from ui.widgets import charts, notices, results_csv, scenarios, table
from ui.widgets.results_csv import FilmResult

_MAX_CHART_FILMS: Final = 40  # the table below has all of them
_SHOWN_STEP: Final = 5  # films; each step of the progress is a message to the browser
_AWAY: Final = frozenset({"away", "slow", "key"})  # kinds of errors that concern all films
_MOST_FAILURES: Final = 5  # of other kinds, until the catalogue is taken for missing
_ORDERS: Final[dict[str, Callable[[FilmResult], Any]]] = {
    "number": lambda result: result.number,
    "most_rating": lambda result: -result.forecast.rating if result.forecast else 0,
    "rating": lambda result: result.forecast.rating if result.forecast else 0,
    "title": lambda result: (result.row.title or "").casefold(),
    "width": lambda result: result.forecast.high - result.forecast.low if result.forecast else 0,
}


def forecast(words: Words, rows: Sequence[Row]) -> list[FilmResult]:
    """Request the forecasts of all films, and show the progress.

    If a request fails for a reason that concerns all films, such as a missing API, no more requests
    are sent.
    """
    progress = st.progress(0.0)
    rows = _with_catalogue(words, rows, progress)
    results: list[FilmResult] = []
    for number, (row, outcome) in enumerate(_outcomes(words, rows, progress), 1):
        results.append(_result(words, number, row, outcome))
    progress.empty()
    return results


def _with_catalogue(words: Words, rows: Sequence[Row], progress: Any) -> list[Row]:
    """Add the facts of films in the catalogue to the rows that only name a film."""
    needed = sum(map(lookup.is_needed, rows))
    found: list[Row] = []
    done, failed, is_away = 0, 0, False
    for row in rows:
        if not lookup.is_needed(row):
            found.append(row)
            continue
        text = words("compare.searching", done=str(done), all=words.count("films", needed))

        def waiting(text: str = text, share: float = done / needed) -> None:
            progress.progress(share, text)

        waiting()
        try:
            found.append(row if is_away else lookup.with_facts(row, words, waiting))
        except ApiError as error:
            failed += 1
            # One film may be the only one that cannot be read; a service that is away stays away.
            is_away = error.kind in _AWAY or failed >= _MOST_FAILURES
            found.append(row)
        done += 1
    return [_checked(words, row) for row in found]


def _checked(words: Words, row: Row) -> Row:
    """Give a row a problem if it has neither a plot nor a genre, since it was not found."""
    if row.problem or row.line is None or row.facts.get("overview") or row.facts.get("genres"):
        return row
    return Row(row.line, row.facts, words("compare.not_searched"))


def _outcomes(
    words: Words, rows: Sequence[Row], progress: Any
) -> Iterator[tuple[Row, Outcome | None]]:
    """Yield each row with its outcome; None for a row that was not forecast."""
    every = words.count("films", len(rows))
    at = 0

    def show(key: str) -> None:
        progress.progress(at / len(rows), words(f"compare.{key}", done=str(at), all=every))

    outcomes = forecast_films(
        [row.facts for row in rows if not row.problem], lambda: show("waiting")
    )
    stopped = False
    for row in rows:
        outcome = None
        if not row.problem and not stopped:
            try:
                outcome = next(outcomes)
            except ApiError as error:
                notices.show_error(words, error)
                stopped = True
        at += 1
        if at % _SHOWN_STEP == 0:
            show("progress")
        yield row, outcome


def _result(words: Words, number: int, row: Row, outcome: Outcome | None) -> FilmResult:
    if row.problem:
        return FilmResult(number, row, problem=row.problem)
    if outcome is None:
        return FilmResult(number, row, problem=words("compare.not_asked"))
    error = outcome.error
    if error is None:
        return FilmResult(number, row, outcome.forecast)
    lines = notices.error_lines(words, error) if error.kind == "refused" else []
    # A table cell is plain text, so remove the asterisks that make Markdown bold.
    reason = "; ".join(lines) or words(f"problem.{error.kind}").replace("*", "")
    return FilmResult(number, row, problem=reason)


def draw(words: Words, results: Sequence[FilmResult]) -> None:
    """Draw the results: a chart, a table that can be sorted, and a file to download."""
    st.header(words("compare.results"), anchor=False)
    order = st.selectbox(
        words("compare.sort"),
        list(_ORDERS),
        format_func=lambda name: words(f"compare.by_{name}"),
        key="compare_order",
        persist_state="session",
    )
    # Films without a forecast are last, unless the order is that of the numbers.
    key = _ORDERS[order]
    ordered = sorted(results, key=lambda each: (order != "number" and not each.forecast, key(each)))
    _draw_chart(words, ordered)
    heads = ("number", "title", "rating", "interval", "mood", "remark")
    table.draw(
        words("compare.results"),
        [words(f"csv.{name}") for name in heads],
        [_cells(words, each) for each in ordered],
        numbers=(2, 3),
        caption_hidden=True,
    )
    st.download_button(
        words("compare.download"),
        lambda: results_csv.results_file(ordered, words),
        "forecasts.csv",
        "text/csv",
        on_click="ignore",
    )


def _draw_chart(words: Words, results: Sequence[FilmResult]) -> None:
    # The number keeps films with the same name in separate rows of the chart.
    films = [
        (
            f"{each.number}. {film_name(words, each.row)}",
            each.forecast.rating,
            each.forecast.low,
            each.forecast.high,
        )
        for each in results
        if each.forecast
    ]
    if not films:
        return
    shown = films[:_MAX_CHART_FILMS]
    parts = [f"{name} {words.number(rating, '0.0')}" for name, rating, _, _ in shown]
    st.vega_lite_chart(spec=charts.compared_films(shown), alt=words.joined(parts))
    if len(films) > len(shown):
        counts = {
            "shown": words.count("films", len(shown)),
            "all": words.count("films", len(films)),
        }
        notices.small_print(words("compare.chart_part", **counts))


def _cells(words: Words, result: FilmResult) -> list[str]:
    row = [str(result.number), film_name(words, result.row)]
    forecast = result.forecast
    if forecast is None:
        return [*row, "", "", "", " ".join([result.problem or "", *result.row.remarks])]
    interval = f"{words.number(forecast.low, '0.0')}–{words.number(forecast.high, '0.0')}"
    return [
        *row,
        words.number(forecast.rating, "0.0"),
        interval,
        words.name("moods", forecast.mood[0] if forecast.mood else "unknown"),
        " ".join(_remarks(words, result)),
    ]


def _remarks(words: Words, result: FilmResult) -> list[str]:
    forecast = result.forecast
    if forecast is None:
        return []
    unusual = words.joined(words.name("fields", name) for name in forecast.warnings)
    unused = words.joined(notices.ignored_values(words, forecast).values())
    changed = "; ".join(notices.changed_values(words, forecast))
    return [
        *([words("compare.unusual", names=unusual)] if unusual else []),
        *([words("page.ignored", name=unused)] if unused else []),
        *([words("page.changed", values=changed)] if changed else []),
        *result.row.remarks,
    ]


def film_name(words: Words, row: Row) -> str:
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
