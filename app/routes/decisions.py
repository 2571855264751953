"""The route that lists the decisions about model versions: promoted, refused, rolled back."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.background.decisions_reader import MAX_DECISIONS
from app.dependencies import DecisionsReaderDep
from app.paging import NextPage, Offset, link_to_next_page
from app.problems import BAD_INPUT, UNAVAILABLE
from app.revalidation import NOT_MODIFIED, RevalidatedRoute
from movierating.registry.decisions import Decision

router = APIRouter(tags=["model"], route_class=RevalidatedRoute, responses=NOT_MODIFIED)


class History(BaseModel):
    """Decisions about model versions, the newest first. Each pipeline run records one."""

    decisions: Annotated[
        list[Decision],
        Field(
            description="`figures` are RMSE in rating points and numbers of films: `holdout_rmse` "
            "is the error of the version itself, `baseline_*_rmse` are the errors it had to beat "
            "on the same films, `all_films_*` compare it with the champion. `figures` is empty if "
            "nothing was measured."
        ),
    ]
    next: NextPage


@router.get("/history", summary="Decisions about each version", responses=UNAVAILABLE | BAD_INPUT)
def history(
    request: Request,
    response: Response,
    reader: DecisionsReaderDep,
    limit: Annotated[int, Query(ge=1, le=MAX_DECISIONS, description="Decisions per page.")] = 50,
    offset: Offset = 0,
) -> History:
    """List promotions, refusals and rollbacks of model versions, with their reasons."""
    if not reader.decisions:
        reader.refuse_unread()
    return History(
        decisions=reader.decisions[offset : offset + limit],
        next=link_to_next_page(request, response, offset, limit, len(reader.decisions)),
    )
