import sqlite3
import tracemalloc
import zlib
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from movierating.catalogue.films import (
    KEPT_DAYS,
    CatalogueError,
    FilmCatalogue,
    Status,
    unpack_facts,
)
from movierating.films.source import TMDB
from scripts.store.film_store import FilmStore
from scripts.store.people import PeopleStore, PersonRecord
from tests.support.bundles import RUN_DATE
from tests.support.catalogues import VOTES_TO_SCORE, catalogue_file
from tests.support.films import moment
from tests.support.forecasts import ERRORS, VERSION, VERSION_ERRORS, forecast, predicted, stated

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> FilmCatalogue:
    made = [
        forecast(1, RUN_DATE - DAY, rating=6.1),
        forecast(1, rating=6.4),
        forecast(2, RUN_DATE - DAY, rating=6.1),
        forecast(2, rating=6.4, distribution=stated(6.4, 0.5)),
        forecast(1, rating=6.6, version="later-the-same-day"),
        forecast(99),
    ]
    folder = tmp_path_factory.mktemp("catalogue")
    return FilmCatalogue(catalogue_file(folder, forecasts=made, errors=VERSION_ERRORS))


def ids(catalogue: FilmCatalogue, text: str, status: Status | None = None) -> list[int]:
    return [film.film_id for film in catalogue.search(text, RUN_DATE, status)]


def test_catalogue_says_what_it_has(catalogue: FilmCatalogue):
    about = catalogue.about
    assert (about.source, about.as_of, about.films) == (TMDB, RUN_DATE, 5)
    assert about.votes_to_score == VOTES_TO_SCORE


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the lantern", [3, 1]),  # the exact title, then a longer one, although it is to come
        ("lantern", [4, 1, 3]),  # the title that begins so, then the film to come
        ("para", [2, 5]),
        ("등불", [3, 1]),
        ("bearers", [4]),
        ("", [1, 2, 4, 3, 5]),
        ("  ", [1, 2, 4, 3, 5]),
        ("🍿", []),
        ("!!", []),
        ("zzzz", []),
    ],
)
def test_best_match_comes_first(catalogue: FilmCatalogue, text: str, found: list[int]):
    assert ids(catalogue, text) == found


@pytest.mark.parametrize("text", ["lanten bearers", "Lantern Baerers", "latern bearers"])
def test_typing_error_is_forgiven(catalogue: FilmCatalogue, text: str):
    assert ids(catalogue, text) == [4]


def test_status_leaves_the_others_out(catalogue: FilmCatalogue):
    assert ids(catalogue, "lantern", "upcoming") == [1]
    assert ids(catalogue, "lantern", "released") == [4, 3]
    assert ids(catalogue, "", "upcoming") == [1, 2]


def test_film_counts_as_released_from_its_day_on(catalogue: FilmCatalogue):
    film = catalogue.film(1, RUN_DATE)
    assert film
    assert film.release_date
    later = catalogue.search("", film.release_date, "released")
    assert 1 in [each.film_id for each in later]


@pytest.mark.parametrize("text", ["", "lantern"])
def test_pages_have_each_film_once(catalogue: FilmCatalogue, text: str):
    whole = catalogue.search(text, RUN_DATE)
    pages = [catalogue.search(text, RUN_DATE, None, at, 1) for at in range(len(whole) + 1)]
    assert [film for page in pages for film in page] == whole


def test_film_has_its_titles_and_facts(catalogue: FilmCatalogue):
    film, facts = catalogue.film(3, RUN_DATE), catalogue.facts(3, RUN_DATE)
    assert film
    assert facts
    assert (film.title, film.korean_title, film.votes, film.rating) == (
        "The Lantern",
        "등불",
        60,
        7.25,
    )
    assert facts["genres"] == ["Crime", "Drama"]
    assert facts["overview"] == "A wonderful tale of a lantern."
    assert facts["cast"] == [{"id": 3, "name": "Kim"}]
    assert facts["release_date"] == "2026-10-01"
    assert "collection" not in facts


def test_unknown_film_is_none(catalogue: FilmCatalogue):
    assert catalogue.film(404, RUN_DATE) is None
    assert catalogue.facts(404, RUN_DATE) is None


def test_last_forecast_of_each_day_is_kept(catalogue: FilmCatalogue):
    found = catalogue.forecasts(1)
    assert [(each.day, each.rating) for each in found] == [(RUN_DATE - DAY, 6.1), (RUN_DATE, 6.6)]
    assert catalogue.forecasts(99) == []


def test_data_older_than_tmdbs_terms_allow_are_not_shown(catalogue: FilmCatalogue):
    last, after = RUN_DATE + KEPT_DAYS * DAY, RUN_DATE + (KEPT_DAYS + 1) * DAY
    assert catalogue.search("lantern", last)
    assert not catalogue.search("lantern", after)
    assert not catalogue.search("", after)
    assert catalogue.film(3, after) is None
    assert catalogue.facts(3, after) is None


@pytest.mark.parametrize("damage", [b"", b"no database", None])
def test_damaged_file_is_refused_in_a_sentence(tmp_path: Path, damage: bytes | None):
    path = tmp_path / "damaged.sqlite"
    if damage is not None:
        path.write_bytes(damage)
    with pytest.raises(CatalogueError, match="the film catalogue is damaged; publish it again"):
        FilmCatalogue(path)


def test_photos_of_people_are_found_by_id_for_six_months(tmp_path: Path):
    store = FilmStore(tmp_path / "store-films.sqlite" / TMDB)
    PeopleStore(store.folder).write(
        [
            PersonRecord(7, moment(), "Ada", profile_path="/ada.jpg"),
            PersonRecord(8, moment(), "Bo"),
            PersonRecord(9, moment() - timedelta(181), "Cy", profile_path="/cy.jpg"),
        ]
    )
    catalogue = FilmCatalogue(catalogue_file(tmp_path))
    assert catalogue.photos([7, 8, 9, 404], RUN_DATE) == {7: "/ada.jpg"}
    assert catalogue.photos([7], RUN_DATE + timedelta(181)) == {}


def test_file_of_another_format_is_refused_in_a_sentence(tmp_path: Path):
    path = catalogue_file(tmp_path)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE about SET value = '3' WHERE name = 'format'")
    with pytest.raises(CatalogueError, match="has format 3, and this code reads format 2"):
        FilmCatalogue(path)


def test_file_deleted_meanwhile_is_an_error_in_a_sentence(tmp_path: Path):
    path = catalogue_file(tmp_path)
    catalogue = FilmCatalogue(path)
    path.unlink()
    with pytest.raises(CatalogueError, match="damaged"):
        catalogue.search("lantern", RUN_DATE)


def test_facts_that_would_fill_the_memory_are_not_decompressed():
    bomb = zlib.compress(b" " * 50_000_000)
    tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    with pytest.raises(ValueError, match="Expecting value"):
        unpack_facts(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - before < 10_000_000


def test_forecasts_have_their_distribution_if_the_ledger_kept_it(catalogue: FilmCatalogue):
    old, new = catalogue.forecasts(2)
    assert old.distribution is None
    assert new.distribution == predicted(6.4, 0.5)
    assert [each.distribution for each in catalogue.forecasts(1)] == [None, None]
    assert catalogue.errors([VERSION, "unknown"]) == {VERSION: ERRORS}
