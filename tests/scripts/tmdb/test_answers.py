from typing import Any

import pytest

from scripts.tmdb.answers import listing_of
from scripts.tmdb.errors import TmdbUnavailableError


@pytest.mark.parametrize(
    "entry", [None, [], "x", {}, *({"id": odd} for odd in (None, "5", 5.0, True, 0, -5, 2**70))]
)
def test_entry_without_a_film_id_is_skipped_and_counted(entry: Any):
    listing = listing_of({"results": [entry, {"id": 5}], "total_pages": 1, "total_results": 2})
    assert (listing.films, listing.unusable, listing.total) == ([{"id": 5}], 1, 2)
    alone = listing_of({"results": [entry], "total_pages": 1, "total_results": 1})
    assert (alone.films, alone.unusable) == ([], 1)


def test_page_with_one_film_among_many_odd_entries_is_read():
    entries = [{"id": None}] * 19
    page = {"results": [*entries, {"id": 5}], "total_pages": 1, "total_results": 20}
    assert (listing_of(page).films, listing_of(page).unusable) == ([{"id": 5}], 19)
    with pytest.raises(TmdbUnavailableError, match="a list of films in an unknown format"):
        listing_of(page | {"results": entries})
