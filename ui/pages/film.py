"""The page about one film of the catalogue: `/film?film=ID`, with TMDB's id of the film."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from ui.client.api import NOT_FOUND, ApiError, fetch
from ui.client.films import DailyForecast, FilmDetails, film_id_of
from ui.client.predictions import forecast_of_known
from ui.i18n.words import Words
from ui.widgets import address, charts, film_lines, film_search, notices, result, table, titles
from ui.widgets.markdown import plain

_POSTER_PIXELS: Final = 185
_SHOWN_DAYS: Final = 14


def main() -> None:
    """Draw the film that the address names, or a sentence that says why there is none."""
    words = Words(st.session_state.ui)
    address.read_threshold()
    film_id = film_id_of(st.query_params.get("film"))
    if film_id is None:
        _no_film(words, words("film.no_id"))
        return
    try:
        details = fetch(FilmDetails.parse, f"/films/{film_id}")
    except ApiError as error:
        if error.status == NOT_FOUND:
            _no_film(words, words("film.unknown", id=str(film_id)))
            return
        notices.show_error(words, error)
        st.button(words("page.retry"))
        return
    _draw(words, details)


def _no_film(words: Words, sentence: str) -> None:
    st.title(words("pages.film"), anchor=False)
    st.markdown(sentence)
    for name in ("forecast", "coming_soon"):
        st.page_link(f"ui/pages/{name}.py", label=words(f"pages.{name}"))


def _draw(words: Words, details: FilmDetails) -> None:
    film = details.film
    name = film.title(words.code)
    titles.show(words, name, details.forecasts[-1] if details.forecasts else None)
    st.title(plain(name), anchor=False)
    if film.poster:
        st.image(film.poster, width=_POSTER_PIXELS, alt=words("film.poster", title=name))
    for language, title in film.titles.items():
        st.text(words(f"film.title_{language}", title=title))
    st.text(film_lines.status(words, details))
    if details.url:
        st.link_button(words("find.at_tmdb"), details.url)
    _by_day(words, details.forecasts)
    if st.button(words("film.change")):
        film_search.fill_in(details)
        st.switch_page("ui/pages/forecast.py")
    try:
        forecast = forecast_of_known(film.film_id)
    except ApiError as error:
        notices.show_error(words, error)
    else:
        if details.is_training_film:
            st.info(words("find.training_film"))
        result.draw(words, details.facts, forecast, with_posters=True)
    _audience(words, details)


def _by_day(words: Words, forecasts: Sequence[DailyForecast]) -> None:
    """Draw the recorded forecasts: the newest in a chart, all of them in a table."""
    if not forecasts:
        return
    st.header(words("film.by_day"), anchor=False)
    newest = [
        (words.day(each.day), each.rating, each.low, each.high) for each in forecasts[-_SHOWN_DAYS:]
    ]
    rows = [
        (
            words.day(each.day),
            words.number(each.rating, "0.0"),
            f"{words.number(each.low, '0.0')} – {words.number(each.high, '0.0')}",
        )
        for each in reversed(forecasts)
    ]
    parts = [f"{day} {rating}" for day, rating, _ in rows[:_SHOWN_DAYS]]
    st.vega_lite_chart(spec=charts.compared_films(newest), alt=words.joined(parts))
    heads = [words(f"film.{name}") for name in ("day", "forecast", "interval")]
    with st.expander(words("film.all_days")):
        table.draw(words("film.by_day"), heads, rows, numbers=(1, 2), caption_hidden=True)


def _audience(words: Words, details: FilmDetails) -> None:
    """Draw what audiences said after the release, beside the last forecast."""
    st.header(words("film.audience"), anchor=False)
    film = details.film
    st.text(film_lines.status(words, details))
    if film.rating is not None and details.forecasts:
        last = details.forecasts[-1]
        st.text(
            words(
                "film.compared",
                day=words.day(last.day),
                rating=words.number(last.rating, "0.0"),
                low=words.number(last.low, "0.0"),
                high=words.number(last.high, "0.0"),
                difference=words.points(last.rating - film.rating),
            )
        )
    if details.votes_needed and not film.is_upcoming:
        votes = words.count("votes", details.votes_needed)
        st.text(words("film.votes_needed", votes=votes))


if __name__ == "__main__":
    main()
