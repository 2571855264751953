"""The routes that find films by their titles, and show what is known and was forecast about one."""

from collections.abc import Sequence
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from app import clock, known_films
from app.dependencies import CatalogueDep, FollowerDep, TmdbFilmsDep
from app.distributions import chances_of, quantiles_of
from app.fields import LARGEST_FILM_ID
from app.known_films import TakenFilm
from app.paging import NextPage, Offset, link_to_next_page
from app.problems import BAD_INPUT, CONFLICT, NOT_FOUND, UNAVAILABLE
from app.revalidation import NOT_MODIFIED, RevalidatedRoute
from app.schemas import AtLeast, Chance, DailyForecast, Origin, Quantile, RatingInterval
from app.tmdb_films import NoSuchFilmError
from movierating.catalogue.films import FilmCatalogue, FoundFilm, PastForecast, Status
from movierating.films.source import film_page
from movierating.registry.bundle import Bundle
from movierating.registry.manifest import COVERAGE

router = APIRouter(tags=["films"], route_class=RevalidatedRoute, responses=NOT_MODIFIED)


class ListedFilm(BaseModel):
    """A film in a list of search results."""

    id: Annotated[int, Field(description="TMDB's id of the film.")]
    title: Annotated[str | None, Field(description="English title; null if unknown.")]
    original_title: Annotated[str | None, Field(description="Title in the original language.")]
    korean_title: Annotated[str | None, Field(description="Korean title; null if unknown.")]
    release_date: Annotated[
        date | None,
        Field(
            description="First release in any country; null only for a film from TMDB without a "
            "date."
        ),
    ]
    status: Annotated[Status, Field(description="Whether the film has been released by today.")]
    rating: Annotated[
        float | None,
        Field(description="TMDB's rating on the catalogue's date; null without votes."),
    ]
    votes: Annotated[int, Field(description="Number of votes on the catalogue's date.")]
    poster: Annotated[
        str | None,
        Field(description="URL of the poster at TMDB; null if there is none."),
    ]


class FilmList(BaseModel):
    """One page of films."""

    as_of: Annotated[date, Field(description="The catalogue's date.")]
    films: list[ListedFilm]
    next: NextPage
    notice: Annotated[
        str | None,
        Field(description="Why the result may be unexpected; null if there is no reason."),
    ]


class StatedForecast(DailyForecast):
    """The last recorded forecast of one day, with its distribution."""

    quantiles: Annotated[
        list[Quantile] | None,
        Field(
            description="Predicted distribution of the rating, the lowest level first; null if the "
            "forecast was recorded before 2026-12, without its distribution."
        ),
    ]
    at_least: Annotated[
        list[Chance] | None,
        Field(
            description="Probability of a rating of 6, 7 and 8 or more, and of the ratings in the "
            "query parameter `at_least`; null as for `quantiles`."
        ),
    ]


class FilmDetails(ListedFilm):
    """What is known about one film."""

    origin: Annotated[
        Origin,
        Field(
            description="Where the facts come from: the film catalogue, or TMDB itself, if the "
            "catalogue does not have the film yet."
        ),
    ]
    as_of: Annotated[date, Field(description="The date of the facts.")]
    facts: Annotated[
        dict[str, Any],
        Field(
            description="The known facts, by the names of the fields of `POST /predict`. People, "
            "companies, collections and keywords have `id` and `name`."
        ),
    ]
    forecasts: Annotated[
        list[StatedForecast], Field(description="The recorded forecasts, the oldest first.")
    ]
    votes_needed: Annotated[
        int,
        Field(
            description="Votes still needed before the forecasts are compared with the rating; "
            "0 if there are enough."
        ),
    ]
    is_training_film: Annotated[
        bool | None,
        Field(
            description="Whether the model in service has learned from this film. A forecast of "
            "such a film proves nothing. Null if no model is in service."
        ),
    ]
    tmdb_url: Annotated[
        str | None, Field(description="The film's page at TMDB; null for a film that is invented.")
    ]
    notice: Annotated[
        str | None,
        Field(description="Why a forecast may be unsuitable; null if there is no reason."),
    ]


@router.get("/films", summary="Find films by their titles", responses=UNAVAILABLE | BAD_INPUT)
def films(  # noqa: PLR0913, PLR0917 - one argument per query parameter
    request: Request,
    response: Response,
    catalogue: CatalogueDep,
    q: Annotated[
        str,
        Query(
            max_length=200,
            description="Any part of the English, Korean or original title. Case, accents, spaces "
            "and punctuation are ignored. If no title has this part, similar titles are returned.",
            examples=["lantern"],
        ),
    ] = "",
    status: Annotated[
        Status | None, Query(description="Only films to come, or only released films.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="Films per page.")] = 20,
    offset: Offset = 0,
) -> FilmList:
    """List films: those with exactly this title first, then titles that begin with it.

    Among equally good matches, films to come are first, then the films with the most votes. The
    catalogue has all films to come, the films of the last 90 days, and older films with 10 votes.
    """
    # One film more than the page shows whether there is a next page. Counting all matches would
    # take much longer.
    found = catalogue.search(q, clock.today(), status, offset, limit + 1)
    following = link_to_next_page(request, response, offset, limit, offset + len(found))
    return FilmList(
        as_of=catalogue.about.as_of,
        films=[ListedFilm(**_shown(film, request)) for film in found[:limit]],
        next=following,
        notice=_empty(catalogue, q) if not found and not offset else None,
    )


@router.get(
    "/films/{film_id}",
    summary="What is known about a film",
    responses=UNAVAILABLE | BAD_INPUT | CONFLICT | NOT_FOUND,
)
async def film(  # noqa: PLR0913, PLR0917 - the parts of the application that it needs
    request: Request,
    catalogue: CatalogueDep,
    follower: FollowerDep,
    tmdb_films: TmdbFilmsDep,
    film_id: Annotated[
        int, Path(ge=1, le=LARGEST_FILM_ID, description="TMDB's id of the film.", examples=[496243])
    ],
    at_least: AtLeast = [],  # noqa: B006 - FastAPI never changes it
) -> FilmDetails:
    """Show a film's facts, its recorded forecasts by day, and its rating so far.

    A film that the catalogue does not have yet comes from TMDB, if the service has a key for it.
    """
    served = follower.served
    bundle = served.bundle if served else None
    taken = await run_in_threadpool(known_films.known_film, catalogue, film_id)
    if taken is None:
        if tmdb_films is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, known_films.unknown_film(film_id))
        try:
            taken = await known_films.fetched_film(tmdb_films, film_id, bundle)
        except NoSuchFilmError as error:
            raise HTTPException(HTTPStatus.NOT_FOUND, str(error)) from None
    return await run_in_threadpool(_details, request, catalogue, bundle, taken, at_least)


def _details(
    request: Request,
    catalogue: FilmCatalogue,
    bundle: Bundle | None,
    taken: TakenFilm,
    at_least: Sequence[float],
) -> FilmDetails:
    film, about = taken.film, catalogue.about
    forecasts = catalogue.forecasts(film.film_id) if taken.source == about.source else []
    return FilmDetails(
        **_shown(film, request),
        origin=taken.origin,
        as_of=taken.as_of,
        facts=dict(taken.facts),
        forecasts=[_stated(each, at_least) for each in forecasts],
        votes_needed=max(0, about.votes_to_score - film.votes),
        is_training_film=known_films.is_training_film(bundle, taken) if bundle else None,
        tmdb_url=film_page(taken.source, film.film_id),
        notice=known_films.other_source(taken.source, bundle) if bundle else None,
    )


def _stated(past: PastForecast, at_least: Sequence[float]) -> StatedForecast:
    return StatedForecast(
        day=past.day,
        rating=round(past.rating, 2),
        interval=RatingInterval(
            low=round(past.low, 2), high=round(past.high, 2), coverage=COVERAGE
        ),
        quantiles=quantiles_of(past.distribution),
        at_least=chances_of(past.distribution, at_least),
        version=past.version,
    )


def _shown(film: FoundFilm, request: Request) -> dict[str, Any]:
    poster_base_url: str | None = request.state.poster_base_url
    return {
        "id": film.film_id,
        "title": film.title,
        "original_title": film.original_title,
        "korean_title": film.korean_title,
        "release_date": film.release_date,
        "status": known_films.status_of(film),
        "rating": film.rating,
        "votes": film.votes,
        "poster": f"{poster_base_url}{film.poster_path}"
        if poster_base_url and film.poster_path
        else None,
    }


def _empty(catalogue: FilmCatalogue, q: str) -> str:
    if catalogue.about.films == 0:
        return "the film catalogue is empty; it gets films with the pipeline's next run"
    if q.strip() and not any(each.isalnum() for each in q):
        return "the text has no letter and no digit; send a part of a title"
    return "no film has such a title; send a shorter part of it, or the original title"
