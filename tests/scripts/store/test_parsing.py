import unicodedata

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


def test_texts_are_normalised():
    korean = unicodedata.normalize("NFD", "등대지기")
    crew = [
        {"name": " Ada\u00a0 Novak", "job": "Director"},
        {"name": "Ada Novak", "job": "Director"},
    ]
    facts = {
        "title": korean,
        "overview": "A  ship\r\nsails\u200b.",
        "production_companies": [{"name": "Ｌａｎｔｅｒｎ Films"}],
        "credits": {"cast": [], "crew": crew},
    }
    (row,) = to_frame(columns(facts)).to_dict("records")
    film = parse_film(row)
    assert (film.title, film.companies) == ("등대지기", ("Lantern Films",))
    assert film.directors == ("Ada Novak",)
    assert film.plot is not None
    assert film.plot.text == "A ship sails."
