"""Read the facts of a film from TMDB's JSON, for training and serving alike.

TMDB's lists contain objects with an id and a name. A value of another type counts as absent.
"""

import math
from collections.abc import Iterable
from typing import Any, Final, TypeGuard

from movierating.films.film import Entity, Named, name_of
from movierating.films.text import normalise

Objects = list[dict[str, Any]]

# Further parts that are requested with a film, and the lists that each part must contain.
PARTS: Final = {
    "credits": ("cast", "crew"),
    "keywords": ("keywords",),
    "release_dates": ("results",),
    "translations": ("translations",),
}

_WRITING: Final = "Writing"  # a department: the screenplay, the story, the novel, ...
_DIRECTOR: Final = "Director"  # a job
LARGEST_ID: Final = 2**53 - 1  # every program reads such a number of JSON exactly


def objects(value: Any, part: str | None = None) -> Objects:
    """Return the objects of a list; an object alone counts as a list of one.

    Args:
        value: A list or an object of TMDB's JSON.
        part: If given, the key of the object that holds the list.
    """
    if part is not None:
        value = value.get(part) if isinstance(value, dict) else None
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, dict)]


def names(found: Iterable[dict[str, Any]], key: str = "name") -> tuple[str, ...]:
    """Return the names of some objects: normalised, without duplicates, in the same order."""
    normalised = (normalise(str(each.get(key) or "")) for each in found)
    return tuple(dict.fromkeys(name for name in normalised if name))


def entities(found: Iterable[dict[str, Any]]) -> tuple[Named, ...]:
    """Return the people, companies or others in some objects, each once, in the same order.

    An object without a name is left out. One without a usable id becomes its name.
    """
    listed: dict[int | str, Named] = {}
    for each in found:
        if name := normalise(str(each.get("name") or "")):
            number = each.get("id")
            if is_id(number):
                listed.setdefault(number, Entity(number, name))
            else:
                listed.setdefault(name, name)
    return tuple(listed.values())


def is_id(value: Any) -> TypeGuard[int]:
    """Return whether a value can be TMDB's id of a person, company, collection or keyword."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_ID


def to_json(named: Named) -> Any:
    """Return an entity as TMDB's object with id and name; a name stays a text."""
    return {"id": named.id, "name": named.name} if isinstance(named, Entity) else named


def directors(credits_: Any) -> tuple[Named, ...]:
    """Return the directors in the part `credits`."""
    return entities(each for each in objects(credits_, "crew") if each.get("job") == _DIRECTOR)


def writers(credits_: Any) -> tuple[Named, ...]:
    """Return everybody in the part `credits` who wrote: the screenplay, the story, the novel."""
    return entities(
        each for each in objects(credits_, "crew") if each.get("department") == _WRITING
    )


def other_crew(credits_: Any) -> tuple[str, ...]:
    """Return the crew in the part `credits` that neither directed nor wrote."""
    used = set(map(name_of, (*directors(credits_), *writers(credits_))))
    return tuple(name for name in names(objects(credits_, "crew")) if name not in used)


def cast(credits_: Any) -> tuple[Named, ...]:
    """Return all actors in the part `credits`, the lead first."""
    return entities(sorted(objects(credits_, "cast"), key=_billing))


def incomplete_parts(film: dict[str, Any]) -> list[str]:
    """Return the names of the parts that TMDB's film JSON lacks or has in an unexpected form."""
    return [name for name in PARTS if not is_complete(name, film.get(name))]


def is_complete(name: str, part: Any) -> bool:
    """Whether a part, such as `credits`, has the lists that it must contain."""
    return isinstance(part, dict) and all(isinstance(part.get(each), list) for each in PARTS[name])


def korean(translations: Any, field: str) -> str | None:
    """Return the Korean text of a field in the part `translations`; None if TMDB has none."""
    for each in objects(translations, "translations"):
        data = each.get("data")
        if each.get("iso_639_1") == "ko" and isinstance(data, dict):
            return normalise(str(data.get(field) or "")) or None
    return None


def country_codes(production_countries: Any) -> tuple[str, ...]:
    """Return the codes in the field `production_countries`."""
    return names(objects(production_countries), "iso_3166_1")


def _billing(actor: dict[str, Any]) -> float:
    order = actor.get("order")
    return order if isinstance(order, int | float) else math.inf
