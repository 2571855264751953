import math
from dataclasses import replace

import pytest

from movierating.films.film import Film, Plot
from movierating.films.korean import is_korean, pieces
from movierating.model.features import MEASUREMENTS
from movierating.model.target_encoding import ALL, KOREAN, Effects
from tests.support.bundles import effects_of

FILM = Film(plot=Plot(None, None, None, "등대에서 편지를", "ko"))
EFFECTS = effects_of(
    {"plot": {"등대": (1.0, 9.0)}, KOREAN: {"등대": (3.0, 0.5), "편지": (4.0, 0.1)}}
)


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
def test_korean_is_told_by_its_letters(text: str, korean: bool):
    assert is_korean(text) == korean


def test_pieces_are_two_and_three_syllables_within_a_word():
    assert pieces("등대에서 NASA 섬 편지") == ["등대", "대에", "에서", "등대에", "대에서", "편지"]


def test_plot_in_korean_adds_what_its_pieces_say():
    record = EFFECTS.of(FILM)
    assert record["effect=plot"] == pytest.approx((3 * 0.5 + 4 * 0.1) / 5)
    assert record[ALL] == pytest.approx(6 + record["effect=plot"])


def test_plot_in_korean_is_unknown_to_effects_that_learned_no_korean():
    record = replace(EFFECTS, tables={"plot": EFFECTS.tables["plot"]}).of(FILM)
    assert math.isnan(record["effect=plot"])
    assert record[ALL] == 6.0


def test_plot_in_korean_has_neither_length_nor_mood():
    for name in ("overview_len", "overview_sentiment", "overview_subjectivity"):
        assert MEASUREMENTS[name](FILM) is None


def test_effects_that_read_korean_survive_their_file():
    assert Effects.from_json(EFFECTS.to_json()).of(FILM) == EFFECTS.of(FILM)
