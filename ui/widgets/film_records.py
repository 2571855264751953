"""Draw the record of released films: what opened last week, a search, and what waits for votes."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import streamlit as st

from ui.client.api import ApiError, fetch
from ui.client.forecasts import TrackRecord
from ui.client.record import FilmRecord, OpenedFilms, RecordedFilms
from ui.i18n.words import Words
from ui.widgets import address, film_lines, notices, table

_SHOWN_FILMS: Final = 20
_MOST_FILMS: Final = 200  # that the API sends at once
_Answer = TypeVar("_Answer")


def draw_last_week(words: Words) -> None:
    """Draw the films that opened last week, with their forecast and their rating so far."""
    st.header(words("record.last_week"), anchor=False)
    params = {"opened": "last_week", "sort": "-rating", "limit": str(_MOST_FILMS)}
    opened = _fetch(words, OpenedFilms.parse, "/forecasts", params)
    if opened is None:
        return
    days = {"first": words.day(opened.first), "last": words.day(opened.last)}
    if not opened.films:
        notices.small_print(words("record.none_last_week", **days))
        return
    notices.small_print(words("record.last_week_lead", **days))
    _films(words, words("record.last_week"), opened.films)


def draw_search(words: Words) -> None:
    """Draw the search in the record; without a text, draw the films that wait for votes."""
    st.header(words("record.search"), anchor=False)
    address.bind("search", "record_search", str, "")
    text = st.text_input(
        words("record.search"),
        key="record_search",
        max_chars=200,
        placeholder=words("record.example"),
        label_visibility="collapsed",
    ).strip()
    params = {"search": text} if text else {"state": "waiting"}
    params["limit"] = str(_SHOWN_FILMS)
    found = _fetch(words, RecordedFilms.parse, "/track-record/films", params)
    if found is None:
        return
    if not found.films:
        notices.small_print(words("record.none" if text else "record.none_waiting"))
        return
    counted = {
        "films": words.count("films", found.total),
        "votes": words.count("votes", found.min_votes),
    }
    notices.small_print(words("record.found" if text else "record.waiting", **counted))
    _films(words, words("record.search"), found.films)


def draw_next_due(words: Words, record: TrackRecord) -> None:
    """Say when the next forecast is compared with its film's rating, or the first one."""
    if record.next_due is None:
        return
    notices.small_print(
        words(
            "record.due" if record.figures else "record.first_due",
            day=words.day(record.next_due),
            votes=words.count("votes", record.min_votes),
        )
    )


def _fetch(
    words: Words, parse: Callable[[object], _Answer], path: str, params: dict[str, str]
) -> _Answer | None:
    """Request films; if that fails, show the error in their place and return None."""
    try:
        return fetch(parse, path, params=params)
    except ApiError as error:
        notices.show_error(words, error)
        return None


def _films(words: Words, caption: str, films: Sequence[FilmRecord]) -> None:
    heads = [words(f"track_record.{name}") for name in ("film", "opened", "forecast", "interval")]
    heads += [words("record.so_far"), words("track_record.votes"), words("record.needed")]
    table.draw(
        caption,
        heads,
        [_row(words, film) for film in films],
        numbers=(2, 3, 4, 5, 6),
        caption_hidden=True,
        addresses=[film_lines.address(words, film.film_id) for film in films],
    )


def _row(words: Words, film: FilmRecord) -> tuple[str, ...]:
    return (
        film.title(words.code),
        words.day(film.release_date),
        words.number(film.rating, "0.0"),
        f"{words.number(film.low, '0.0')} – {words.number(film.high, '0.0')}",
        "–" if film.actual is None else words.number(film.actual, "0.0"),
        words.number(film.votes),
        words.number(film.votes_needed) if film.votes_needed else words("record.enough"),
    )
