"""Use a film of the catalogue in a forecast: its facts, and what a request changes about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app import clock
from app.background.catalogue_reader import CatalogueReader
from app.film_facts import FACT_NAMES, FilmFacts
from app.schemas import IgnoredValues, KnownFilm
from movierating.catalogue.films import CatalogueError, FilmCatalogue, FoundFilm, Status
from movierating.films.source import describe
from movierating.registry.bundle import Bundle

_UNUSABLE = "the catalogue's value is outside the range that the API accepts; counted as unknown"
_LEARNED = (
    "the model in service has learned from this film, so this forecast says little about how well "
    "it forecasts"
)


@dataclass(frozen=True)
class CompletedFilm:
    """The film of a request, with the facts that the request leaves to the catalogue.

    Attributes:
        facts: The facts to forecast from.
        known: What the answer says about the film of the catalogue; None if the request names none.
        ignored: The facts of the catalogue that cannot be used, and why.
    """

    facts: FilmFacts
    known: KnownFilm | None = None
    ignored: list[IgnoredValues] = field(default_factory=list)


def complete(facts: FilmFacts, reader: CatalogueReader, bundle: Bundle) -> CompletedFilm:
    """Add the facts of the film that a request names by `tmdb_id`, where it does not send its own.

    Args:
        facts: The facts in the request. They override those of the catalogue.
        reader: Has the film catalogue.
        bundle: The model in service.

    Raises:
        HTTPException: Status 503 if there is no catalogue that can be read, and 409 if the model
            has learned from other films than those of the catalogue.
        RequestValidationError: The catalogue has no such film, or neither the catalogue nor the
            request has a plot or a genre.
    """
    if facts.tmdb_id is None:
        return CompletedFilm(facts)
    catalogue = reader.current()
    if problem := other_source(catalogue, bundle):
        raise HTTPException(HTTPStatus.CONFLICT, f"{problem}; send the facts without tmdb_id")
    try:
        film = catalogue.film(facts.tmdb_id, clock.today())
        known = catalogue.facts(facts.tmdb_id, clock.today())
    except CatalogueError as error:
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from None
    if film is None or known is None:
        raise _invalid("unknown_film", f"{unknown_film(facts.tmdb_id)}; send the facts", "tmdb_id")
    return _merged(facts, film, known, catalogue, bundle)


def unknown_film(film_id: int) -> str:
    """Return the sentence about an id that the catalogue does not have."""
    return (
        f"the film catalogue has no film {film_id}; it has all films to come, the films of the "
        "last 90 days, and older films with 10 votes or more"
    )


def other_source(catalogue: FilmCatalogue, bundle: Bundle) -> str | None:
    """Return a sentence if the model has learned from other films than those in the catalogue."""
    learned, listed = bundle.manifest.data.source, catalogue.about.source
    if learned == listed:
        return None
    return f"the catalogue has {describe(listed)}, but the model learned from {describe(learned)}"


def is_training_film(bundle: Bundle, film_id: int) -> bool:
    """Return whether the model in service has learned from a film of its own source."""
    return bool(bundle.served_films.contain([film_id])[0])


def status_of(film: FoundFilm) -> Status:
    """Return whether a film has been released by today."""
    return "upcoming" if film.release_date > clock.today() else "released"


def _merged(
    facts: FilmFacts,
    film: FoundFilm,
    raw: Mapping[str, Any],
    catalogue: FilmCatalogue,
    bundle: Bundle,
) -> CompletedFilm:
    known, ignored = _read(film.film_id, raw)
    merged = facts.completed_by(known)
    if not merged.has_plot_or_genre:
        missing = "the catalogue and the request together have neither a plot nor a genre"
        raise _invalid(
            "plot_or_genre_missing",
            f"{missing} of this film; send at least a plot (overview) or a genre (genres)",
        )
    sent = [name for name in FACT_NAMES if name in facts.model_fields_set & raw.keys()]
    removed = [name for name in sent if getattr(facts, name) in (None, [])]
    learned = is_training_film(bundle, film.film_id)
    about = KnownFilm(
        id=film.film_id,
        title=film.title or film.original_title,
        release_date=film.release_date,
        status=status_of(film),
        as_of=catalogue.about.as_of,
        taken=[name for name in FACT_NAMES if name in merged.reading.from_tmdb],
        overridden=[name for name in sent if name not in removed],
        removed=removed,
        is_training_film=learned,
        notice=_LEARNED if learned else None,
    )
    return CompletedFilm(merged, about, ignored)


def _read(film_id: int, raw: Mapping[str, Any]) -> tuple[FilmFacts, list[IgnoredValues]]:
    """Read the facts of the catalogue as those of a request, without values that are refused.

    The pipeline stores some values that the API does not accept, such as very long texts.
    """
    try:
        known = FilmFacts.model_validate({"tmdb_id": film_id, **raw})
    except ValidationError as error:
        refused = {str(each["loc"][0]) for each in error.errors()}
        usable = {name: value for name, value in raw.items() if name not in refused}
        known = FilmFacts.model_validate({"tmdb_id": film_id, **usable})
        notes = [IgnoredValues(field=name, values=[], reason=_UNUSABLE) for name in sorted(refused)]
        return known, notes
    return known, []


def _invalid(code: str, message: str, *place: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body", *place), "msg": message, "type": code}])
