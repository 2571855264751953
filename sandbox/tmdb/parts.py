"""The parts of a film, such as its credits; each is answered alone or with `/movie/{id}`."""

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
    """Return a film's cast and crew."""
    crew = [
        *(CrewMember(person, "Directing", "Director") for person in film.directors),
        *(CrewMember(person, "Writing", "Writer") for person in film.writers),
        *film.crew,
    ]
    cast = [_actor(film, order, person) for order, person in enumerate(film.cast)]
    return {"cast": cast, "crew": [_crew_member(film, member) for member in crew]}


def keywords(film: Film, _: Params) -> Json:
    """Return a film's keywords."""
    return {"keywords": [{"id": word.id, "name": word.name} for word in film.keywords]}


def release_dates(film: Film, _: Params) -> Json:
    """Return a film's releases, by country."""
    by_country = groupby(film.releases, lambda release: release.country)
    return {
        "results": [
            {"iso_3166_1": code, "release_dates": [_release(each) for each in releases]}
            for code, releases in by_country
        ]
    }


def translations(film: Film, _: Params) -> Json:
    """Return a film's translations; in the entry for its original language the title is empty."""
    return {"translations": [_translation(film, text) for text in film.translations]}


def external_ids(film: Film, _: Params) -> Json:
    """Return a film's ids in other databases, such as IMDb; most are null."""
    absent = dict.fromkeys(("wikidata_id", "facebook_id", "instagram_id", "twitter_id"))
    return {"imdb_id": film.imdb_id, **absent}


def images(film: Film, params: Params) -> Json:
    """Return a film's images, in the languages that `include_image_language` or `language` names.

    A backdrop has no text, so its language is null.
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
    """Return a film's trailer, if it has one in the language; English is the default."""
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
    """Convert a person to the fields that TMDB has in credits and in search results."""
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
    """Return the id of a credit; TMDB's have 24 hexadecimal digits."""
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
