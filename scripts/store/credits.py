"""Count the films of each director, writer and lead in the film store."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from movierating.films import tmdb
from movierating.films.film import Entity
from movierating.films.tokens import MAX_CAST
from scripts.store.parsing import parsed

# By department, as TMDB calls them: how to find its people in the part `credits`.
_PEOPLE: Final = {
    "Directing": tmdb.directors,
    "Writing": tmdb.writers,
    "Acting": lambda credits_: tmdb.cast(credits_)[:MAX_CAST],
}


@dataclass(slots=True)
class Credited:
    """A director, writer or lead, and the number of films in each department.

    Attributes:
        name: The name in the last film that was counted.
        films: By department, such as `Directing`: the number of films.
    """

    name: str
    films: Counter[str] = field(default_factory=Counter)

    @property
    def department(self) -> str:
        """The department with the most films."""
        return max(_PEOPLE, key=lambda each: self.films[each])


def count_credits(films: Iterable[pa.Table]) -> dict[int, Credited]:
    """Count the films of directors, writers and leads, by TMDB's id of the person.

    Args:
        films: Tables with the column `credits` of the film store.
    """
    people: dict[int, Credited] = {}
    for table in films:
        for text in table["credits"]:
            _count(people, parsed(text.as_py() or ""))
    return people


def _count(people: dict[int, Credited], credits_: Any) -> None:
    for department, find in _PEOPLE.items():
        for person in find(credits_):
            if isinstance(person, Entity):
                found = people.setdefault(person.id, Credited(person.name))
                found.name = person.name
                found.films[department] += 1
