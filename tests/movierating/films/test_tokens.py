from typing import Any

import pytest

from movierating.films.film import Entity, Film, Plot
from movierating.films.tokens import MAX_CAST, NAMES, TRACKED_TRAITS, TRAITS
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
        ("director", ["ada novak"]),
        ("writer", ["kim minseo", "ada novak"]),
        ("cast", ["jo lindqvist", "kim minseo"]),
        ("company", ["lantern films"]),
        ("franchise", ["lanterns"]),
        ("keyword", ["lantern", "island"]),
        ("title", ["the", "lantern", ":", "part", "2"]),
        ("plot", ["keeper", "lantern", "keeps"]),
    ],
)
def test_film_has_tokens_of_each_trait(trait: str, expected: list[str]):
    assert tokens(trait) == expected


@pytest.mark.parametrize("trait", TRAITS)
def test_film_without_known_facts_has_no_tokens(trait: str):
    assert tokens(trait, Film()) == []


def test_tracked_traits_are_traits():
    assert set(TRACKED_TRAITS) < set(TRAITS)


@pytest.mark.parametrize("trait", NAMES)
def test_every_spelling_of_a_name_is_one_token(trait: str):
    fields = {"company": "companies", "franchise": "franchise", "cast": "cast"}
    field = fields.get(trait, f"{trait}s")
    for name in ("Bong Joon-ho", "BONG JOON HO", "Bo\u0301ng Joon  ho"):
        facts: dict[str, Any] = {field: name if trait == "franchise" else (name,)}
        assert tokens(trait, Film(**facts)) == ["bong joon ho"]


@pytest.mark.parametrize("trait", NAMES)
def test_id_is_the_token_whatever_the_name(trait: str):
    fields = {"company": "companies", "franchise": "franchise", "cast": "cast"}
    field = fields.get(trait, f"{trait}s")
    for name in ("Bong Joon-ho", "봉준호"):
        entity = Entity(21684, name)
        facts: dict[str, Any] = {field: entity if trait == "franchise" else (entity,)}
        assert tokens(trait, Film(**facts)) == ["#21684"]


@pytest.mark.parametrize("name", ["#21684", "# 21684", "21684", "＃21684"])
def test_no_name_has_the_token_of_an_id(name: str):
    assert tokens("director", Film(directors=(name,))) == ["21684"]


def test_cast_is_limited_to_the_leads():
    leads = tuple(f"Lead {at}" for at in range(MAX_CAST))
    assert tokens("cast", Film(cast=(*leads, "Extra"))) == [lead.lower() for lead in leads]


def test_running_times_of_one_band_share_a_token():
    bands = [tokens("runtime", Film(runtime_minutes=minutes)) for minutes in (100, 104.9, 105)]
    assert bands[0] == bands[1] != bands[2]


def test_budget_of_a_film_without_genre_has_a_token():
    assert tokens("budget", Film(budget_usd=5e6)) == ["2 "]


def test_plot_without_text_has_no_tokens():
    assert tokens("plot", Film(plot=Plot(40, 0.5))) == []


@pytest.mark.parametrize("text", ["", "...", "It is what it is.", "A b c"])
def test_plot_of_stop_words_has_no_tokens(text: str):
    assert tokens("plot", Film(plot=Plot(len(text), 0.0, 0.0, text))) == []
