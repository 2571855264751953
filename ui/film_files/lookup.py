"""Find films of a list in the film catalogue, and add the facts that the list does not have."""

import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from ui.client.api import NOT_FOUND, REFUSED, ApiError, fetch
from ui.client.batches import Waiting, patiently
from ui.client.films import FilmDetails, FoundFilm, parse_films
from ui.film_files.rows import Row
from ui.i18n.words import Words

_MAX_TITLE_CHARACTERS: Final = 200
_FOUND_FILMS: Final = 20
_SHOWN_FILMS: Final = 4


class NotFoundError(Exception):
    """The catalogue does not have the film, or has several; the message is a sentence."""


def is_needed(row: Row) -> bool:
    """Return whether the catalogue can add facts: the row has no plot, and names a film."""
    has_name = row.tmdb_id is not None or bool(row.title and row.year)
    facts = row.facts
    return (
        row.problem is None
        and has_name
        and not facts.get("overview")
        and (row.is_listed or not facts.get("genres"))
    )


def with_facts(row: Row, words: Words, waiting: Waiting) -> Row:
    """Return the row with the facts of the film in the catalogue; those of the file stay.

    If the film is not found, a row without own facts gets a problem, another row a remark.

    Raises:
        ApiError: The catalogue cannot be asked.
    """
    try:
        details = _by_id(row, words, waiting) if row.tmdb_id else _by_title(row, words, waiting)
    except NotFoundError as error:
        if row.facts.get("genres"):
            return replace(row, remarks=(*row.remarks, str(error)))
        return replace(row, problem=str(error))
    remark = words("compare.from_catalogue", film=_label(words, details.film))
    return replace(row, facts=details.facts | row.facts, remarks=(*row.remarks, remark))


def _by_id(row: Row, words: Words, waiting: Waiting) -> FilmDetails:
    try:
        details = _details(row.tmdb_id or 0, waiting)
    except ApiError as error:
        if error.status not in {NOT_FOUND, REFUSED}:
            raise
        raise NotFoundError(words("compare.no_such_id", id=str(row.tmdb_id))) from None
    if row.title and not _is_called(details.film, row.title):
        film = _label(words, details.film)
        raise NotFoundError(words("compare.other_film", id=str(row.tmdb_id), film=film))
    return details


def _by_title(row: Row, words: Words, waiting: Waiting) -> FilmDetails:
    title = row.title or ""
    query = {"q": title[:_MAX_TITLE_CHARACTERS], "limit": str(_FOUND_FILMS)}
    found = patiently(lambda: fetch(parse_films, "/films", params=query), waiting)
    called = [film for film in found if _is_called(film, title)]
    same_year = [film for film in called if film.release_date.year == row.year]
    if len(same_year) == 1:
        return _details(same_year[0].film_id, waiting)
    if called:
        raise NotFoundError(words("compare.several", films=_labels(words, same_year or called)))
    raise NotFoundError(words("compare.not_in_catalogue"))


def _details(film_id: int, waiting: Waiting) -> FilmDetails:
    return patiently(lambda: fetch(FilmDetails.parse, f"/films/{film_id}"), waiting)


def _is_called(film: FoundFilm, title: str) -> bool:
    return _key(title) in map(_key, film.titles.values())


def _key(title: str) -> str:
    """Return a title without case, accents, spaces and punctuation."""
    text = unicodedata.normalize("NFKD", title).casefold()
    return "".join(letter for letter in text if letter.isalnum()) or title


def _labels(words: Words, films: Iterable[FoundFilm]) -> str:
    return "; ".join(_label(words, film) for film in list(films)[:_SHOWN_FILMS])


def _label(words: Words, film: FoundFilm) -> str:
    return f"{film.title(words.code)} ({film.release_date.year}, TMDB {film.film_id})"
