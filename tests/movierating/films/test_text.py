import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierating.films.film import Plot
from movierating.films.text import folded, is_latin, measure_plot

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("text", [None, "", "  \n\t"])
def test_no_text_is_no_plot(text: str | None):
    assert measure_plot(text) is None


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("A wonderful, happy reunion.", 1),
        ("A horrible, terrible murder.", -1),
        ("Two people take a train to the coast.", 0),
    ],
)
def test_mood_has_the_sign_of_its_words(text: str, sign: int):
    plot = measure_plot(text)
    assert plot is not None
    assert plot.polarity is not None
    assert (plot.polarity > 0) - (plot.polarity < 0) == sign


def test_margin_is_no_part_of_a_plot():
    assert measure_plot("  A film.\n") == measure_plot("A film.") == Plot(7, 0.0, 0.0, "A film.")


@given(st.text(max_size=60))
def test_measures_stay_in_their_ranges(text: str):
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
def test_script_of_most_letters_decides(text: str, latin: bool):
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
def test_case_accents_and_spaces_do_not_count_in_a_search(text: str, alike: str):
    assert folded(text) == folded(alike)


def test_korean_is_found_by_its_letters():
    assert folded("여름") in folded("긴 여름의 끝")
    assert folded("겨울") not in folded("긴 여름의 끝")


def test_measuring_loads_no_training_library_and_leaves_it_to_be_loaded():
    code = """
import sys
from movierating.films.text import measure_plot
assert measure_plot("A good film.").polarity > 0
assert not {"sklearn", "scipy"} & sys.modules.keys()
import scipy, sklearn.linear_model
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
