import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierating.films.film import Plot
from movierating.films.text import (
    is_korean,
    is_latin,
    measure_plot,
    search_key,
    syllable_ngrams,
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
    ("text", "alike"),
    [
        ("Été", "ete"),
        ("ＷＩＤＥ", "wide"),
        ("  The   Lantern ", "the lantern"),
        ("STRASSE", "straße"),
    ],
)
def test_search_key_ignores_case_accents_and_spaces(text: str, alike: str):
    assert search_key(text) == search_key(alike)


def test_search_key_keeps_korean_syllables():
    assert search_key("여름") in search_key("긴 여름의 끝")
    assert search_key("겨울") not in search_key("긴 여름의 끝")


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


def test_ngrams_are_two_and_three_syllables_within_a_word():
    ngrams = syllable_ngrams("등대에서 NASA 섬 편지")
    assert ngrams == ["등대", "대에", "에서", "등대에", "대에서", "편지"]
