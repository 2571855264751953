import json
from pathlib import Path

import pytest

from movierating.films.languages import language_code

KNOWN = ("en", "ko", "ja", "zh", "cn", "tl", "xx", "br")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ko", "ko"),
        ("KO", "ko"),
        ("ko-KR", "ko"),
        ("ko_kr", "ko"),
        ("KOR", "ko"),
        ("Korean", "ko"),
        ("  korean ", "ko"),
        ("한국어", "ko"),
        ("kr", "ko"),
        ("jp", "ja"),
        ("영어", "en"),
        ("en-GB", "en"),
        ("eng", "en"),
        ("us", "en"),
        ("zh-Hant-TW", "zh"),
        ("Mandarin", "zh"),
        ("Cantonese", "cn"),
        ("yue", "cn"),
        ("Filipino", "tl"),
        ("fil", "tl"),
        ("zxx", "xx"),
        ("fre", "fr"),
        ("Māori", "mi"),
    ],
)
def test_language_is_found_by_what_people_write(text: str, code: str):
    assert language_code(text, KNOWN) == code


@pytest.mark.parametrize(
    ("code", "not_the_language_of"),
    [("br", "Brazil"), ("se", "Sweden"), ("ga", "Gabon"), ("ee", "Estonia"), ("cn", "China")],
)
def test_code_of_a_language_is_not_read_as_a_country(code: str, not_the_language_of: str):
    assert language_code(code) == code, not_the_language_of


def test_language_that_the_model_knows_is_never_read_as_a_country():
    assert language_code("kr") == "ko"
    assert language_code("kr", ["kr"]) == "kr"


@pytest.mark.parametrize("text", ["", "qq", "Klingonish", "12", "in English, please", "zz"])
def test_other_text_is_no_language(text: str):
    assert language_code(text, KNOWN) is None


def test_codes_of_tmdb_are_read_as_they_are(tmdb_shared: Path):
    raw = (tmdb_shared / "api/recorded/configuration_languages.json").read_text("utf-8")
    codes = {each["iso_639_1"] for each in json.loads(raw)}
    assert {code for code in codes if language_code(code, codes) != code} == set()
    # Without knowing what the model knows, a few rare codes are read as a country's.
    assert {code for code in codes if language_code(code) != code} <= {
        "ae", "cr", "kr", "mo", "na", "sh", "sm", "tw",
    }  # fmt: skip
