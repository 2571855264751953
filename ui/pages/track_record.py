"""The page of how forecasts came out; `st.navigation` executes it."""

from collections.abc import Sequence

import streamlit as st

from ui.client.api import ApiError, ask
from ui.client.forecasts import Part, Record, ScoredFilm
from ui.i18n.words import Words
from ui.widgets import charts, problem, table


def main() -> None:
    """Error over time beside the baselines, calibration, and both ends of the list of films."""
    words = Words(st.session_state.ui)
    st.title(words("track_record.title"), anchor=False)
    st.markdown(words("track_record.lead"))
    try:
        record = ask(Record.read, "/track-record")
    except ApiError as error:
        problem.show(words, error)
        st.button(words("page.retry"))
        return
    for alert in record.alerts if record else ():
        st.warning(words("track_record.alert"), icon=":material/warning:")
        st.text(alert)
    if record is None or record.figures is None:
        st.info(words("track_record.not_yet"))
        return
    _whole(words, record)
    _over_time(words, record)
    if record.calibration:
        st.header(words("track_record.calibration"), anchor=False)
        st.vega_lite_chart(
            spec=charts.calibration(words, record.calibration),
            alt=charts.calibration_in_words(words, record.calibration),
        )
    for name, films in (("worst", record.worst), ("best", record.best)):
        st.header(words(f"track_record.{name}"), anchor=False)
        _films(words, words(f"track_record.{name}"), films)
    for kind in dict.fromkeys(part.kind for part in record.parts):
        if kind not in {"month", "mark"}:
            _parts(words, kind, [part for part in record.parts if part.kind == kind])


def _whole(words: Words, record: Record) -> None:
    figures = record.figures
    assert figures is not None  # noqa: S101 - the page ends before where it is
    st.markdown(
        words(
            "track_record.whole",
            films=words.count("films", figures.films),
            votes=words.count("votes", record.min_votes),
            day=words.day(record.as_of),
            coverage=words.percent(figures.coverage),
            bias=words.points(figures.bias),
        )
    )
    named = [(words("track_record.ours"), figures.rmse, True)] + [
        (words.name("predictors", name), rmse, False) for name, rmse in figures.baselines.items()
    ]
    told = [f"{name} {words.number(rmse, '0.00')}" for name, rmse, _ in named]
    st.vega_lite_chart(spec=charts.errors(named), alt=words.all_of(told))


def _over_time(words: Words, record: Record) -> None:
    months = [part for part in record.parts if part.kind == "month"]
    st.header(words("track_record.months"), anchor=False)
    st.vega_lite_chart(
        spec=charts.over_time(_lines(words, months)), alt=words("track_record.months")
    )
    _parts(words, "month", months)


def _lines(words: Words, months: Sequence[Part]) -> dict[str, list[tuple[str, float]]]:
    """RMSE by month of release, for the forecasts and for each baseline."""
    lines = {words("track_record.ours"): [(part.name, part.figures.rmse) for part in months]}
    for part in months:
        for name, rmse in part.figures.baselines.items():
            lines.setdefault(words.name("predictors", name), []).append((part.name, rmse))
    return lines


def _parts(words: Words, kind: str, parts: Sequence[Part]) -> None:
    heads = [words("model.films"), "RMSE", words("model.bias"), words("model.covered")]
    table.show(
        words(f"track_record.by_{kind}"),
        [words(f"track_record.by_{kind}"), *heads],
        [
            (
                _name(words, part),
                words.number(part.figures.films),
                words.number(part.figures.rmse, "0.00"),
                words.points(part.figures.bias),
                words.percent(part.figures.coverage),
            )
            for part in parts
        ],
        numbers=(1, 2, 3, 4),
    )


def _name(words: Words, part: Part) -> str:
    if part.kind == "language":
        return words.language(part.name)
    if part.kind == "genre":
        return words.name("genres", part.name)
    if part.kind == "votes":
        return words("slices.votes_from", votes=part.name.removeprefix("from "))
    return part.name


def _films(words: Words, caption: str, films: Sequence[ScoredFilm]) -> None:
    names = ("film", "opened", "forecast", "interval", "actual", "votes", "error")
    table.show(
        caption,
        [words(f"track_record.{name}") for name in names],
        [
            (
                film.title or words("coming_soon.untitled"),
                words.day(film.opened),
                words.number(film.rating, "0.0"),
                f"{words.number(film.low, '0.0')} – {words.number(film.high, '0.0')}",
                words.number(film.actual, "0.0"),
                words.number(film.votes),
                words.points(film.error),
            )
            for film in films
        ],
        numbers=(2, 3, 4, 5, 6),
        headed=True,
    )


if __name__ == "__main__":
    main()
