"""Convert films to TMDB's JSON: the body of `/movie/{id}`, its parts, and entries of lists."""

from collections.abc import Callable
from datetime import date
from typing import Any

from sandbox.tmdb.codes import GENRES, RETIRED_GENRES, country_name, language
from sandbox.tmdb.films import Company, Film, Person, Translation, stable_hash

Json = dict[str, Any]

GENRE_NAMES = GENRES | RETIRED_GENRES
THEATRICAL = 3


def translated(film: Film, tag: str) -> tuple[str, str]:
    """Return a film's title and plot in one language.

    Without a translation, the title is the default one and the plot is empty.

    Args:
        film: The film.
        tag: The value of the query parameter `language`, such as `ko-KR`.
    """
    code = tag.partition("-")[0]
    if code in ("", "en"):
        return film.title, film.overview
    found = (text for text in film.translations if text.language == code)
    text = next(found, Translation(code, "", "", ""))
    return text.title or film.title, text.overview


def summary(film: Film, tag: str = "") -> Json:
    """Convert a film to an entry in a TMDB list, with TMDB's 14 fields."""
    title, overview = translated(film, tag)
    return {
        "adult": False,
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
        "video": False,
        "vote_average": film.vote_average,
        "vote_count": film.vote_count,
    }


def detail(film: Film, tag: str = "") -> Json:
    """Convert a film to the response of `/movie/{id}`, with TMDB's 26 fields."""
    title, overview = translated(film, tag)
    return {
        "adult": False,
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
        "video": False,
        "vote_average": film.vote_average,
        "vote_count": film.vote_count,
    }


def cast_and_crew(film: Film) -> Json:
    """Return a film's cast and crew."""
    directors = [_crew(film, person, "Directing", "Director") for person in film.directors]
    writers = [_crew(film, person, "Writing", "Writer") for person in film.writers]
    cast = [_actor(film, order, person) for order, person in enumerate(film.cast)]
    return {"cast": cast, "crew": directors + writers}


def keywords(film: Film) -> Json:
    """Return a film's keywords."""
    return {"keywords": [{"id": word.id, "name": word.name} for word in film.keywords]}


def release_dates(film: Film) -> Json:
    """Return a film's releases: one in cinemas for each country of origin."""
    if film.released is None:
        return {"results": []}
    release = {
        "certification": "",
        "descriptors": [],
        "iso_639_1": "",
        "note": "",
        "release_date": f"{film.released}T00:00:00.000Z",
        "type": THEATRICAL,
    }
    countries = film.origin_countries or film.countries[:1]
    return {"results": [{"iso_3166_1": code, "release_dates": [release]} for code in countries]}


def translations(film: Film) -> Json:
    """Return a film's translations; in the entry for its original language the title is empty."""
    return {"translations": [_translation(film, text) for text in film.translations]}


def external_ids(film: Film) -> Json:
    """Return a film's ids in other databases, such as IMDb; most are null."""
    absent = dict.fromkeys(("wikidata_id", "facebook_id", "instagram_id", "twitter_id"))
    return {"imdb_id": film.imdb_id, **absent}


PARTS: dict[str, Callable[[Film], Json]] = {
    "credits": cast_and_crew,
    "external_ids": external_ids,
    "keywords": keywords,
    "release_dates": release_dates,
    "translations": translations,
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


def _person(person: Person, department: str) -> Json:
    return {
        "adult": False,
        "gender": person.gender,
        "id": person.id,
        "known_for_department": department,
        "name": person.name,
        "original_name": person.original_name,
        # Invented, but always the same number for the same person.
        "popularity": round(0.2 + stable_hash(person.id) % 4000 / 1000, 4),
        "profile_path": None,
    }


def _credit_id(film: Film, person: Person, job: str) -> str:
    # TMDB's credit ids have 24 hexadecimal digits.
    return f"{stable_hash(film.id, person.id, job, size=12):024x}"


def _crew(film: Film, person: Person, department: str, job: str) -> Json:
    credit = {
        "credit_id": _credit_id(film, person, job),
        "department": department,
        "job": job,
    }
    return _person(person, department) | credit


def _actor(film: Film, order: int, person: Person) -> Json:
    role = {
        "cast_id": order + 1,
        "character": "",
        "credit_id": _credit_id(film, person, "Actor"),
        "order": order,
    }
    return _person(person, "Acting") | role


def _translation(film: Film, text: Translation) -> Json:
    names = language(text.language)
    # TMDB leaves the title of a translation empty if it is the original title.
    title = "" if text.language == film.original_language else text.title
    return {
        "iso_3166_1": text.country,
        "iso_639_1": text.language,
        "name": names["name"],
        "english_name": names["english_name"],
        "data": {
            "homepage": "",
            "overview": text.overview,
            "runtime": film.runtime,
            "tagline": film.tagline if text.language == "en" else "",
            "title": title,
        },
    }
