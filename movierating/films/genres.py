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
# By TMDB's name: what people in the trade say, and names of the Korean Film Council and of IMDb.
# A name that is narrower than every genre of TMDB, such as Biography, is none of them.
_OTHER_NAMES: Final = {
    "Action": ("액션물",),
    "Adventure": ("어드벤처", "어드벤쳐", "모험물"),
    "Animation": ("animated", "cartoon", "anime", "애니", "만화 영화", "만화영화"),
    "Comedy": ("코메디", "희극", "코믹"),
    "Crime": ("범죄물", "크라임"),
    "Documentary": ("doc", "documentaries", "다큐", "다큐멘타리", "기록 영화"),
    "Drama": ("극영화", "드라마물"),
    "Family": ("kids", "children", "가족물", "패밀리", "아동"),
    "Fantasy": ("환타지", "판타지물"),
    "History": ("historical", "period", "사극", "시대극", "역사극", "히스토리"),
    "Horror": ("호러", "공포 호러", "공포물"),
    "Music": ("musical", "뮤지컬", "음악 영화"),
    "Mystery": ("미스테리", "추리", "추리물"),
    "Romance": ("romantic", "멜로", "로맨틱", "멜로 로맨스", "멜로물", "멜로드라마", "로맨스물"),
    "Science Fiction": ("sci fi", "scifi", "s f", "공상 과학", "공상과학", "에스에프"),
    "Thriller": ("suspense", "서스펜스", "스릴러물"),
    "TV Movie": ("television movie", "made for tv", "티비 영화", "tv영화"),
    "War": ("war film", "전쟁물", "전쟁 영화"),
    "Western": ("서부극", "웨스턴", "서부극 웨스턴"),
}


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
    return named | {name: genre for genre, names in _OTHER_NAMES.items() for name in names}
