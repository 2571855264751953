import json
from pathlib import Path

import pytest

from movierating.films.genres import TMDB_GENRES, genre_named, genre_of_id
from ui.i18n.words import Words


def test_genres_are_those_of_tmdb(tmdb_shared: Path):
    raw = (tmdb_shared / "api/recorded/genre_movie_list.json").read_text("utf-8")
    listed = {genre["id"]: genre["name"] for genre in json.loads(raw)["genres"]}
    assert {genre_id: english for genre_id, (english, _) in TMDB_GENRES.items()} == listed


def test_korean_names_are_those_of_the_page():
    assert dict(TMDB_GENRES.values()) == Words("ko").section("genres")


@pytest.mark.parametrize(
    ("text", "genre"),
    [
        ("Drama", "Drama"),
        ("drama", "Drama"),
        (" SCIENCE  fiction", "Science Fiction"),
        ("sci-fi", "Science Fiction"),
        ("SF", "Science Fiction"),
        ("드라마", "Drama"),
        ("TV 영화", "TV Movie"),
        ("878", "Science Fiction"),
        ("Puppetry", None),
        ("1", None),
        ("", None),
    ],
)
def test_genre_is_found_by_what_people_write(text: str, genre: str | None):
    assert genre_named(text) == genre


def test_id_that_tmdb_does_not_have_is_no_genre():
    assert genre_of_id(18) == "Drama"
    assert genre_of_id(19) is None
