"""Find the people who made the films, by id or by name, and convert them to TMDB's JSON."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox.tmdb.answers import summary
from sandbox.tmdb.films import Film, FilmStore, Person
from sandbox.tmdb.names import invented_person
from sandbox.tmdb.parts import credit_id, person_summary

Json = dict[str, Any]
KNOWN_FOR = 3  # films in a search result
ODD_NAMES: tuple[tuple[str, ...], ...] = ((), ("", "  "), ("A. Writer", "A. Writer"))
ELSEWHERE = 50  # one person of so many has the name of somebody else


@dataclass(frozen=True, slots=True)
class Credit:
    """The job that a person had in a film.

    Attributes:
        department: TMDB's name for the department, such as "Acting".
        job: TMDB's name for the job, such as "Actor".
        order: For an actor, the position in the cast, from 0; None for a member of the crew.
    """

    person: Person
    film: Film
    department: str
    job: str
    order: int | None = None


def credits_of(film: Film) -> Iterator[Credit]:
    """Yield all credits of a film: first the cast, then directors, writers and the other crew."""
    for order, person in enumerate(film.cast):
        yield Credit(person, film, "Acting", "Actor", order)
    for person in film.directors:
        yield Credit(person, film, "Directing", "Director")
    for person in film.writers:
        yield Credit(person, film, "Writing", "Writer")
    for member in film.crew:
        yield Credit(member.person, film, member.department, member.job)


class People:
    """Finds people by their id or name in all films from a source of films.

    The first search reads all films, which makes it slow.
    """

    def __init__(self, store: FilmStore) -> None:
        self.store = store

    def credits(self, person_id: int) -> list[Credit]:
        """Return the credits (jobs in films) of a person, those in the most popular films first.

        The result is empty if no film has a person with this id.
        """
        _, positions = self._index.get(person_id, ("", []))
        by_popularity = sorted(map(self.store.film, positions), key=lambda film: -film.popularity)
        return [
            credit
            for film in by_popularity
            for credit in credits_of(film)
            if credit.person.id == person_id
        ]

    def first_credit(self, person_id: int) -> list[Credit]:
        """Return one credit of a person; this is faster than to find all of them."""
        _, positions = self._index.get(person_id, ("", []))
        credits_ = credits_of(self.store.film(positions[0])) if positions else ()
        return [credit for credit in credits_ if credit.person.id == person_id][:1]

    def named(self, query: str) -> list[int]:
        """Return the ids of all people whose name contains every word of the query."""
        words = query.casefold().split()
        return [
            person_id
            for person_id, (names, _) in self._index.items()
            if words and all(word in names for word in words)
        ]

    @cached_property
    def _index(self) -> dict[int, tuple[str, list[int]]]:
        """For each person's id: the names in lower case, and the positions of their films."""
        index: dict[int, tuple[str, list[int]]] = {}
        for position in range(len(self.store.columns.ids)):
            for person in dict.fromkeys(self.store.people(position)):
                if person.id not in index:
                    names = f"{person.name}\n{person.original_name}".casefold()
                    index[person.id] = (names, [])
                index[person.id][1].append(position)
        return index


def found_person(found: list[Credit], tag: str) -> Json:
    """Convert a person to an entry of TMDB's search results, with up to three of their films.

    Args:
        found: The credits of the person, those in the most popular films first.
        tag: The language for the films' titles, such as `ko-KR`.
    """
    films = {credit.film.id: credit.film for credit in found if not credit.film.adult}
    known_for = [
        summary(film, tag) | {"media_type": "movie"} for film in list(films.values())[:KNOWN_FOR]
    ]
    return _summary(found) | {"known_for": known_for}


def detail(found: list[Credit]) -> Json:
    """Convert a person, given all their credits, to TMDB's response to `/person/{id}`."""
    person = found[0].person
    facts = _summary(found)
    facts.pop("original_name")
    return facts | {
        "also_known_as": also_known_as(person),
        "biography": "",
        "birthday": None,
        "deathday": None,
        "homepage": None,
        "imdb_id": None,
        "place_of_birth": None,
    }


def also_known_as(person: Person) -> list[str]:
    """Return other names of a person, as odd as the ones that TMDB's volunteers enter.

    Half of the people have none. The others have the name in their own script, with the family name
    first, joined, and in capitals; some also have an empty name, a name twice, or somebody else's.
    """
    if person.id % 2 and person.original_name == person.name:
        return []
    given, _, family = person.name.partition(" ")
    half = len(given) // 2
    names = [
        person.original_name,
        f"{family} {given[:half]}-{given[half:]}",
        f"{family.upper()} {given}",
        *ODD_NAMES[person.id % len(ODD_NAMES)],
    ]
    if person.id % ELSEWHERE == 0:  # a mistake: the name of the next person
        names.append(invented_person(person.id + 1).name)
    return names


def movie_credits(found: list[Credit], params: Mapping[str, str]) -> Json:
    """Return the films of a person: as an actor (`cast`), and as a member of the crew (`crew`)."""
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
    """Return a person's ids in other databases. All are null, because the person is invented."""
    names = ("imdb_id", "wikidata_id", "facebook_id", "instagram_id", "twitter_id")
    return dict.fromkeys(names)


def images(_: list[Credit], __: Mapping[str, str]) -> Json:
    """Return a person's pictures. There are none, because the person is invented."""
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
