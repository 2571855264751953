"""Convert films to TMDB's JSON: the response of `/movie/{id}`, and the entries of film lists."""

from datetime import date
from typing import Any

from sandbox.tmdb.codes import GENRES, RETIRED_GENRES, country_name, language
from sandbox.tmdb.films import Company, Film, Translation

Json = dict[str, Any]

GENRE_NAMES = GENRES | RETIRED_GENRES


def translated(film: Film, tag: str) -> tuple[str, str]:
    """Return a film's title and plot in one language.

    If the film has no translation into this language, the result is its default title and an empty
    plot.

    Args:
        film: The film.
        tag: The value of the request's query parameter `language`, such as `ko-KR`.
    """
    code = tag.partition("-")[0]
    if code in ("", "en"):
        return film.title, film.overview
    found = (text for text in film.translations if text.language == code)
    text = next(found, Translation(code, "", "", ""))
    return text.title or film.title, text.overview


def summary(film: Film, tag: str = "") -> Json:
    """Convert a film to an entry of a film list in TMDB's JSON, with TMDB's 14 fields."""
    title, overview = translated(film, tag)
    return {
        "adult": film.adult,
        "backdrop_path": film.backdrop_path,
        "genre_ids": list(film.genres),
        "id": film.id,
        "original_language": film.original_language,
        "original_title": film.original_title,
        "overview": overview,
        "popularity": film.popularity,
        "poster_path": film.poster_path,
        "release_date": _day(film.released),
        "title": title,
        "video": film.video,
        "vote_average": film.vote_average,
        "vote_count": film.vote_count,
    }


def detail(film: Film, tag: str = "") -> Json:
    """Convert a film to the response of `/movie/{id}`, with TMDB's 26 fields."""
    title, overview = translated(film, tag)
    return {
        "adult": film.adult,
        "backdrop_path": film.backdrop_path,
        "belongs_to_collection": _collection(film),
        "budget": film.budget,
        "genres": [{"id": code, "name": GENRE_NAMES[code]} for code in film.genres],
        "homepage": film.homepage,
        "id": film.id,
        "imdb_id": film.imdb_id,
        "origin_country": list(film.origin_countries),
        "original_language": film.original_language,
        "original_title": film.original_title,
        "overview": overview,
        "popularity": film.popularity,
        "poster_path": film.poster_path,
        "production_companies": [_company(company) for company in film.companies],
        "production_countries": [
            {"iso_3166_1": code, "name": country_name(code)} for code in film.countries
        ],
        "release_date": _day(film.released),
        "revenue": film.revenue,
        "runtime": film.runtime,
        "spoken_languages": [language(code) for code in film.spoken_languages],
        "status": film.status,
        "tagline": film.tagline,
        "title": title,
        "video": film.video,
        "vote_average": film.vote_average,
        "vote_count": film.vote_count,
    }


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _collection(film: Film) -> Json | None:
    if film.collection is None:
        return None
    found = film.collection
    return {"id": found.id, "name": found.name, "poster_path": None, "backdrop_path": None}


def _company(company: Company) -> Json:
    return {
        "id": company.id,
        "logo_path": None,
        "name": company.name,
        "origin_country": company.country,
    }
