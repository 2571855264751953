import pytest

from movierating.films.film import Film, Plot
from movierating.films.tokens import MAX_CAST, TRACKED_TRAITS, TRAITS
from tests.support.bundles import FULL_FILM


def tokens(trait: str, film: Film = FULL_FILM) -> list[str]:
    return list(TRAITS[trait](film))


@pytest.mark.parametrize(
    ("trait", "expected"),
    [
        ("genre", ["Drama", "Crime"]),
        ("genre_pair", ["Crime, Drama"]),
        ("language", ["ko"]),
        ("country", ["KR", "US"]),
        ("runtime", ["6"]),
        ("budget", ["2 Drama", "2 Crime"]),
        ("director", ["Ada Novak"]),
        ("writer", ["Kim Minseo", "Ada Novak"]),
        ("cast", ["Jo Lindqvist", "Kim Minseo"]),
        ("company", ["Lantern Films"]),
        ("franchise", ["Lanterns"]),
        ("keyword", ["lantern", "island"]),
        ("title", ["the", "lantern", ":", "part", "2"]),
        ("plot", ["keeper", "lantern", "keeps"]),
    ],
)
def test_film_is_described_by_tokens_of_each_trait(trait: str, expected: list[str]):
    assert tokens(trait) == expected


@pytest.mark.parametrize("trait", TRAITS)
def test_film_of_which_nothing_is_known_has_no_tokens(trait: str):
    assert tokens(trait, Film()) == []


def test_those_who_are_followed_are_traits():
    assert set(TRACKED_TRAITS) < set(TRAITS)


def test_cast_beyond_the_leads_says_nothing():
    leads = tuple(f"Lead {at}" for at in range(MAX_CAST))
    assert tokens("cast", Film(cast=(*leads, "Extra"))) == list(leads)


def test_running_times_of_one_band_are_alike_and_of_two_bands_not():
    bands = [tokens("runtime", Film(runtime_minutes=minutes)) for minutes in (100, 104.9, 105)]
    assert bands[0] == bands[1] != bands[2]


def test_budget_of_a_film_without_genre_still_counts():
    assert tokens("budget", Film(budget_usd=5e6)) == ["2 "]


def test_plot_known_by_its_numbers_alone_has_no_words():
    assert tokens("plot", Film(plot=Plot(40, 0.5))) == []


@pytest.mark.parametrize("text", ["", "...", "It is what it is.", "A b c"])
def test_plot_of_no_telling_word_is_as_good_as_none(text: str):
    assert tokens("plot", Film(plot=Plot(len(text), 0.0, 0.0, text))) == []
