import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierating.films.film import Plot
from movierating.films.text import (
    is_korean,
    is_latin,
    measure_plot,
    name_key,
    normalise,
)


@pytest.mark.parametrize("text", [None, "", "  \n\t"])
def test_empty_text_is_no_plot(text: str | None):
    assert measure_plot(text) is None


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("A wonderful, happy reunion.", 1),
        ("A horrible, terrible murder.", -1),
        ("Two people take a train to the coast.", 0),
    ],
)
def test_sentiment_has_the_sign_of_the_words(text: str, sign: int):
    plot = measure_plot(text)
    assert plot is not None
    assert plot.polarity is not None
    assert (plot.polarity > 0) - (plot.polarity < 0) == sign


def test_surrounding_spaces_are_not_measured():
    assert measure_plot("  A film.\n") == measure_plot("A film.") == Plot(7, 0.0, 0.0, "A film.")


@given(st.text(max_size=60))
def test_measurements_stay_in_their_ranges(text: str):
    plot = measure_plot(text)
    if plot is not None:
        assert plot.text == text.strip()
        assert plot.length == len(plot.text) > 0
        assert plot.polarity is not None
        assert -1 <= plot.polarity <= 1
        assert plot.subjectivity is not None
        assert 0 <= plot.subjectivity <= 1


@pytest.mark.parametrize(
    ("text", "latin"),
    [
        ("A ship sails.", True),
        ("Amélie à Paris", True),
        ("배가 떠난다", False),
        ("船が出る", False),
        ("Корабль уходит", False),
        ("기생충 by Bong Joon-ho, in English", True),
        ("123 !?", False),
        ("", False),
    ],
)
def test_text_is_latin_if_most_letters_are(text: str, latin: bool):
    assert is_latin(text) is latin


@pytest.mark.parametrize(
    ("text", "usual"),
    [
        (unicodedata.normalize("NFD", "등대지기의 딸"), "등대지기의 딸"),
        (unicodedata.normalize("NFD", "Amélie"), "Amélie"),
        ("Ｔｈｅ　Ｌａｎｔｅｒｎ　２！", "The Lantern 2!"),
        ("ｶﾞﾝ", "ガン"),
        ("  The\t Lantern\r\n of\u00a0the\u3000sea ", "The Lantern of the sea"),
        ("\ufeffThe Lan\u00adtern\u200b\u202e\x00", "The Lantern"),
        ("a\u200cb 👩\u200d🚀 … ½", "a\u200cb 👩\u200d🚀 … ½"),
        ("\u200b \n", ""),
    ],
)
def test_text_is_normalised_in_form_width_and_spaces(text: str, usual: str):
    assert normalise(text) == usual


@given(st.text(max_size=30))
def test_normalised_text_and_keys_stay_as_they_are(text: str):
    assert normalise(normalise(text)) == normalise(text)
    assert name_key(name_key(text)) == name_key(text)


@given(st.text(max_size=30))
def test_name_has_the_same_key_after_normalising(text: str):
    assert name_key(normalise(text)) == name_key(text)


@pytest.mark.parametrize(
    ("name", "alike"),
    [
        ("Bong Joon-ho", "BONG  joon ho"),
        ("Pedro Almodóvar", "Pedro Almodovar"),
        ("Pedro Almodóvar", unicodedata.normalize("NFD", "Pedro Almodóvar")),
        ("봉준호", unicodedata.normalize("NFD", "봉준호")),
        ("Łukasz Żal", "lukasz zal"),
        ("Søren Ærø", "Soren Aero"),
        ("J.J. Abrams", "J. J. Abrams"),
        ("Sinéad O’Connor", "Sinead O'Connor"),
        ("ＷＩＤＥ", "wide"),
        ("STRASSE", "straße"),
        ("Ada\u200b Novak", "Ada Novak"),
        ("İpek", "ipek"),
    ],
)
def test_name_key_ignores_how_a_name_is_typed(name: str, alike: str):
    assert name_key(name) == name_key(alike)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Ada Novak", "Adan Ovak"),
        ("カ", "ガ"),
        ("की", "का"),
        ("봉준호", "봉준오"),
        ("!!!", "???"),
        ("+", ""),
    ],
)
def test_other_names_have_other_keys(name: str, other: str):
    assert name_key(name) != name_key(other)


def test_name_key_keeps_korean_syllables():
    assert name_key("여름") in name_key("긴 여름의 끝")
    assert name_key("겨울") not in name_key("긴 여름의 끝")


@pytest.mark.parametrize(
    ("text", "korean"),
    [
        ("등대지기의 딸이 섬으로 돌아온다.", True),
        ("NASA 소속의 우주비행사", True),
        ("A film by 봉준호", False),
        ("灯台で手紙を見つける", False),
        ("123", False),
        ("", False),
    ],
)
def test_text_is_korean_if_most_letters_are_hangul(text: str, korean: bool):
    assert is_korean(text) == korean
