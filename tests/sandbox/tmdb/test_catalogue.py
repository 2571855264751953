from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from movierating.films.source import is_of_catalogue
from sandbox.tmdb import answers
from sandbox.tmdb.catalogue import CatalogueError, CatalogueFile
from sandbox.tmdb.hashing import FIRST_INVENTED_ID

Write = Callable[..., Path]

TODAY = date(2026, 11, 23)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_rows(*rows: dict[str, Any]) -> Path:
        path = tmp_path / "films.parquet"
        pq.write_table(pa.Table.from_pylist(list(rows)), path)
        return path

    return write_rows


def test_a_film_with_only_an_id_has_tmdbs_empty_values(write: Write) -> None:
    film = CatalogueFile(write({"id": 5}), TODAY).film(0)
    detail = answers.detail(film)
    assert len(detail) == 26
    nulls = {"backdrop_path", "belongs_to_collection", "imdb_id", "poster_path"}
    assert {key for key, value in detail.items() if value is None} == nulls
    for key in ("overview", "tagline", "homepage", "release_date", "original_language"):
        assert detail[key] == ""
    for key in ("budget", "revenue", "runtime", "vote_count", "vote_average"):
        assert detail[key] == 0
    for key in ("genres", "production_companies", "production_countries", "spoken_languages"):
        assert detail[key] == []
    assert detail["status"] == "Planned"


def test_files_of_the_same_name_are_two_sources(write: Write) -> None:
    one, again = (CatalogueFile(write({"id": 5}), TODAY).source for _ in range(2))
    other = CatalogueFile(write({"id": 6}), TODAY).source
    assert one == again != other
    assert is_of_catalogue(one, "films")
    assert is_of_catalogue(other, "films")


def test_a_film_is_served_with_tmdbs_codes_and_types(write: Write) -> None:
    path = write(
        {
            "id": 7,
            "title": None,
            "original_title": "Marée basse",
            "original_language": "fr",
            "release_date": datetime(2019, 5, 3),  # noqa: DTZ001 - as such files have it
            "runtime": 101.0,
            "vote_count": 12.0,
            "vote_average": 6.25,
            "genres": ["Drama", "Science Fiction", "Foreign", "No Such Genre"],
            "production_countries": ["United States of America", "France", "Hong Kong"],
            "production_companies": ["Alpha Film", "Alpha Film", "Beta"],
            "spoken_languages": ["fr", "cn"],
            "belongs_to_collection": "Tides",
        }
    )
    detail = answers.detail(CatalogueFile(path, TODAY).film(0))
    assert detail["title"] == detail["original_title"] == "Marée basse"
    assert detail["release_date"] == "2019-05-03"
    assert (detail["runtime"], detail["vote_count"]) == (101, 12)
    assert isinstance(detail["runtime"], int)
    assert [genre["id"] for genre in detail["genres"]] == [18, 878, 10769]
    assert [place["iso_3166_1"] for place in detail["production_countries"]] == ["US", "FR", "HK"]
    assert [company["name"] for company in detail["production_companies"]] == ["Alpha Film", "Beta"]
    assert [tongue["english_name"] for tongue in detail["spoken_languages"]] == [
        "French",
        "Cantonese",
    ]
    assert detail["belongs_to_collection"]["name"] == "Tides"
    assert detail["status"] == "Released"


def test_ids_of_people_are_kept_and_get_the_same_invented_name_everywhere(write: Write) -> None:
    path = write(
        {"id": 1, "director_ids": [42], "writer_ids": [42, 43]},
        {"id": 2, "director_ids": [43], "writer_ids": []},
    )
    first, second = (CatalogueFile(path, TODAY).film(at) for at in (0, 1))
    assert first.directors == first.writers[:1]
    assert first.writers[1:] == second.directors
    assert first.directors[0].id == 42
    assert first.directors[0].name != second.directors[0].name


def test_names_of_people_are_kept_and_get_the_same_invented_id_everywhere(write: Write) -> None:
    path = write(
        {"id": 1, "cast": ["Ana Uno", "Bo Due"], "director": ["Cy Tre"], "keywords": ["tide"]},
        {"id": 2, "cast": ["Bo Due"], "director": ["Ana Uno"], "keywords": ["tide"]},
    )
    first, second = (CatalogueFile(path, TODAY).film(at) for at in (0, 1))
    assert first.cast[1] == second.cast[0]
    assert first.cast[0] == second.directors[0]
    assert first.cast[0].id > FIRST_INVENTED_ID
    assert first.keywords == second.keywords


def test_ids_and_names_of_directors_are_paired(write: Write) -> None:
    rows = {"id": 1, "director": ["Cy Tre"], "director_ids": [42]}
    director = CatalogueFile(write(rows), TODAY).film(0).directors[0]
    assert (director.id, director.name) == (42, "Cy Tre")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([{"title": "Tide"}], "no column 'id'"),
        ([{"id": 1}, {"id": 1}], "a different number in every row"),
        ([{"id": 1}, {"id": None}], "a different number in every row"),
        ([{"id": 1, "runtime": "long"}], "column 'runtime' is string"),
        ([{"id": 1, "genres": 3}], "column 'genres' is int64"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_one_sentence(
    write: Write, rows: list[dict[str, Any]], reason: str
) -> None:
    path = write(*rows)
    with pytest.raises(CatalogueError, match=reason) as refused:
        CatalogueFile(path, TODAY)
    assert str(refused.value).startswith(f"TMDB_CATALOGUE={path}: ")
    assert "\n" not in str(refused.value)


def test_the_real_catalogue_serves_every_film(tmdb_shared: Path) -> None:
    store = CatalogueFile(tmdb_shared / "movies_to_2022.parquet", TODAY)
    columns = store.columns
    assert len(columns.ids) == 48892
    assert (columns.vote_count >= 50).sum() == 16560
    for at in range(0, len(columns.ids), 997):
        film = store.film(at)
        assert film.id == columns.ids[at]
        assert film.title
        assert film.vote_count == columns.vote_count[at]


def test_the_catalogue_with_cast_serves_people_and_keywords(tmdb_shared: Path) -> None:
    store = CatalogueFile(tmdb_shared / "movies_with_cast_to_2021.parquet", TODAY)
    films = [store.film(at) for at in range(0, len(store.columns.ids), 97)]
    assert sum(bool(film.cast) for film in films) > 0.9 * len(films)
    assert sum(bool(film.keywords) for film in films) > 0.5 * len(films)
