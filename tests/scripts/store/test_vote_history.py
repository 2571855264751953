from datetime import date, timedelta

import pyarrow as pa

from scripts.store.histories import entries_of
from scripts.store.vote_history import NO_VOTES, merge_votes, votes_as_of
from tests.support.bundles import RUN_DATE
from tests.support.films import columns

DAY = timedelta(days=1)


def earlier(*votes: tuple[int, date, float, int]) -> pa.Table:
    names = NO_VOTES.schema.names
    return pa.Table.from_pylist(
        [dict(zip(names, vote, strict=True)) for vote in votes], schema=NO_VOTES.schema
    )


def counts(films: pa.Table) -> dict[int, list[tuple[date, int]]]:
    return {
        film["id"]: [(vote["date"], vote["vote_count"]) for vote in film["votes"]]
        for film in films.to_pylist()
    }


def test_each_vote_becomes_a_row_with_the_id_of_its_film():
    votes = entries_of(columns({"id": 7}, {"id": 3, "vote_count": None}, {"id": 5}), "votes")
    assert votes.schema == NO_VOTES.schema
    assert votes["id"].to_pylist() == [7, 5]


def test_older_votes_are_merged_into_their_film_by_date():
    films = columns({"id": 9}, {"id": 2, "vote_count": None}, {"id": 4})
    older = earlier(
        (4, RUN_DATE - DAY, 6.0, 20),
        (4, RUN_DATE - 2 * DAY, 6.0, 10),
        (2, RUN_DATE - DAY, 6.0, 5),
        (8, RUN_DATE - DAY, 6.0, 99),
    )
    assert counts(merge_votes(films, older)) == {
        9: [(RUN_DATE, 60)],
        2: [(RUN_DATE - DAY, 5)],
        4: [(RUN_DATE - 2 * DAY, 10), (RUN_DATE - DAY, 20), (RUN_DATE, 60)],
    }


def test_newer_votes_of_the_same_day_are_kept():
    films = merge_votes(columns({"id": 1}), earlier((1, RUN_DATE, 5.0, 1)))
    assert counts(films) == {1: [(RUN_DATE, 60)]}


def test_films_without_older_votes_are_unchanged():
    films = columns({"id": 2}, {"id": 1})
    assert merge_votes(films, NO_VOTES) is films
    assert merge_votes(films, earlier((3, RUN_DATE, 5.0, 1))) is films


def test_rating_as_of_a_day_before_the_first_is_null():
    films = merge_votes(columns({"id": 1}, {"id": 2}), earlier((2, RUN_DATE - DAY, 5.5, 3)))
    before = votes_as_of(films, RUN_DATE - DAY).sort_by("id")
    assert before["vote_count"].to_pylist() == [None, 3]
    assert before["vote_average"].to_pylist() == [None, 5.5]
    assert votes_as_of(films, RUN_DATE - 9 * DAY)["vote_count"].to_pylist() == [None, None]
