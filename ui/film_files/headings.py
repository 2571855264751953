"""Recognise the headings of columns: the page's own, those of the trade, and those of exports.

Exports are files from TMDB, IMDb, Letterboxd, and this project's pipeline.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from ui.film_files.errors import FileError
from ui.i18n.words import LANGUAGES, Words

# By field of the API: its headings. The page's own names of the fields are known as well.
_FACTS: Final[dict[str, tuple[str, ...]]] = {
    "title": (
        "title, name, film, movie, film title, movie title, film name, movie name, primary title",
        "제목, 영화, 영화명, 영화 제목, 작품, 작품명, 타이틀, 국문 제목, 영화명(국문), movieNm",
    ),
    "overview": (
        "overview, plot, synopsis, summary, storyline, story, plot summary, plot overview",
        "줄거리, 시놉시스, 스토리, 영화 줄거리",
    ),
    "genres": (
        "genre, genres, genre names, genre(s)",
        "장르, 영화 장르, 장르명, genreNm",
    ),
    "language": (
        "language, original language, film language, movie language, lang",
        "언어, 원어, 영화 언어, 제작 언어, 사용 언어",
    ),
    "runtime": (
        "runtime, run time, running time, runtime minutes, duration, length, film length",
        "러닝타임, 상영시간, 런타임, 러닝 타임, 재생 시간, showTm",
    ),
    "release_date": (
        "release date, release, released, release day, opening date, opening, opening day",
        "개봉일, 개봉일자, 개봉, 개봉 예정일, 개봉 날짜, 개봉 시기, openDt",
    ),
    "budget": (
        "budget, production budget, film budget, production cost",
        "제작비, 총제작비, 순제작비, 예산, 제작 예산",
    ),
    "countries": (
        "country, countries, production country, production countries, country of production",
        "국가, 제작국가, 제작국, 국적, 대표국적, 나라, nationAlt",
    ),
    "directors": (
        "director, directors, director(s), directed by, film director, directorNm",
        "감독, 연출, 감독명, 감독 이름",
    ),
    "writers": (
        "writer, writers, writer(s), screenwriter, screenwriters, screenplay, written by",
        "각본, 작가, 시나리오, 극본, 각본가, 시나리오 작가",
    ),
    "cast": (
        "cast, actor, actors, starring, lead, leads, main cast, lead actors, cast names",
        "주연, 출연, 출연진, 배우, 주연 배우, 출연 배우, 캐스트, 캐스팅, 배우명",
    ),
    "companies": (
        "company, companies, production company, production companies, studio, studios",
        "제작사, 제작 회사, 영화사, 제작사명",
    ),
    "collection": (
        "series, collection, franchise, film series, belongs to collection",
        "시리즈, 프랜차이즈, 영화 시리즈",
    ),
    "keywords": ("keyword, keywords", "키워드, 핵심어"),
}
# The same, for columns that count only if the file has no better one.
_SECOND_CHOICE: Final[dict[str, tuple[str, ...]]] = {
    "title": (
        "original title, english title, international title, korean title",
        "원제, 원제목, 영문 제목, 영문명, 영화명(영문), 한글 제목, movieNmEn",
    ),
    "overview": ("logline, description", "로그라인, 한 줄 소개, 소개, 작품 소개, 내용"),
    "directors": ("crew",),
    "genres": ("main genre", "주 장르, 대표 장르, repGenreNm"),
    "countries": ("origin country, country of origin", "원산지, repNationNm"),
}
# What finds a film in the catalogue, or says what a row is.
_FINDERS: Final[dict[str, tuple[str, ...]]] = {
    "tmdb_id": ("tmdb id, tmdb, tmdb movie id", "tmdb 번호"),
    "own_id": ("id, movie id",),  # TMDB's in an export of TMDB, otherwise anything
    "imdb_id": ("const, tconst, imdb id, imdb",),
    "letterboxd": ("letterboxd uri",),
    "address": ("url, uri",),
    "year": (
        "year, release year, production year, start year",
        "연도, 년도, 제작연도, 제작년도, 개봉연도, 개봉년도, 제작 연도, prdtYear",
    ),
    "title_type": ("title type",),
}
FINDERS: Final = tuple(_FINDERS)
# What people have beside the facts: recognised, and named as not used, by reason.
_NOT_USED: Final[dict[str, tuple[str, ...]]] = {
    "after_release": (
        "vote average, vote count, votes, num votes, revenue, popularity, rating, ratings",
        "imdb rating, imdb votes, your rating, box office, gross, metascore, score, audience",
        "평점, 별점, 관객수, 누적 관객수, 누적관객, 매출액, 누적매출액, 관객, 박스오피스",
    ),
    "distributor": ("distributor, distributors, distributed by", "배급사, 배급, 배급 회사"),
    "age_rating": (
        "certification, mpaa, mpaa rating, rated, age rating",
        "등급, 관람등급, 심의등급, 상영등급, watchGradeNm",
    ),
}
# Headings that exist only in exports of TMDB, or in files of this project's pipeline.
_ONLY_TMDB: Final = frozenset(
    {"voteaverage", "votecount", "originallanguage", "posterpath", "backdroppath"}
    | {"belongstocollection", "productioncountries", "spokenlanguages", "genreencoded"}
    | {"langencoded", "overviewsentiment"}
)
_MIN_TMDB: Final = 2
# Words in parentheses behind a heading that do not change what the column is.
_ASIDES: Final = frozenset(
    {"required", "optional", "s", "en", "ko", "예정", "예상", "필수", "선택", "복수"}
    | {"한글", "국문", "영문", "영어", "한국어"}
)
_ASIDE: Final = re.compile(r"[(\[（【](?P<aside>[^(\[（【)\]）】]{0,80})[)\]）】]")
_LONGEST: Final = 200  # characters of a heading; the pattern above is slow for long texts
UNIT_FIELDS: Final = ("runtime", "budget")


@dataclass(frozen=True)
class Column:
    """One column of a file, and how it is used.

    Attributes:
        at: The column's index.
        heading: Its heading in the file; empty without one.
        field: The field of the API, or one of the names for finding a film, such as `tmdb_id`; None
            for a column that is not used.
        unit: What is in parentheses behind the heading of a number, such as `억원`.
        reason: Why the column is not used: `unknown`, `no_heading`, `second_choice`, or a reason
            in `_NOT_USED`. None for a used column.
    """

    at: int
    heading: str
    field: str | None = None
    unit: str = ""
    reason: str | None = None


def count_known(headings: Iterable[str]) -> int:
    """Return how many different fields a row names, if it is a row of headings."""
    found = (_meaning(heading) for heading in headings if heading)
    return len({field for kind, field, _ in found if kind})


def columns_of(headings: Iterable[str]) -> list[Column]:
    """Recognise the columns of a file.

    Raises:
        FileError: Two columns are the same field ("two_columns"), or no column has a fact about a
            film, or its title ("no_columns").
    """
    listed = list(headings)
    keys = {_key(heading) for heading in listed}
    is_tmdb = len(keys & _ONLY_TMDB) >= _MIN_TMDB
    columns = [_column(at, heading, is_tmdb) for at, heading in enumerate(listed)]
    if is_list_of_films(columns):
        # There, a description is a note about the list, and no plot.
        columns = [
            Column(column.at, column.heading, reason="unknown")
            if column.field == "overview" and column.reason
            else column
            for column in columns
        ]
    columns = _without_second_choices(columns)
    _check_twice(columns)
    if not any(column.field in _FACTS or column.field == "tmdb_id" for column in columns):
        raise FileError(
            "no_columns", found=", ".join(heading for heading in listed if heading)[:200]
        )
    return columns


def is_list_of_films(columns: Iterable[Column]) -> bool:
    """Return whether a file is a list of IMDb or Letterboxd: it names films, and few facts."""
    found = {column.field for column in columns}
    return bool(found & {"imdb_id", "letterboxd", "address"}) and "year" in found


def _column(at: int, heading: str, is_tmdb: bool) -> Column:
    if not heading:
        return Column(at, heading, reason="no_heading")
    kind, field, unit = _meaning(heading)
    if field == "own_id":
        kind, field = ("finder", "tmdb_id") if is_tmdb else ("", "")
    if not kind:
        return Column(at, heading, reason="unknown")
    if kind == "not_used":
        return Column(at, heading, reason=field)
    reason = "second_choice" if kind == "second" else None
    return Column(at, heading, field, unit, reason)


def _without_second_choices(columns: list[Column]) -> list[Column]:
    """Use a column of second choice only if it is the only one for its field."""
    taken = {column.field for column in columns if column.reason is None}
    chosen = []
    for column in columns:
        field = column.field
        if column.reason == "second_choice":
            used = field not in taken
            taken.add(field)
            reason = None if used else "second_choice"
            chosen.append(
                Column(column.at, column.heading, field if used else None, column.unit, reason)
            )
        else:
            chosen.append(column)
    return chosen


def _check_twice(columns: list[Column]) -> None:
    first: dict[str, Column] = {}
    for column in columns:
        if column.field and first.setdefault(column.field, column) is not column:
            raise FileError("two_columns", first=first[column.field].heading, second=column.heading)


def _meaning(heading: str) -> tuple[str, str, str]:
    """Return what a heading means: the kind, the field or the reason, and the unit.

    The kind is `fact`, `second`, `finder` or `not_used`, and empty for an unknown heading.
    """
    if len(heading) > _LONGEST:
        return "", "", ""
    found = _known().get(_key(heading))
    if found:
        kind, field = found
        return kind, field, "".join(_ASIDE.findall(heading)) if field in UNIT_FIELDS else ""
    aside = _ASIDE.search(heading)
    kind, field = _known().get(_key(_ASIDE.sub(" ", heading)), ("", ""))
    if not aside or not kind:
        return "", "", ""
    text = aside["aside"].strip()
    if field in UNIT_FIELDS:
        return kind, field, "" if _key(text) in _ASIDES else text
    if _key(text) in _ASIDES or _known().get(_key(text), ("", ""))[1] == field:
        return kind, field, ""
    return "", "", ""


def _key(heading: str) -> str:
    """Return a heading without case, spaces, underscores, hyphens and marks such as `*`."""
    text = unicodedata.normalize("NFKC", heading).casefold()
    return "".join(letter for letter in text if letter.isalnum() or letter in "()")


@cache
def _known() -> dict[str, tuple[str, str]]:
    """Return, by the key of a heading: its kind, and its field or the reason for not using it."""
    kinds = {"not_used": _NOT_USED, "second": _SECOND_CHOICE, "finder": _FINDERS, "fact": _FACTS}
    known = {
        _key(name): (kind, field)
        for kind, fields in kinds.items()
        for field, lists in fields.items()
        for names in lists
        for name in names.split(", ")
    }
    for field in _FACTS:
        for words in map(Words, LANGUAGES):
            for section in ("fields", "form"):
                known[_key(words.name(section, field))] = ("fact", field)
        known[_key(field)] = ("fact", field)
    return known
