from contextlib import suppress

import pytest

from ui.film_files import names


@pytest.mark.parametrize(
    ("cell", "genres"),
    [
        ("드라마, SF", ["Drama", "Science Fiction"]),
        ("드라마|로맨스", ["Drama", "Romance"]),
        ("Drama / War", ["Drama", "War"]),
        ("드라마·로맨스", ["Drama", "Romance"]),
        ("Drama; War; Drama", ["Drama", "War"]),
        ("멜로/로맨스", ["Romance"]),
        ("애니, 멜로", ["애니", "멜로"]),  # the API knows these names
        ("TV Movie", ["TV Movie"]),
    ],
)
def test_genres_are_split_at_each_usual_sign(cell: str, genres: list[str]):
    assert names.read_genres(cell) == genres


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Ada Novak; Adam Lee", ["Ada Novak", "Adam Lee"]),
        ("Ada Novak|Adam Lee", ["Ada Novak", "Adam Lee"]),
        ("Ada Novak, Adam Lee", ["Ada Novak", "Adam Lee"]),
        ("김철수, 이영희", ["김철수", "이영희"]),
        ("Robert Downey, Jr., Ada Novak", ["Robert Downey, Jr.", "Ada Novak"]),
        ("Moon, Inc.; Sun, Ltd.", ["Moon, Inc.", "Sun, Ltd."]),
        ("Bait/Switch", ["Bait/Switch"]),
        ("[REC] Films", ["[REC] Films"]),
        ("[REC]", ["[REC]"]),
        ('["A, B", "C"]', ["A, B", "C"]),
        ("['A', 'C']", ["A", "C"]),
        ('[{"name": "A"}, {"id": 2}]', ["A"]),
        ("[]", []),
        ("없음", []),
    ],
)
def test_names_are_split_but_not_inside(cell: str, expected: list[str]):
    assert names.read_names(cell) == expected


@pytest.mark.parametrize("cell", ['[{"name": "A"', "['A', b(1)]", "[" * 5_000 + "]" * 5_000])
def test_damaged_list_is_refused_or_read_as_a_name(cell: str):
    with suppress(ValueError):
        assert names.read_names(cell) == [cell]


@pytest.mark.parametrize(
    ("cell", "language"),
    [
        ("Korean", "ko"),
        ("한국어", "ko"),
        ("Cantonese", "cn"),
        ("광둥어", "cn"),
        ("ko", "ko"),
        ("Filipino", "Filipino"),  # the API knows this name
        ("KO", "KO"),
        ("[{'iso_639_1': 'en'}]", "en"),
    ],
)
def test_names_of_languages_on_the_page_become_codes(cell: str, language: str):
    assert names.read_language(cell) == language


@pytest.mark.parametrize(
    ("cell", "countries"),
    [
        ("대한민국", ["KR"]),
        ("South Korea, United States", ["KR", "US"]),
        ("한국/미국", ["한국", "US"]),
        ("KR|US", ["KR", "US"]),
        ("Hong Kong SAR China", ["HK"]),
        (
            "[{'iso_3166_1': 'US', 'name': 'United States of America'}]",
            ["United States of America"],
        ),
    ],
)
def test_names_of_countries_on_the_page_become_codes(cell: str, countries: list[str]):
    assert names.read_countries(cell) == countries


@pytest.mark.parametrize("cell", [True, None, 1j])
def test_value_that_is_no_text_is_refused(cell: object):
    with pytest.raises(ValueError, match=r".*"):
        names.read_text(cell)  # type: ignore[arg-type]
