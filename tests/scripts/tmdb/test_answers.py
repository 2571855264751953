from typing import Any

import pytest
import requests

from movierating.films.source import STAND_IN_HEADER, TMDB
from scripts.tmdb.answers import listing_of, server_name, source_of
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


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://api.themoviedb.org/3", TMDB),
        ("https://api.tmdb.org/3", TMDB),
        ("http://tmdb.example:8090/3", "tmdb.example"),
        ("http://127.0.0.1:8090/3", "127.0.0.1"),
    ],
)
def test_answer_without_a_name_has_films_of_its_server(address: str, name: str):
    assert server_name(address) == source_of(requests.Response(), address) == name


def test_stand_in_names_its_films_at_any_address():
    answer = requests.Response()
    answer.headers[STAND_IN_HEADER] = "invented-films@1a2b"
    assert source_of(answer, "https://api.themoviedb.org/3") == "invented-films@1a2b"
