import pytest

from movierating.posters import poster_base_url
from movierating.settings import ApiSettings, load_settings


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "https://image.tmdb.org/t/p/w185"),
        ({"tmdb_base_url": "http://127.0.0.1:8090/3"}, None),
    ],
)
def test_posters_need_films_from_tmdb(settings: dict[str, str], expected: str | None):
    assert poster_base_url(load_settings(ApiSettings, **settings), 185) == expected
