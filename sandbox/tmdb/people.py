"""The people of all films: find them by id or by name, with their films, as TMDB's JSON."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox.tmdb.answers import summary
from sandbox.tmdb.films import Film, FilmStore, Person
from sandbox.tmdb.parts import credit_id, person_summary

Json = dict[str, Any]
KNOWN_FOR = 3  # films in a search result


@dataclass(frozen=True, slots=True)
class Credit:
    """What a person did in a film; `order` is the place in the cast, None in the crew."""

    person: Person
    film: Film
    department: str
    job: str
    order: int | None = None


def credits_of(film: Film) -> Iterator[Credit]:
    """Yield the credits of a film: cast, directors, writers and the other crew."""
    for order, person in enumerate(film.cast):
        yield Credit(person, film, "Acting", "Actor", order)
    for person in film.directors:
        yield Credit(person, film, "Directing", "Director")
    for person in film.writers:
        yield Credit(person, film, "Writing", "Writer")
    for member in film.crew:
        yield Credit(member.person, film, member.department, member.job)


class People:
    """Finds people in the films of a store; it reads the films when it is first asked."""

    def __init__(self, store: FilmStore) -> None:
        self.store = store

    def credits(self, person_id: int) -> list[Credit]:
        """Return a person's credits, those of the most popular films first; empty if unknown."""
        _, positions = self._index.get(person_id, ("", []))
        by_popularity = sorted(map(self.store.film, positions), key=lambda film: -film.popularity)
        return [
            credit
            for film in by_popularity
            for credit in credits_of(film)
            if credit.person.id == person_id
        ]

    def named(self, query: str) -> list[int]:
        """Return the ids of the people in whose names all words of the query occur."""
        words = query.casefold().split()
        return [
            person_id
            for person_id, (names, _) in self._index.items()
            if words and all(word in names for word in words)
        ]

    @cached_property
    def _index(self) -> dict[int, tuple[str, list[int]]]:
        """By person id: the person's names in lower case, and the positions of the films."""
        index: dict[int, tuple[str, list[int]]] = {}
        for position in range(len(self.store.columns.ids)):
            for person in dict.fromkeys(self.store.people(position)):
                if person.id not in index:
                    names = f"{person.name}\n{person.original_name}".casefold()
                    index[person.id] = (names, [])
                index[person.id][1].append(position)
        return index


def found_person(found: list[Credit], tag: str) -> Json:
    """Convert a person to an entry in TMDB's search results, with the best known films."""
    films = {credit.film.id: credit.film for credit in found if not credit.film.adult}
    known_for = [
        summary(film, tag) | {"media_type": "movie"} for film in list(films.values())[:KNOWN_FOR]
    ]
    return _summary(found) | {"known_for": known_for}


def detail(found: list[Credit]) -> Json:
    """Convert a person to the response of `/person/{id}`."""
    person = found[0].person
    facts = _summary(found)
    original = facts.pop("original_name")
    return facts | {
        "also_known_as": [] if original == person.name else [original],
        "biography": "",
        "birthday": None,
        "deathday": None,
        "homepage": None,
        "imdb_id": None,
        "place_of_birth": None,
    }


def movie_credits(found: list[Credit], params: Mapping[str, str]) -> Json:
    """Return a person's films, as an actor and in the crew."""
    tag = params.get("language", "")
    cast = [
        _credited(credit, tag) | {"character": "", "order": credit.order}
        for credit in found
        if credit.order is not None
    ]
    crew = [
        _credited(credit, tag) | {"department": credit.department, "job": credit.job}
        for credit in found
        if credit.order is None
    ]
    return {"cast": cast, "crew": crew}


def external_ids(_: list[Credit], __: Mapping[str, str]) -> Json:
    """Return a person's ids in other databases; an invented person has none."""
    names = ("imdb_id", "wikidata_id", "facebook_id", "instagram_id", "twitter_id")
    return dict.fromkeys(names)


def images(_: list[Credit], __: Mapping[str, str]) -> Json:
    """Return a person's pictures; an invented person has none."""
    return {"profiles": []}


PARTS: dict[str, Callable[[list[Credit], Mapping[str, str]], Json]] = {
    "external_ids": external_ids,
    "images": images,
    "movie_credits": movie_credits,
}


def _summary(found: list[Credit]) -> Json:
    return person_summary(found[0].person, found[0].department)


def _credited(credit: Credit, tag: str) -> Json:
    return summary(credit.film, tag) | {
        "credit_id": credit_id(credit.film, credit.person, credit.job)
    }
