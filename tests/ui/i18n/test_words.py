import re
import string
import tomllib
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import get_args

import pytest

from movierating.films import languages
from scripts.parameters import ModelType
from ui.i18n.words import LANGUAGES, TMDB_LANGUAGES, Words, fill, widget_texts

ROOT = Path(__file__).parents[3]
# The modules that read files know the Korean words that people write there, such as units.
SOURCES = [
    ROOT / "app.py",
    *sorted(each for each in (ROOT / "ui").rglob("*.py") if each.parent.name != "film_files"),
]
HANGUL = re.compile("[가-힣]")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_code_contains_no_korean_text(source: Path):
    allowed = "한국어"  # the name of the language; the switch shows it in Korean on every page
    assert not HANGUL.search(source.read_text("utf-8").replace(allowed, ""))


def test_ui_and_service_know_the_same_language_codes_of_tmdb():
    assert languages.TMDB_LANGUAGES == TMDB_LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_used_in_the_code_exists(language: str):
    words = Words(language)
    for source in SOURCES:
        for key in re.findall(r'words\(\s*"(\w+\.\w+)"', source.read_text("utf-8")):
            section, name = key.split(".")
            assert name in words._tables[section], key


def test_names_are_joined_as_in_everyday_language():
    assert Words("ko").joined(["감독", "각본", "제작비"]) == "감독, 각본, 제작비"
    assert Words("en").joined(["director", "budget"]) == "director and budget"


# Words that people of the film trade do not use, or that are colloquial in a service.
@pytest.mark.parametrize(
    ("language", "avoided"),
    [
        (
            "ko",
            "평균적인 영화|상영 시간|영화 언어|찾을 항목|치우침|다섯 특성|적어 두신|첫 화면에서",
        ),
        (
            "ko",
            "읽은 줄거리|이렇게 바꾸면|바꾼 뒤|지금 그대로|알아볼 수 있는|늘 평균|관객 평점",
        ),
        ("en", "Average film|Look for|Type some|As it is|Other genre|without knowing|Link to this"),
        ("en", "Unlike nearly|Does it mean|Left out because"),
    ],
)
def test_words_that_were_replaced_do_not_come_back(language: str, avoided: str):
    found = [
        f"{section}.{name}"
        for section, texts in tables(language).items()
        for name, text in texts.items()
        if re.search(avoided, text)
    ]
    assert found == []


def test_numbers_dates_and_names_follow_the_language():
    korean, english = Words("ko"), Words("en")
    assert (korean.day(date(2027, 5, 1)), english.day(date(2027, 5, 1))) == (
        "2027년 5월 1일",
        "May 1, 2027",
    )
    at = datetime(2027, 5, 1, 18, 5, tzinfo=timezone(timedelta(hours=9)))
    assert korean.moment(at) == "2027. 5. 1. 09:05 UTC"
    assert english.moment(at) == "May 1, 2027 09:05 UTC"
    assert english.points(-0.314) == "−0.31"
    assert korean.country("KR") == "대한민국"
    assert korean.language("cn") == "광둥어"
    assert korean.month(5) == "5월"


@pytest.mark.parametrize(
    ("language", "number", "expected"),
    [("en", 1, "1 film"), ("en", 0, "0 films"), ("en", 1234, "1,234 films"), ("ko", 1, "1편")],
)
def test_counts_use_the_plural_form_of_the_language(language: str, number: int, expected: str):
    assert Words(language).count("films", number) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_count_has_all_plural_forms_of_its_language(language: str):
    words = Words(language)
    for source in SOURCES:
        for what in re.findall(r'words\.count\("(\w+)"', source.read_text("utf-8")):
            assert all(words.count(what, number) for number in range(3))


def test_widget_texts_can_be_translated_back_to_english():
    assert widget_texts("ko")["Upload"] == "파일 선택"
    assert widget_texts("en")["파일 선택"] == "Upload"
    for original in Words("ko").section("streamlit"):
        there = widget_texts("ko")[original]
        assert widget_texts("ko")[widget_texts("en")[there]] == there


def test_values_in_a_template_are_escaped():
    filled = fill(
        "document.html", {"language": "<b>", "consent": "false", "widget_texts": '{"a": "b"}'}
    )
    assert "&lt;b&gt;" in filled
    assert "{&quot;a&quot;: &quot;b&quot;}" in filled


def test_both_languages_have_the_same_texts_with_the_same_placeholders():
    korean, english = (
        {
            (section, key): {name for _, name, _, _ in string.Formatter().parse(text) if name}
            for section, table in tables(language).items()
            if section not in {"genres", "streamlit"}  # these texts are English already
            for key, text in table.items()
            if not key.endswith("_one")  # Korean has no singular
        }
        for language in ("ko", "en")
    )
    assert korean == english


def test_every_genre_of_tmdb_has_a_korean_name():
    assert len(tables("ko")["genres"]) == 19


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_model_family_has_a_name(language: str):
    assert tables(language)["families"].keys() == set(get_args(ModelType))


def tables(language: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((ROOT / "ui" / "i18n" / f"{language}.toml").read_text("utf-8"))
