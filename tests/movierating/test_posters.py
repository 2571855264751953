import pytest

from movierating.posters import poster_base_url
from movierating.settings import Settings, load_settings


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"tmdb_api_key": "a key"}, "https://image.tmdb.org/t/p/w185"),
        ({}, None),
        ({"tmdb_api_key": "a key", "tmdb_base_url": "http://127.0.0.1:8090/3"}, None),
    ],
)
def test_posters_need_a_tmdb_key_and_films_from_tmdb(
    settings: dict[str, str], expected: str | None
):
    assert poster_base_url(load_settings(Settings, **settings), 185) == expected
