import pytest
import requests

from movierating.films.source import STAND_IN_HEADER, TMDB
from movierating.tmdb_access import server_name, source_of


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
