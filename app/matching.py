"""Match the facts in a request with what the model knows.

The model knows genres, languages and countries by TMDB's names and codes, and people, companies,
collections and keywords by TMDB's ids, to which their names lead. What a caller writes otherwise is
matched here. Every value that does not count in the forecast is named, and every value that was
changed.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from app.film_facts import FilmFacts
from app.schemas import IgnoredValues, ReadAs
from movierating.films.codes import CodeTable
from movierating.films.countries import country_code
from movierating.films.film import Entity, Film, Named, Plot, name_of
from movierating.films.genres import genre_named
from movierating.films.languages import language_code
from movierating.films.text import name_key
from movierating.films.tokens import MAX_CAST, token_of
from movierating.model.features import AFTER_RELEASE
from movierating.model.target_encoding import Effects
from movierating.model.token_index import NameIndex
from movierating.registry.bundle import Bundle

# The response stays about as long as the request: each value is named once, and cut.
_VALUE_CHARACTERS: Final = 100
_MAX_UNUSED_FIELDS: Final = 50
_MAX_CHANGES: Final = 100
_BEFORE_CHANGE: Final = 20  # characters shown before the first difference of two long texts

# By field: the trait of its names, and what happens to a name that the model does not know.
_NAMES: Final = {
    "directors": ("director", "no training film is by this director; counted as a newcomer"),
    "writers": ("writer", "no training film is by this writer; counted as a newcomer"),
    "cast": ("cast", "no training film has this actor; counted as a newcomer"),
    "companies": ("company", "no training film is from this company; counted as a new one"),
    "collection": ("franchise", "no training film is in this collection; counted as a new one"),
    "keywords": ("keyword", "too few training films have this keyword; it has no effect"),
}
_TWICE: Final = "sent twice; counts once"
_AFTER_RELEASE: Final = "known only after the release, so never used"
# Why some fields that are no facts are not used.
_NOT_USED: Final = {
    **dict.fromkeys(AFTER_RELEASE, _AFTER_RELEASE),
    "id": "not looked up; send it as tmdb_id to use the film's facts from the catalogue",
}


@dataclass
class Matched:
    """A film as the model gets it, and how it differs from the request.

    Attributes:
        film: The film.
        ignored: The values that do not count, and why.
        read_as: The values that were changed.
    """

    film: Film
    ignored: list[IgnoredValues]
    read_as: list[ReadAs]


@dataclass
class _Notes:
    """Collects what is ignored and what is changed, while the facts are matched."""

    facts: FilmFacts
    ignored: list[IgnoredValues] = field(default_factory=list)
    read_as: list[ReadAs] = field(default_factory=list)

    def ignore(self, name: str, values: Iterable[str], reason: str) -> None:
        """Note that some values of a field do not count; `values` are as the API read them."""
        reading = self.facts.reading
        if sent := [_cut(reading.as_sent(name, value)) for value in values]:
            self.ignored.append(
                IgnoredValues(field=reading.field(name), values=sent, reason=reason)
            )

    def change(self, name: str, value: str, used: str, reason: str | None = None) -> None:
        """Note what a value of a field was changed to, if it was, or if there is a reason to."""
        sent = self.facts.reading.as_sent(name, value)
        if (sent != used or reason) and len(self.read_as) < _MAX_CHANGES:
            around = slice(_start_of_change(sent, used), None)
            self.read_as.append(
                ReadAs(
                    field=self.facts.reading.field(name),
                    sent=_cut(sent[around]),
                    read=_cut(used[around]),
                    reason=reason,
                )
            )


def match(bundle: Bundle, facts: FilmFacts, plot: Plot | None) -> Matched:
    """Convert the facts in a request to a `Film`, with the names and codes that the model knows.

    Args:
        bundle: The model in service.
        facts: The facts in the request.
        plot: The plot, already measured; None if it is unknown.
    """
    notes = _Notes(facts)
    for name in ("title", "overview"):
        if text := getattr(facts, name):
            notes.change(name, text, text)
    if facts.release_date:
        notes.change("release_date", str(facts.release_date), str(facts.release_date))
    film = Film(
        title=facts.title,
        genres=_genres(bundle, notes),
        original_language=_language(bundle, notes),
        runtime_minutes=facts.runtime,
        release_date=facts.release_date,
        budget_usd=facts.budget,
        countries=_countries(bundle, notes),
        directors=_names(bundle, notes, "directors"),
        writers=_names(bundle, notes, "writers"),
        cast=_names(bundle, notes, "cast", MAX_CAST),  # as in training
        companies=_names(bundle, notes, "companies"),
        franchise=next(iter(_names(bundle, notes, "collection")), None),
        keywords=_names(bundle, notes, "keywords"),
        plot=plot,
    )
    return Matched(film, [*notes.ignored, *_not_facts(facts)], notes.read_as)


def _genres(bundle: Bundle, notes: _Notes) -> tuple[str, ...]:
    table = bundle.codes.genres
    unknown = "not a genre of this model; see /options"
    return _found(notes, "genres", lambda text: known_genre(table, text), unknown)


def known_genre(genres: CodeTable, text: str) -> str | None:
    """Return the model's name of a genre, from its name in any case, in Korean, or TMDB's id."""
    for name in (text, genre_named(text)):
        if genres.code(name) >= 0:
            return name
    key = name_key(text)
    return next((name for name in genres.names if name_key(name) == key), None)


def _language(bundle: Bundle, notes: _Notes) -> str | None:
    text, known = notes.facts.language, bundle.codes.languages
    if not text:
        return None
    # TMDB's own field has TMDB's own code, which is never to be read as a country's.
    is_tmdb = notes.facts.reading.is_tmdbs("language")
    code = text if is_tmdb or text in known.names else language_code(text, known.names)
    if code and known.code(code) >= 0:
        notes.change("language", text, code)
        return code
    reason = "no training film is in this language" if code else "not a language that we know"
    notes.ignore("language", [text], f"{reason}; see /options")
    return None


def _countries(bundle: Bundle, notes: _Notes) -> tuple[str, ...]:
    known = bundle.effects.tables.get("country", ())
    codes = _found(
        notes,
        "countries",
        lambda text: text if text in known else country_code(text),
        "there is no such country; send a code such as KR",
    )
    rare = [code for code in codes if code not in known]
    notes.ignore(
        "countries", rare, "too few training films are from this country; it has no effect"
    )
    return codes


def _found(
    notes: _Notes, name: str, find: Callable[[str], str | None], unknown: str
) -> tuple[str, ...]:
    """Replace the values of a list by what the model calls them; leave out unknown ones.

    Args:
        notes: Where changed and ignored values are noted.
        name: The field.
        find: Returns what the model calls a value; None if that is unknown.
        unknown: Why an unknown value is ignored.
    """
    found: dict[str, str] = {}
    left_out, twice = [], []
    for text in getattr(notes.facts, name):
        used = find(text)
        if used is None:
            left_out.append(text)
        elif used in found:
            twice.append(text)
        else:
            found[used] = text
            notes.change(name, text, used)
    notes.ignore(name, left_out, unknown)
    notes.ignore(name, twice, _TWICE)
    return tuple(found)


def _names(
    bundle: Bundle, notes: _Notes, field_name: str, most: int | None = None
) -> tuple[Named, ...]:
    """Return who is in a field, as the model knows them; newcomers stay as they are.

    A name that several bear is read as the one with the most films in this role.
    """
    sent = getattr(notes.facts, field_name)
    listed: list[Named] = sent if isinstance(sent, list) else [sent] if sent else []
    trait, unknown = _NAMES[field_name]
    known = _Known.of(bundle, trait)
    first: dict[Named, Named] = {}
    twice = []
    for named in listed:
        used = known.used(named)
        if first.setdefault(used or token_of(named), named) is not named:
            twice.append(name_of(named))
    found: list[Named] = []
    new = []
    for named in list(first.values())[:most]:
        used = known.used(named)
        found.append(used or named)
        if used is None:
            new.append(name_of(named))
        else:
            choice = known.choice(named)
            shown = (
                f"{name_of(used)} (id {used.id})" if choice and isinstance(used, Entity) else None
            )
            notes.change(field_name, name_of(named), shown or name_of(used), choice)
    notes.ignore(field_name, new, unknown)
    notes.ignore(field_name, twice, _TWICE)
    rest = [name_of(named) for named in list(first.values())[len(found) :]]
    notes.ignore(field_name, rest, f"only the first {most} are used")
    return tuple(found)


@dataclass(frozen=True)
class _Known:
    """The people, companies, collections or keywords of one trait that the model knows."""

    effects: Effects
    trait: str
    index: NameIndex

    @classmethod
    def of(cls, bundle: Bundle, trait: str) -> Self:
        return cls(bundle.effects, trait, bundle.effects.names(trait))

    def used(self, named: Named) -> Named | None:
        """Return whom a value means; None if the model does not know anybody of this id or name."""
        row = self.index.find(named)
        return None if row is None else self.index.entity(row)

    def choice(self, named: Named) -> str | None:
        """Say whom a name means that several bear; return None if there was no choice."""
        bearing = [] if isinstance(named, Entity) else self.index.bearing(named)
        if len(bearing) < 2:  # noqa: PLR2004
            return None
        films = self.effects.films(self.trait, bearing[0])
        return (
            f"{len(bearing)} have this name; this one has the most training films"
            + (f" ({films})" if films else "")
            + '; to choose another, send {"id": ..., "name": ...}'
        )


def unused_fields(
    fields: Mapping[str, Any], reason: str = "the API does not use it"
) -> list[IgnoredValues]:
    """Name fields of a request that have no influence, such as misspelt ones; the first in detail.

    Args:
        fields: The fields with their values.
        reason: Why they have no influence.
    """
    listed = list(fields.items())
    ignored = [
        IgnoredValues(
            field=_cut(name),
            values=[_shown(value)],
            reason=_NOT_USED.get(name, reason),
        )
        for name, value in listed[:_MAX_UNUSED_FIELDS]
    ]
    if more := len(listed) - len(ignored):
        # Their names would make the answer several times as long as the request.
        ignored.append(IgnoredValues(field="...", values=[], reason=f"{more:,} more: {reason}"))
    return ignored


def _not_facts(facts: FilmFacts) -> list[IgnoredValues]:
    """Name what the body contains beside the facts."""
    unused = [
        IgnoredValues(field=name, values=[_cut(value) for value in values], reason=reason)
        for name, values, reason in facts.reading.unused
    ]
    return unused + unused_fields(facts.model_extra or {}, "this model does not use it")


def _shown(value: Any) -> str:
    """Return the beginning of a value, without writing the whole of a large one."""
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value):,} values"
    return _cut(json.dumps(value))


def _cut(text: str) -> str:
    cut = text if len(text) <= _VALUE_CHARACTERS else f"{text[: _VALUE_CHARACTERS - 1]}…"
    return cut.encode("utf-8", "replace").decode()  # half of an emoji cannot be sent back


def _start_of_change(sent: str, used: str) -> int:
    """Return where two texts are to be shown from, so that the first difference is visible."""
    if max(len(sent), len(used)) <= _VALUE_CHARACTERS:
        return 0
    pairs = enumerate(zip(sent, used, strict=False))
    at = next((at for at, (one, other) in pairs if one != other), min(len(sent), len(used)))
    return max(at - _BEFORE_CHANGE, 0)
