import pytest

from scripts.store.parsing import main_genre, parse_film, to_frame
from tests.support.films import columns


@pytest.mark.parametrize(
    ("genres", "expected"),
    [
        ('[{"id":80,"name":"Crime"},{"id":18,"name":"Drama"}]', "Crime"),
        ("[]", None),
        ("", None),
        ('[{"id":80}]', None),
    ],
)
def test_main_genre_is_the_first(genres: str, expected: str | None):
    assert main_genre(genres) == expected


def test_film_without_votes_is_parsed():
    table = columns({"vote_count": 0, "vote_average": 0.0, "runtime": 0, "budget": 0})
    (row,) = to_frame(table).to_dict("records")
    film = parse_film(row)
    assert film.main_genre == "Crime"
    assert (film.runtime_minutes, film.budget_usd) == (None, None)
