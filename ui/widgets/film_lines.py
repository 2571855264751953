"""What lists and pages show of a film in the catalogue: its name, its rating so far, its page."""

from typing import Final
from urllib.parse import urlencode

from ui.client.films import FilmDetails, FoundFilm
from ui.i18n.words import Words

PAGE: Final = "ui/pages/film.py"


def query(words: Words, film_id: int) -> dict[str, str]:
    """Return the query parameters of a film's page."""
    return {"lang": words.code, "film": str(film_id)}


def address(words: Words, film_id: int) -> str:
    """Return the address of a film's page, relative to that of any other page."""
    return f"film?{urlencode(query(words, film_id))}"


def label(words: Words, film: FoundFilm) -> str:
    """Return a film's title in the language of the page, its original title, and its year."""
    title = film.title(words.code)
    original = film.titles.get("original", title)
    other = f" ({original})" if original != title else ""
    return f"{title}{other} · {film.release_date.year}"


def status(words: Words, details: FilmDetails) -> str:
    """Return a sentence with a film's release date and its rating so far."""
    film = details.film
    if film.is_upcoming:
        return words("find.upcoming", day=words.day(film.release_date))
    if film.rating is None:
        return words("find.unrated", day=words.day(film.release_date))
    return words(
        "find.rated",
        day=words.day(film.release_date),
        rating=words.number(film.rating, "0.0"),
        votes=words.count("votes", film.votes),
    )
