"""A list of TMDB that changes while a client reads it."""

from typing import Any

import pytest

from scripts.tmdb.client import PAGE_SIZE, Tmdb
from scripts.tmdb.listing import Listing


def lose_first_film(patch: pytest.MonkeyPatch, path: str, after_page: int) -> list[int]:
    """Remove the first film of a list when a client has read one of its pages.

    Each later film then moves up by one place, and TMDB counts one film less. Only the pages that
    this process reads afterwards are affected.

    Args:
        patch: Undoes this at the end of the test.
        path: The list's path; other lists are left alone.
        after_page: The page after which the film is removed.

    Returns:
        The pages that were read, to which each further read adds its page.
    """
    whole = Tmdb.page
    read: list[int] = []

    def page(self: Tmdb, of: str, number: int, **query: Any) -> Listing:
        if of != path:
            return whole(self, of, number, **query)
        first = whole(self, of, 1, **query)
        films = list(first.films)
        for at in range(2, first.pages + 1):
            films += whole(self, of, at, **query).films
        films = films[1:] if after_page in read else films
        read.append(number)
        size = max(PAGE_SIZE, len(first.films))
        return Listing(films[size * (number - 1) : size * number], first.pages, len(films), 0)

    patch.setattr(Tmdb, "page", page)
    return read
