import io
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movierating.films.film import Film, Plot
from movierating.films.tokens import NAMES
from movierating.model.similar_films import RatedFilm, SimilarFilms
from tests.support.bundles import invented_films


def plot(text: str) -> Plot:
    return Plot(len(text), 0.0, 0.0, text)


FILMS = {
    "Heist": Film(genres=("Crime",), directors=("Ada Novak",), plot=plot("thieves rob a bank")),
    "Bank": Film(genres=("Crime",), plot=plot("thieves plan to rob another bank")),
    "Vault": Film(genres=("Crime",), plot=plot("thieves rob the vault of a bank")),
    "Ada's": Film(genres=("Comedy",), directors=("Ada Novak",), plot=plot("a wedding goes wrong")),
    "바다": Film(genres=("Comedy",), original_language="ko", plot=plot("a cook by the sea")),
}


def index() -> SimilarFilms:
    rated = [RatedFilm(10 + at, title, 2000 + at, 6.125 + at) for at, title in enumerate(FILMS)]
    return SimilarFilms.build(list(FILMS.values()), rated)


def titles(film: Film, count: int = 5) -> list[str]:
    return [each.title for each in index().similar_to(film, count)]


@pytest.mark.parametrize("title", ["Heist", "Ada's", "바다"])
def test_film_is_most_similar_to_itself(title: str):
    assert titles(FILMS[title])[0] == title


def test_films_with_more_common_tokens_come_first():
    film = Film(genres=("Crime",), directors=("Ada Novak",), plot=plot("thieves rob a bank"))
    assert titles(film)[0] == "Heist"
    assert set(titles(film)[1:3]) == {"Vault", "Bank"}


def test_film_without_common_tokens_has_no_similar_films():
    assert titles(Film(genres=("Western",), plot=plot("cowboys"))) == []
    assert titles(Film()) == []


def test_count_limits_the_number_of_films():
    assert len(titles(Film(genres=("Crime",)), 2)) == 2


def test_similar_film_comes_with_its_facts():
    (film,) = index().similar_to(FILMS["바다"], 1)
    assert film == RatedFilm(14, "바다", 2004, 10.125)


@pytest.mark.parametrize("name", ["ADA  NOVAK", "Ada Nov\u00e1k"])
def test_names_are_compared_in_every_spelling(name: str):
    assert set(titles(Film(directors=(name,)))) == {"Heist", "Ada's"}


def test_index_with_names_as_spelled_still_finds_them():
    with patch.dict("movierating.model.similar_films.TRAITS", NAMES):  # as in version 1.0
        old = index()
    assert [film.title for film in old.similar_to(Film(directors=("Ada Novak",)))] == [
        "Heist",
        "Ada's",
    ]


def test_index_survives_writing_and_reading():
    there = index()
    back = SimilarFilms.from_bytes(there.to_bytes())
    assert back.films == there.films
    for film in FILMS.values():
        assert back.similar_to(film) == there.similar_to(film)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 30), st.integers(0, 1000))
def test_same_films_give_the_same_bytes_and_only_films_of_the_index(count: int, seed: int):
    films = invented_films(count, seed)
    rated = [RatedFilm(at, f"Film {at}", 2000, 6.5) for at in range(count)]
    first, second = SimilarFilms.build(films, rated), SimilarFilms.build(films, rated)
    assert first.to_bytes() == second.to_bytes()
    back = SimilarFilms.from_bytes(first.to_bytes())
    for film in invented_films(5, seed + 1):
        found = back.similar_to(film)
        assert len(found) <= 5
        assert len(set(found)) == len(found)
        assert set(found) <= set(rated)


@pytest.mark.parametrize("raw", [b"", b"PK", b"\x80\x04N.", b"\x93NUMPY"])
def test_bytes_that_are_not_an_index_are_refused(raw: bytes):
    with pytest.raises(ValueError, match=r"."):
        SimilarFilms.from_bytes(raw)


def test_archive_with_a_pickle_is_refused():
    stream = io.BytesIO()
    np.savez(stream, keys=np.asarray([{"a": 1}], object))
    with pytest.raises(ValueError, match="pickle"):
        SimilarFilms.from_bytes(stream.getvalue())


def test_films_of_a_genre_are_found():
    assert [each.title for each in index().of_genre("Comedy")] == ["Ada's", "바다"]
    assert index().of_genre("Western") == []
