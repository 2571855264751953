"""Draw the training films that are similar to a film; each leads to its page."""

from contextlib import suppress
from html import escape

import streamlit as st

from ui.client.api import ApiError, fetch
from ui.client.films import FilmDetails
from ui.client.predictions import Forecast, SimilarFilm
from ui.i18n.words import TEMPLATES, Words
from ui.widgets import film_lines, table


def draw(words: Words, forecast: Forecast, *, with_posters: bool = False) -> None:
    """Draw the similar films in a table, or as a list with their posters.

    Args:
        words: The texts in the visitor's language.
        forecast: The forecast.
        with_posters: Whether to show posters, which needs a request to the API for each film.
    """
    films = forecast.similar_films
    if not films:
        return
    st.header(words("comparables.title"), anchor=False)
    posters = {film.film_id: _poster(film) for film in films} if with_posters else {}
    if any(posters.values()):
        items = "".join(_item(words, film, posters[film.film_id]) for film in films)
        style = (TEMPLATES / "films.html").read_text("utf-8")
        st.html(f'{style}<ul class="films">{items}</ul>')
        return
    table.draw(
        words("comparables.lead"),
        [words(f"comparables.{name}") for name in ("film", "year", "rating")],
        [(film.title, str(film.year), words.number(film.rating, "0.0")) for film in films],
        numbers=(1, 2),
        addresses=[film_lines.address(words, film.film_id) for film in films],
    )


def _poster(film: SimilarFilm) -> str | None:
    with suppress(ApiError):  # the catalogue does not have each training film
        return fetch(FilmDetails.parse, f"/films/{film.film_id}").film.poster
    return None


def _item(words: Words, film: SimilarFilm, poster: str | None) -> str:
    image = f'<img src="{escape(poster)}" alt="" loading="lazy">' if poster else ""
    address = escape(film_lines.address(words, film.film_id))
    return (
        f'<li class="film">{image}<div><h3><a href="{address}">{escape(film.title)}</a></h3>'
        f'<p class="when">{film.year}</p>'
        f'<p class="rated"><strong>{words.number(film.rating, "0.0")}</strong></p></div></li>'
    )
