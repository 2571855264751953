"""What a caller sent, where it differs from the facts that were read from it."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

from pydantic import BaseModel

from app.tmdb_form import OwnForm
from movierating.films.film import Entity, name_of


@dataclass(frozen=True)
class Reading:
    """How a request's body was read.

    Attributes:
        sent: By field and value as read: the text as sent, if it is another one.
        sent_as: By field: the field of TMDB's form from which the value comes.
        unused: Parts of TMDB's form that no fact has: the field, the values, and the reason.
        from_tmdb: The fields that were not sent, and whose values are TMDB's.
    """

    sent: Mapping[tuple[str, str], str] = field(default_factory=dict)
    sent_as: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[tuple[str, tuple[str, ...], str], ...] = ()
    from_tmdb: Set[str] = frozenset()

    @classmethod
    def of(cls, form: OwnForm, facts: BaseModel) -> Self:
        """Compare the body, converted to our fields, with the facts that were read from it."""
        sent: dict[tuple[str, str], str] = {}
        for name in type(facts).model_fields.keys() & form.facts.keys():
            read = _listed(getattr(facts, name))
            for raw, value in zip(_listed(form.facts[name]), read, strict=False):
                text, used = _text(raw), _used(value)
                if text is not None and used is not None and text.strip() != used:
                    sent.setdefault((name, used), text)
        if form.other_day:
            sent["release_date", str(form.facts["release_date"])] = form.other_day
        return cls(sent, form.sent_as, tuple(form.unused))

    def as_sent(self, name: str, value: str) -> str:
        """Return a value of a field as it was sent."""
        return self.sent.get((name, value), value)

    def is_tmdbs(self, name: str) -> bool:
        """Return whether the value of a field comes from TMDB's field for it."""
        return name in self.sent_as or name in self.from_tmdb

    def field(self, name: str) -> str:
        """Return the name of a field as it was sent."""
        return self.sent_as.get(name, name)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _used(value: Any) -> str | None:
    """Return a fact as a text; None if it is unknown or a number."""
    if isinstance(value, date):
        return value.isoformat()
    return name_of(value) if isinstance(value, Entity | str) else None


def _text(value: Any) -> str | None:
    """Return the text of a value in the body: of one of TMDB's objects, its name or code."""
    if isinstance(value, dict):
        value = value.get("iso_3166_1", value.get("name"))
    return None if value is None else str(value)
