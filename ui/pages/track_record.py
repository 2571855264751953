"""The page that compares earlier forecasts with the ratings that the films got after release."""

from collections.abc import Sequence

import streamlit as st

from ui.client.api import ApiError, fetch
from ui.client.forecasts import ScoredDistribution, ScoredFilm, ScoredSubgroup, TrackRecord
from ui.i18n.words import Words
from ui.widgets import charts, film_lines, film_records, notices, subgroups, table


def main() -> None:
    """Draw the page about the errors of earlier forecasts.

    It shows the errors of the forecasts and of the baselines, the calibration, and the worst and
    the best forecasts.
    """
    words = Words(st.session_state.ui)
    st.title(words("track_record.title"), anchor=False)
    st.markdown(words("track_record.lead"))
    try:
        record = fetch(TrackRecord.parse, "/track-record")
    except ApiError as error:
        notices.show_error(words, error)
        st.button(words("page.retry"))
        return
    for alert in record.alerts if record else ():
        st.warning(words("track_record.alert"), icon=":material/warning:")
        st.text(alert)  # the API's own text must not be read as Markdown
    if record is None or record.figures is None:
        st.info(words("track_record.not_yet"))
    else:
        _whole(words, record)
    if record is None:
        return
    film_records.draw_next_due(words, record)
    film_records.draw_last_week(words)
    film_records.draw_search(words)
    if record.figures is not None:
        _errors(words, record)


def _errors(words: Words, record: TrackRecord) -> None:
    """Draw the errors over time, the calibration, single films, and the errors by subgroup."""
    _over_time(words, record)
    if record.calibration:
        st.header(words("track_record.calibration"), anchor=False)
        st.vega_lite_chart(
            spec=charts.calibration(words, record.calibration),
            alt=charts.calibration_text(words, record.calibration),
        )
    if record.distribution:
        _chances(words, record.distribution)
    for name, films in (("worst", record.worst), ("best", record.best)):
        st.header(words(f"track_record.{name}"), anchor=False)
        _films(words, words(f"track_record.{name}"), films)
    for kind in dict.fromkeys(each.kind for each in record.subgroups):
        # Months have a table above. This page does not show scoring marks (the number of days
        # after the release at which a film is scored).
        if kind not in {"month", "mark"}:
            _subgroups(words, kind, [each for each in record.subgroups if each.kind == kind])


def _whole(words: Words, record: TrackRecord) -> None:
    figures = record.figures
    assert figures is not None  # noqa: S101 - main returns earlier without figures
    st.markdown(
        words(
            "track_record.whole",
            films=words.count("films", figures.films),
            votes=words.count("votes", record.min_votes),
            day=words.day(record.as_of),
            coverage=words.percent(figures.coverage),
            bias=words(
                f"track_record.{'high' if figures.bias > 0 else 'low'}",
                points=words.number(abs(figures.bias), "0.00"),
            ),
        )
    )
    named = [(words("track_record.ours"), figures.rmse, True)] + [
        (words.name("predictors", name), rmse, False) for name, rmse in figures.baselines.items()
    ]
    parts = [f"{name} {words.number(rmse, '0.00')}" for name, rmse, _ in named]
    st.vega_lite_chart(spec=charts.errors(named), alt=words.joined(parts))


def _chances(words: Words, distribution: ScoredDistribution) -> None:
    st.header(words("track_record.probabilities"), anchor=False)
    values = {
        "films": words.count("films", distribution.films),
        "crps": words.number(distribution.crps, "0.00"),
    }
    st.markdown(words("track_record.probabilities_lead", **values))
    names = ("at_least", "share", "brier", "base_brier", "off")
    table.draw(
        words("track_record.probabilities"),
        [words(f"track_record.{name}") for name in names],
        [
            (
                words.number(each.rating, "0.0"),
                words.percent(each.share),
                *(
                    words.number(score, "0.000")
                    for score in (each.brier, each.base_brier, each.off)
                ),
            )
            for each in distribution.chances
        ],
        numbers=(0, 1, 2, 3, 4),
        caption_hidden=True,
    )


def _over_time(words: Words, record: TrackRecord) -> None:
    months = [each for each in record.subgroups if each.kind == "month"]
    st.header(words("track_record.months"), anchor=False)
    st.vega_lite_chart(
        spec=charts.errors_over_time(_lines(words, months)), alt=words("track_record.months")
    )
    _subgroups(words, "month", months)


def _lines(words: Words, months: Sequence[ScoredSubgroup]) -> dict[str, list[tuple[str, float]]]:
    """Return the lines of the chart with errors by month: one for the model, one per baseline.

    A line is a list of pairs: a release month, and the RMSE for films released in this month. The
    result has the lines by their names.
    """
    lines = {words("track_record.ours"): [(each.name, each.figures.rmse) for each in months]}
    for month in months:
        for name, rmse in month.figures.baselines.items():
            lines.setdefault(words.name("predictors", name), []).append((month.name, rmse))
    return lines


def _subgroups(words: Words, kind: str, found: Sequence[ScoredSubgroup]) -> None:
    heads = [words("model.films"), "RMSE", words("model.bias"), words("model.covered")]
    names = subgroups.names_of(words, kind, (each.name for each in found))
    table.draw(
        words(f"track_record.by_{kind}"),
        [words(f"track_record.by_{kind}"), *heads],
        [
            (
                name,
                words.number(each.figures.films),
                words.number(each.figures.rmse, "0.00"),
                words.points(each.figures.bias),
                words.percent(each.figures.coverage),
            )
            for name, each in zip(names, found, strict=True)
        ],
        numbers=(1, 2, 3, 4),
    )


def _films(words: Words, caption: str, films: Sequence[ScoredFilm]) -> None:
    names = ("film", "opened", "forecast", "interval", "actual", "votes", "error")
    table.draw(
        caption,
        [words(f"track_record.{name}") for name in names],
        [
            (
                film.title or words("coming_soon.untitled"),
                words.day(film.release_date),
                words.number(film.rating, "0.0"),
                f"{words.number(film.low, '0.0')} – {words.number(film.high, '0.0')}",
                words.number(film.actual, "0.0"),
                words.number(film.votes),
                words.points(film.error),
            )
            for film in films
        ],
        numbers=(2, 3, 4, 5, 6),
        caption_hidden=True,
        addresses=[film_lines.address(words, film.film_id) for film in films],
    )


if __name__ == "__main__":
    main()
