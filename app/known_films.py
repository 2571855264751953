"""Use a film of the catalogue in a forecast: its facts, and what a request changes about them."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from http import HTTPStatus
from typing import Any

from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError

from app import clock
from app.background.catalogue_reader import CatalogueReader
from app.film_facts import FACT_NAMES, FilmFacts, read_usable
from app.schemas import IgnoredValues, KnownFilm, Origin
from app.tmdb_films import FetchError, NoSuchFilmError, TmdbFilms
from movierating.catalogue.films import CatalogueError, FilmCatalogue, FoundFilm, Status
from movierating.films.source import describe
from movierating.registry.bundle import Bundle

_UNUSABLE = "a known value is outside the range that the API accepts; it is left out"
_LEARNED = (
    "the model in service has learned from this film, so this forecast says little about how well "
    "it forecasts"
)


@dataclass(frozen=True)
class TakenFilm:
    """A film that a request names by its id.

    Attributes:
        film: The film.
        facts: The known facts by the names of the fields of `POST /predict`.
        as_of: The date of the facts.
        origin: Where they come from.
        source: The source of the film (see `movierating.films.source`).
        refused: The names of the facts that were left out, because the API refuses their values.
    """

    film: FoundFilm
    facts: Mapping[str, Any]
    as_of: date
    origin: Origin
    source: str
    refused: Set[str] = frozenset()


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


def complete(
    facts: FilmFacts, reader: CatalogueReader, bundle: Bundle, *, or_fetched: bool
) -> CompletedFilm | None:
    """Add the facts of the film that a request names by `tmdb_id`, where it does not send its own.

    Args:
        facts: The facts in the request. They override those of the catalogue.
        reader: Has the film catalogue.
        bundle: The model in service.
        or_fetched: Whether the service can fetch films that the catalogue does not have.

    Returns:
        The film; None if the film must be fetched first.

    Raises:
        HTTPException: Status 503 if there is no catalogue that can be read, and 409 if the model
            has learned from other films than those of the catalogue.
        RequestValidationError: The catalogue has no such film and none is fetched, or neither the
            catalogue nor the request has a plot or a genre.
    """
    if facts.tmdb_id is None:
        return CompletedFilm(facts)
    catalogue = reader.current()
    if problem := other_source(catalogue.about.source, bundle):
        raise HTTPException(HTTPStatus.CONFLICT, f"{problem}; send the facts without tmdb_id")
    try:
        known = known_film(catalogue, facts.tmdb_id)
    except CatalogueError as error:
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from None
    if known is not None:
        return _merged(facts, known, bundle)
    if or_fetched:
        return None
    raise _invalid("unknown_film", f"{unknown_film(facts.tmdb_id)}; send the facts", "tmdb_id")


async def complete_from_tmdb(facts: FilmFacts, films: TmdbFilms, bundle: Bundle) -> CompletedFilm:
    """Do what `complete` does, with a film that the catalogue does not have.

    Raises:
        HTTPException: Status 503 if TMDB cannot be asked now, and 409 if the model has learned from
            films of another source.
        RequestValidationError: There is no such film, or no such film is forecast, or neither TMDB
            nor the request has a plot or a genre.
    """
    assert facts.tmdb_id is not None  # noqa: S101 - `complete` asks for this only with an id
    try:
        known = await fetched_film(films, facts.tmdb_id, bundle)
    except NoSuchFilmError as error:
        raise _invalid(error.code, f"{error}; send the facts", "tmdb_id") from None
    return _merged(facts, known, bundle)


def known_film(catalogue: FilmCatalogue, film_id: int) -> TakenFilm | None:
    """Return a film of the catalogue with its facts; None if the catalogue does not have it.

    Raises:
        CatalogueError: The catalogue is damaged.
    """
    today = clock.today()
    film, facts = catalogue.film(film_id, today), catalogue.facts(film_id, today)
    if film is None or facts is None:
        return None
    return TakenFilm(film, facts, catalogue.about.as_of, "catalogue", catalogue.about.source)


async def fetched_film(films: TmdbFilms, film_id: int, bundle: Bundle | None) -> TakenFilm:
    """Fetch a film from TMDB.

    Args:
        films: Fetches films.
        film_id: TMDB's id.
        bundle: The model in service; None if there is none.

    Raises:
        NoSuchFilmError: TMDB has no such film, or it is one that this service never forecasts.
        HTTPException: Status 503 if TMDB cannot be asked now, and 409 if the model has learned from
            films of another source.
    """
    try:
        fetched = await films.film(film_id)
    except FetchError as error:
        wait = {"Retry-After": str(error.seconds)} if error.seconds else None
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, str(error), wait) from None
    if bundle and fetched.source != bundle.manifest.data.source:
        raise HTTPException(
            HTTPStatus.CONFLICT,
            f"TMDB_BASE_URL of this service serves {describe(fetched.source)}, but the model "
            f"learned from {describe(bundle.manifest.data.source)}; send the facts without tmdb_id",
        )
    return TakenFilm(
        fetched.film, fetched.facts, fetched.fetched_on, "tmdb", fetched.source, fetched.refused
    )


def unknown_film(film_id: int) -> str:
    """Return the sentence about an id that the catalogue does not have."""
    return (
        f"the film catalogue has no film {film_id}; it has all films to come, the films of the "
        "last 90 days, and older films with 10 votes or more; this service does not fetch other "
        "films from TMDB, because it has no TMDB_API_KEY"
    )


def other_source(source: str, bundle: Bundle) -> str | None:
    """Return a sentence if the model has learned from other films than those in the catalogue.

    Args:
        source: The source of the films in the catalogue.
        bundle: The model in service.
    """
    learned = bundle.manifest.data.source
    if learned == source:
        return None
    return f"the catalogue has {describe(source)}, but the model learned from {describe(learned)}"


def is_training_film(bundle: Bundle, taken: TakenFilm) -> bool:
    """Return whether the model in service has learned from a film; another source's is another."""
    is_own = taken.source == bundle.manifest.data.source
    return is_own and bool(bundle.served_films.contain([taken.film.film_id])[0])


def status_of(film: FoundFilm) -> Status:
    """Return whether a film has been released by today; one without a date has not."""
    day = film.release_date
    return "upcoming" if day is None or day > clock.today() else "released"


def _merged(facts: FilmFacts, taken: TakenFilm, bundle: Bundle) -> CompletedFilm:
    film, raw = taken.film, taken.facts
    known, refused = read_usable(raw)
    unused = sorted((refused | taken.refused) - facts.model_fields_set)
    ignored = [IgnoredValues(field=name, values=[], reason=_UNUSABLE) for name in unused]
    merged = facts.completed_by(known)
    if not merged.has_plot_or_genre:
        place = "the catalogue" if taken.origin == "catalogue" else "TMDB"
        missing = f"{place} and the request together have neither a plot nor a genre"
        raise _invalid(
            "plot_or_genre_missing",
            f"{missing} of this film; send at least a plot (overview) or a genre (genres)",
        )
    sent = [name for name in FACT_NAMES if name in facts.model_fields_set & raw.keys()]
    removed = [name for name in sent if getattr(facts, name) in (None, [])]
    learned = is_training_film(bundle, taken)
    about = KnownFilm(
        id=film.film_id,
        title=film.title or film.original_title,
        release_date=film.release_date,
        status=status_of(film),
        origin=taken.origin,
        as_of=taken.as_of,
        taken=[name for name in FACT_NAMES if name in merged.reading.from_tmdb],
        overridden=[name for name in sent if name not in removed],
        removed=removed,
        is_training_film=learned,
        notice=_LEARNED if learned else None,
    )
    return CompletedFilm(merged, about, ignored)


def _invalid(code: str, message: str, *place: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body", *place), "msg": message, "type": code}])
