import pytest

from scripts.tmdb.errors import PageFailedError, TooManyFailedPagesError
from scripts.tmdb.listing import FailedPages, Listing, ListReading


def page(*ids: int, total: int, unusable: int = 0) -> Listing:
    return Listing([{"id": film_id} for film_id in ids], 2, total, unusable)


@pytest.mark.parametrize(
    ("pages", "is_complete"),
    [
        ([page(1, 2, total=3), page(3, total=3)], True),
        ([page(1, 2, total=4), page(3, total=4, unusable=1)], True),
        ([page(total=0)], True),
        ([page(1, 2, total=4), page(4, total=3)], False),  # one of 1 and 2 left, so 3 moved up
        (
            [page(1, 2, total=3), page(2, 3, total=4)],
            False,
        ),  # one was added before, so 2 moved down
        ([page(1, 2, total=4), page(4, total=4)], False),
        ([page(1, 2, total=3), page(2, total=3)], False),  # 3 moved up
    ],
)
def test_reading_is_complete_if_the_list_stayed_the_same(pages: list[Listing], is_complete: bool):
    reading = ListReading()
    for each in pages:
        reading.add(each)
    assert reading.is_complete == is_complete


def test_reading_that_began_later_is_not_complete():
    reading = ListReading(first_page=2)
    reading.add(page(3, total=1))
    assert not reading.is_complete


@pytest.mark.parametrize(
    ("pages", "is_steady"),
    [
        ([page(1, 2, total=9), page(3, 4, total=9)], True),
        ([page(1, 2, total=9), page(3, 4, total=10)], True),
        ([page(1, 2, total=9), page(4, 5, total=8)], False),  # one of 1 and 2 left
        ([page(1, 2, total=9), page(2, 4, total=9)], False),  # 3 moved before 2
    ],
)
def test_first_pages_are_steady_if_no_film_moved(pages: list[Listing], is_steady: bool):
    reading = ListReading()
    for each in pages:
        reading.add(each)
    assert reading.is_steady == is_steady


def failed(number: int) -> PageFailedError:
    return PageFailedError(f"page {number} of /movie/popular", "TMDB answered HTTP 500")


def test_few_failed_pages_are_recorded_and_too_many_end_the_run():
    pages = FailedPages(max_share=0.1)
    for number in range(1, 6):
        pages.add(failed(number))
    assert len(pages) == 5
    with pytest.raises(
        TooManyFailedPagesError, match=r"^6 of 6 pages .*HTTP 500.*page 6 of /movie"
    ):
        pages.add(failed(6))


def test_page_is_returned_without_films_of_earlier_pages():
    reading = ListReading()
    assert [film["id"] for film in reading.add(page(1, 2, 2, total=3))] == [1, 2]
    assert [film["id"] for film in reading.add(page(2, 3, total=3))] == [3]
    assert reading.ids == {1, 2, 3}
