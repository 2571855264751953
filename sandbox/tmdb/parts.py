"""Convert the parts of a film, such as its credits, to TMDB's JSON.

A client gets a part alone from a route such as `/movie/{id}/credits`. Or it gets several parts with
`/movie/{id}`, if the parameter `append_to_response` names them.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import groupby
from typing import Any

from sandbox.tmdb.codes import language
from sandbox.tmdb.films import CrewMember, Film, Person, Translation
from sandbox.tmdb.hashing import stable_hash
from sandbox.tmdb.names import image_path
from sandbox.tmdb.releases import Release

Json = dict[str, Any]
Params = Mapping[str, str]

# By kind of image, the width and height of the largest size.
IMAGE_SIZES = {"backdrop": (1920, 1080), "logo": (1200, 400), "poster": (1000, 1500)}
TRAILER_SHARE = 0.6  # of films
TRAILER_DAYS = 60  # before the release


def all_credits(film: Film, _: Params) -> Json:
    """Return a film's cast and crew, as in TMDB's response to `/movie/{id}/credits`."""
    crew = [
        *(CrewMember(person, "Directing", "Director") for person in film.directors),
        *(CrewMember(person, "Writing", "Writer") for person in film.writers),
        *film.crew,
    ]
    cast = [_actor(film, order, person) for order, person in enumerate(film.cast)]
    return {"cast": cast, "crew": [_crew_member(film, member) for member in crew]}


def keywords(film: Film, _: Params) -> Json:
    """Return a film's keywords, as in TMDB's response to `/movie/{id}/keywords`."""
    return {"keywords": [{"id": word.id, "name": word.name} for word in film.keywords]}


def release_dates(film: Film, _: Params) -> Json:
    """Return a film's releases in each country, as TMDB does for `/movie/{id}/release_dates`."""
    by_country = groupby(film.releases, lambda release: release.country)
    return {
        "results": [
            {"iso_3166_1": code, "release_dates": [_release(each) for each in releases]}
            for code, releases in by_country
        ]
    }


def translations(film: Film, _: Params) -> Json:
    """Return a film's title and plot in each language into which it is translated.

    As in TMDB, the title is empty for the film's original language.
    """
    return {"translations": [_translation(film, text) for text in film.translations]}


def external_ids(film: Film, _: Params) -> Json:
    """Return a film's ids in other databases.

    Only the id in IMDb can have a value. The other ids are null.
    """
    absent = dict.fromkeys(("wikidata_id", "facebook_id", "instagram_id", "twitter_id"))
    return {"imdb_id": film.imdb_id, **absent}


def images(film: Film, params: Params) -> Json:
    """Return the descriptions of a film's images: its poster, its logo and its backdrop.

    Only images in the languages that the parameter `include_image_language` or `language` names are
    returned. A backdrop (a wide picture) has no text, so its language is null.
    """
    wanted = params.get("include_image_language") or params.get("language", "").partition("-")[0]
    codes = wanted.split(",") if wanted else None
    own = film.original_language or "en"
    found: dict[str, list[tuple[str, str | None, str | None]]] = {
        "backdrops": [("backdrop", film.backdrop_path, None)],
        "logos": [("logo", image_path(film.id, "logo", suffix="png"), own)],
        "posters": [("poster", film.poster_path, own)],
    }
    return {
        name: [
            _image(kind, path, code)
            for kind, path, code in listed
            if path and (codes is None or (code or "null") in codes)
        ]
        for name, listed in found.items()
    }


def videos(film: Film, params: Params) -> Json:
    """Return a film's trailer, if the film has one.

    All trailers are in English. If the parameter `language` names another one, there is no result.
    """
    has_trailer = stable_hash(film.id, "trailer") % 100 < 100 * TRAILER_SHARE
    in_english = params.get("language", "en").partition("-")[0] in ("", "en")
    if film.released is None or not has_trailer or not in_english:
        return {"results": []}
    published = film.released - timedelta(TRAILER_DAYS)
    trailer = {
        "iso_639_1": "en",
        "iso_3166_1": "US",
        "name": "Official Trailer",
        "key": f"{stable_hash(film.id, 'key', size=6):x}"[:11].zfill(11),
        "site": "YouTube",
        "size": 1080,
        "type": "Trailer",
        "official": True,
        "published_at": f"{published}T16:00:00.000Z",
        "id": f"{stable_hash(film.id, 'video', size=12):024x}",
    }
    return {"results": [trailer]}


PARTS: dict[str, Callable[[Film, Params], Json]] = {
    "credits": all_credits,
    "external_ids": external_ids,
    "images": images,
    "keywords": keywords,
    "release_dates": release_dates,
    "translations": translations,
    "videos": videos,
}


def person_summary(person: Person, department: str) -> Json:
    """Convert a person to the JSON fields that TMDB uses in credits and in search results."""
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


def credit_id(film: Film, person: Person, job: str) -> str:
    """Invent the id for a credit (a person's job in a film); like TMDB's, it has 24 hex digits."""
    return f"{stable_hash(film.id, person.id, job, size=12):024x}"


def _crew_member(film: Film, member: CrewMember) -> Json:
    credit = {
        "credit_id": credit_id(film, member.person, member.job),
        "department": member.department,
        "job": member.job,
    }
    return person_summary(member.person, member.department) | credit


def _actor(film: Film, order: int, person: Person) -> Json:
    role = {
        "cast_id": order + 1,
        "character": "",
        "credit_id": credit_id(film, person, "Actor"),
        "order": order,
    }
    return person_summary(person, "Acting") | role


def _release(release: Release) -> Json:
    return {
        "certification": release.certification,
        "descriptors": [],
        "iso_639_1": "",
        "note": release.note,
        "release_date": f"{release.day}T00:00:00.000Z",
        "type": release.kind,
    }


def _image(kind: str, path: str, code: str | None) -> Json:
    width, height = IMAGE_SIZES[kind]
    return {
        "aspect_ratio": round(width / height, 3),
        "height": height,
        "iso_639_1": code,
        "file_path": path,
        "vote_average": 5.0,
        "vote_count": 1,
        "width": width,
    }


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
