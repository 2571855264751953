import json
from pathlib import Path

import pytest

from movierating.films import genres
from movierating.films.genres import TMDB_GENRES, genre_named, genre_of_id
from movierating.films.text import name_key
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
        ("멜로", "Romance"),
        ("멜로/로맨스", "Romance"),
        ("애니", "Animation"),
        ("공포(호러)", "Horror"),
        ("서부극(웨스턴)", "Western"),
        ("어드벤처", "Adventure"),
        ("Sci-Fi", "Science Fiction"),
        ("Musical", "Music"),
        ("Animated", "Animation"),
        ("Biography", None),
        ("878", "Science Fiction"),
        ("Puppetry", None),
        ("1", None),
        ("", None),
    ],
)
def test_genre_is_found_by_what_people_write(text: str, genre: str | None):
    assert genre_named(text) == genre


def test_each_everyday_name_is_one_key_of_one_genre():
    listed = [name for names in genres._OTHER_NAMES.values() for name in names]
    assert len(set(listed)) == len(listed)
    assert [name_key(name) for name in listed] == listed
    assert genres._OTHER_NAMES.keys() <= {english for english, _ in TMDB_GENRES.values()}
    official = {name_key(name) for names in TMDB_GENRES.values() for name in names}
    assert not official & set(listed)


def test_id_that_tmdb_does_not_have_is_no_genre():
    assert genre_of_id(18) == "Drama"
    assert genre_of_id(19) is None
