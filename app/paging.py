"""Links from one page of a list to the next one."""

from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import Field

Offset = Annotated[int, Query(ge=0, description="Entries to skip.")]
NextPage = Annotated[
    str | None,
    Field(
        description="Path and query of the next page, as in the header `Link`; null on the last "
        "page."
    ),
]


def link_to_next_page(
    request: Request, response: Response, offset: int, limit: int, total: int
) -> str | None:
    """Return the path and query of the next page, and put it into the header `Link` (RFC 8288).

    Args:
        request: The request for the present page; the next page has the same other parameters.
        response: The response that gets the header.
        offset: The number of entries before the present page.
        limit: The number of entries on a page.
        total: The number of entries on all pages.

    Returns:
        The path and query, without the host; None if this is the last page.
    """
    if offset + limit >= total:
        return None
    url = request.url.include_query_params(offset=offset + limit, limit=limit)
    following = f"{url.path}?{url.query}"
    response.headers["Link"] = f'<{following}>; rel="next"'
    return following
