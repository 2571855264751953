from datetime import date, timedelta

import numpy as np
import pytest

from sandbox.tmdb.films import Film
from sandbox.tmdb.odd_films import KINDS, SHARES, Kind, WorldWithOddFilms, doubles_on, merged_on
from sandbox.tmdb.releases import PREMIERE
from sandbox.tmdb.world import World

TODAY = date(2026, 11, 23)
SIZE = 500


@pytest.fixture(scope="module")
def store() -> WorldWithOddFilms:
    return WorldWithOddFilms(World(TODAY, size=SIZE))


def of_kind(store: WorldWithOddFilms, kind: str) -> list[Film]:
    """Return the odd films of one kind."""
    return [store.film(SIZE + int(at)) for at in np.flatnonzero(store.odd.kinds == kind)]


def test_the_films_of_the_world_stay_as_they_are(store: WorldWithOddFilms) -> None:
    world = World(TODAY, size=SIZE)
    assert [store.film(at) for at in range(SIZE)] == [world.film(at) for at in range(SIZE)]
    assert np.array_equal(store.columns.vote_count[:SIZE], world.columns.vote_count)


def test_every_film_agrees_with_the_columns(store: WorldWithOddFilms) -> None:
    columns = store.columns
    assert len(set(columns.ids.tolist())) == len(columns.ids)
    for at, film_id in enumerate(columns.ids.tolist()):
        film = store.film(at)
        assert (film.id, film.title, film.vote_count, film.adult, film.video) == (
            film_id,
            columns.titles[at],
            columns.vote_count[at],
            columns.adult[at],
            columns.video[at],
        )
        assert film.original_title == store.original_titles[at]
        assert film.imdb_id == store.imdb_ids[at]
        assert {person.id for person in film.cast} <= {each.id for each in store.people(at)}


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_films_of_each_kind(store: WorldWithOddFilms, kind: Kind) -> None:
    assert len(of_kind(store, kind)) == max(1, round(SHARES[kind] * SIZE))


def test_films_for_adults_and_videos_are_marked(store: WorldWithOddFilms) -> None:
    assert all(film.adult for film in of_kind(store, "adult"))
    assert all(film.video for film in of_kind(store, "video"))
    assert store.columns.adult.sum() == len(of_kind(store, "adult"))


def test_films_of_festivals_have_votes_between_premiere_and_release(
    store: WorldWithOddFilms,
) -> None:
    films = of_kind(store, "festival")
    waiting = [film for film in films if film.released and film.released > TODAY]
    assert any(film.vote_count for film in waiting)
    for film in waiting:
        premiere = min(release.day for release in film.releases if release.kind == PREMIERE)
        assert (film.vote_count > 0) <= (premiere < TODAY)


def test_running_times_are_odd(store: WorldWithOddFilms) -> None:
    limits = {"short": (1, 39), "long": (540, 660), "endless": (900, 9000)}
    for kind, (shortest, longest) in limits.items():
        minutes = [film.runtime for film in of_kind(store, kind)]
        assert all(each == 0 or shortest <= each <= longest for each in minutes)


def test_films_that_are_never_made_have_no_votes(store: WorldWithOddFilms) -> None:
    films = of_kind(store, "unmade")
    assert {film.status for film in films} == {"Rumored", "Canceled", "In Production"}
    assert not any(film.vote_count for film in films)
    assert all(film.released is None for film in films if film.status == "Rumored")


def test_a_film_that_was_added_twice_is_gone_after_a_year() -> None:
    before, after = (
        WorldWithOddFilms(World(day, size=20)).columns.position_of
        for day in (TODAY, TODAY + timedelta(days=12))
    )
    gone = merged_on(TODAY + timedelta(days=day) for day in range(1, 13))
    assert before.keys() - after.keys() == set(gone)
    assert len(gone) == len(after.keys() - before.keys()) == 1
    assert len(doubles_on(TODAY)) == 30


def test_people_of_odd_films_are_other_people(store: WorldWithOddFilms) -> None:
    names: dict[int, set[str]] = {}
    companies: dict[int, set[str]] = {}
    for at in range(len(store.columns.ids)):
        film = store.film(at)
        for person in (*film.directors, *film.writers, *film.cast):
            names.setdefault(person.id, set()).add(person.name)
        for company in film.companies:
            companies.setdefault(company.id, set()).add(company.name)
    assert all(len(known) == 1 for known in (*names.values(), *companies.values()))
