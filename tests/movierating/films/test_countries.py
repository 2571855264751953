import pytest

from movierating.films.countries import country_code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("KR", "KR"),
        ("kr", "KR"),
        ("KOR", "KR"),
        ("South Korea", "KR"),
        ("south  korea", "KR"),
        ("대한민국", "KR"),
        ("한국", "KR"),
        ("USA", "US"),
        ("U.S.A.", "US"),
        ("United States of America", "US"),
        ("미국", "US"),
        ("UK", "GB"),
        ("Czech Republic", "CZ"),
        ("Czechia", "CZ"),
        ("Turkey", "TR"),
        ("Cote d'Ivoire", "CI"),
        ("Hong Kong", "HK"),
        ("SU", "SU"),
        ("XC", "XC"),
        ("Soviet Union", "SU"),
        ("XK", "XK"),
    ],
)
def test_country_is_found_by_what_people_write(text: str, code: str):
    assert country_code(text) == code


@pytest.mark.parametrize("text", ["ZZ", "XA", "EU", "QO", "Narnia", "", "410", "KRR", "world"])
def test_country_that_does_not_exist_has_no_code(text: str):
    assert country_code(text) is None
