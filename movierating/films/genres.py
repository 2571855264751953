"""TMDB's genres: their ids, and their names in the languages of the page."""

from functools import cache
from typing import Final

from movierating.films.text import name_key

# By TMDB's id: TMDB's English name, and the Korean name that the page shows. The page does not
# import this module, so a test compares the two.
TMDB_GENRES: Final = {
    12: ("Adventure", "모험"),
    14: ("Fantasy", "판타지"),
    16: ("Animation", "애니메이션"),
    18: ("Drama", "드라마"),
    27: ("Horror", "공포"),
    28: ("Action", "액션"),
    35: ("Comedy", "코미디"),
    36: ("History", "역사"),
    37: ("Western", "서부"),
    53: ("Thriller", "스릴러"),
    80: ("Crime", "범죄"),
    99: ("Documentary", "다큐멘터리"),
    878: ("Science Fiction", "SF"),
    9648: ("Mystery", "미스터리"),
    10402: ("Music", "음악"),
    10749: ("Romance", "로맨스"),
    10751: ("Family", "가족"),
    10752: ("War", "전쟁"),
    10770: ("TV Movie", "TV 영화"),
}
_OTHER_NAMES: Final = {"sci fi": "Science Fiction", "scifi": "Science Fiction"}


def genre_of_id(genre_id: int) -> str | None:
    """Return TMDB's English name of a genre; None if TMDB has no genre with this id."""
    names = TMDB_GENRES.get(genre_id)
    return names[0] if names else None


def genre_named(text: str) -> str | None:
    """Return TMDB's English name of a genre, from its name in English or Korean, or from its id.

    Case, accents and spaces do not matter. The result is None if no genre has this name.
    """
    if text.isascii() and text.isdecimal():
        return genre_of_id(int(text))
    return _by_name().get(name_key(text))


@cache
def _by_name() -> dict[str, str]:
    named = {name_key(name): names[0] for names in TMDB_GENRES.values() for name in names}
    return named | _OTHER_NAMES
