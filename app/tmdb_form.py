"""Convert a film as TMDB sends it into the form of `POST /v1/predict`.

So a caller can send the whole answer of TMDB's `/movie/{id}`, with `credits`, `keywords` and
`release_dates` appended, or an entry of one of TMDB's lists.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from app.fields import kind_of, refuse
from movierating.films import tmdb
from movierating.films.film import name_of
from movierating.films.releases import first_release

Body = dict[str, Any]

# TMDB's fields that contain the same as one of ours.
_SAME: Final[Mapping[str, str]] = {
    "original_language": "language",
    "genre_ids": "genres",
    "production_countries": "countries",
    "production_companies": "companies",
    "belongs_to_collection": "collection",
}
# By our field: where its people are in the part `credits`, and how to find them.
_PEOPLE: Final = {
    "directors": ("crew", tmdb.directors),
    "writers": ("crew", tmdb.writers),
    "cast": ("cast", tmdb.cast),
}
_BLANK: Final = (None, "", [])


@dataclass
class OwnForm:
    """A film in the form of `POST /v1/predict`.

    Attributes:
        facts: The body with our fields instead of TMDB's. Fields that nobody knows remain.
        sent_as: By our field: TMDB's field from which its value comes, such as `credits.crew`.
        unused: Parts of TMDB's fields that no fact has: the field, the values, and the reason.
        other_day: The `release_date` as sent, if `release_dates` has an earlier release.
    """

    facts: Body
    sent_as: dict[str, str] = field(default_factory=dict)
    unused: list[tuple[str, tuple[str, ...], str]] = field(default_factory=list)
    other_day: str | None = None

    def place_of(self, place: tuple[int | str, ...]) -> tuple[int | str, ...]:
        """Return where a value of our form is in the body, such as `production_companies`, 0."""
        own, *rest = place or ("",)
        sent = self.sent_as.get(str(own))
        if sent is None:
            return place
        name, *part = sent.split(".")
        return (name, *part) if part else (name, *rest)


class WrongPartError(Exception):
    """A part of TMDB's film does not have TMDB's form."""

    def __init__(self, name: str, value: Any, wanted: str) -> None:
        """Keep the name of the part as `name`, and the error for the caller as `error`."""
        super().__init__(name)
        self.name = name
        self.error = refuse("wrong_type", f"this is {kind_of(value)}", wanted)


def own_form(body: Body) -> OwnForm:
    """Convert TMDB's fields to ours. If a body has both for the same fact, ours is used.

    Raises:
        WrongPartError: A part does not have TMDB's form.
    """
    form = OwnForm(dict(body))
    for name, own in _SAME.items():
        if name in form.facts:
            _rename(form, name, own)
    if (found := form.facts.pop("credits", None)) is not None:
        _read_credits(form, found)
    if (dates := form.facts.pop("release_dates", None)) is not None:
        _read_release_dates(form, dates)
    if isinstance(keywords := form.facts.get("keywords"), dict):
        # TMDB nests this list, under another name for series.
        nested = keywords.get("keywords", keywords.get("results", keywords or None))
        form.facts["keywords"] = nested
    return form


def _rename(form: OwnForm, name: str, own: str) -> None:
    value = form.facts.pop(name)
    if form.facts.get(own) not in _BLANK:
        if value not in _BLANK:
            form.unused.append((name, (), f"{own} is sent as well, and is used"))
        return
    named = isinstance(value, list) and own != "genres"
    # TMDB's lists can contain objects without a name, which say nothing.
    form.facts[own] = [each for each in value if not _is_nameless(each)] if named else value
    form.sent_as[own] = name


def _is_nameless(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return value.get("name", value.get("iso_3166_1")) in _BLANK


def _read_credits(form: OwnForm, found: Any) -> None:
    if not isinstance(found, dict):
        raise WrongPartError("credits", found, 'send an object with the lists "cast" and "crew"')
    for own, (part, people_in) in _PEOPLE.items():
        if part not in found:
            continue
        sent = f"credits.{part}"
        if form.facts.get(own) in _BLANK:
            form.facts[own] = list(map(tmdb.to_json, people_in(found)))
            form.sent_as[own] = sent
        elif unused := tuple(map(name_of, people_in(found))):
            form.unused.append((sent, unused, f"{own} is sent as well, and is used"))
    if others := tmdb.other_crew(found):
        form.unused.append(("credits.crew", others, "only who directs or writes is used"))


def _read_release_dates(form: OwnForm, dates: Any) -> None:
    """Use the day of the first release, as training does."""
    if not isinstance(dates, dict):
        raise WrongPartError("release_dates", dates, 'send an object with the list "results"')
    try:
        sent = date.fromisoformat(form.facts.get("release_date") or "")
    except (TypeError, ValueError):
        sent = None  # it is checked later, with all other fields
    first = first_release(sent, dates)
    if first and first.day != sent and (sent or form.facts.get("release_date") in _BLANK):
        form.facts["release_date"] = first.day.isoformat()
        form.sent_as["release_date"] = "release_dates"
        form.other_day = sent.isoformat() if sent else None
