import json
import re
import string
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from streamlit.testing.v1 import AppTest

from tests.support.stub_api import (
    FORECAST,
    MODEL,
    NO_MODEL,
    OPTIONS,
    READ_IN_KOREAN,
    UNTRANSLATED,
    VERSION,
    StubApi,
    problem,
    running_stub_api,
)

ROOT = Path(__file__).parents[1]
PLOT = "등대지기의 딸이 섬으로 돌아와 편지 한 통을 발견한다."
NO_OBJECT: list[object] = [b"<html>a proxy speaks</html>", b"", None, []]
ODD_FORECAST = [
    {"rating": None},
    {"rating": float("nan")},
    {"rating": "high"},
    {"interval": [5.9, 7.7]},
    {"mood": {"label": "positive"}},
    {"ignored": ["overview"]},
]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubApi]:
    with running_stub_api() as stub:
        monkeypatch.setenv("API_URL", stub.url)
        yield stub


def opened(language: str | None = None) -> AppTest:
    page = AppTest.from_file(ROOT / "app.py", default_timeout=30)
    if language:
        page.query_params["lang"] = language
    return settled(page)


def settled(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def submitted(page: AppTest) -> AppTest:
    labels = ("평점 예측하기", "Forecast the rating")
    (button,) = [button for button in page.button if button.label in labels]
    button.click()
    return settled(page)


def in_other_language(page: AppTest, language: str) -> AppTest:
    page.radio(key="ui").set_value(language)
    return settled(page)


def text_of(page: AppTest) -> str:
    """All that can be read on the page, the drawn figures included."""
    kinds = ("title", "header", "markdown", "caption", "text", "error", "warning")
    read: list[Any] = [element for kind in kinds for element in page.get(kind)]
    html: list[Any] = list(page.get("html"))
    drawn = [re.sub("<style>.*?</style>", "", element.proto.body, flags=re.S) for element in html]
    return "\n".join([*(element.value for element in read), *drawn])


def error_of(page: AppTest) -> str:
    (error,) = page.error
    return error.value


def test_key_goes_with_every_request(api: StubApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "a planted key")
    page = submitted(opened())
    assert set(api.keys) == {"a planted key"}
    assert "planted" not in text_of(page)
    assert not any("planted" in path for path in api.paths)


@pytest.mark.usefixtures("api")
def test_page_is_korean_by_default() -> None:
    page = opened()
    assert page.title[0].value == "개봉 전 영화 평점 예측"
    assert page.selectbox(key="language").value == "ko"
    assert not page.error


@pytest.mark.usefixtures("api")
def test_language_in_the_address_opens_the_english_page() -> None:
    page = opened("en")
    assert page.title[0].value == "Film rating forecast"
    assert page.selectbox(key="language").value == "en"


@pytest.mark.usefixtures("api")
def test_unknown_language_in_the_address_opens_the_korean_page() -> None:
    assert opened("tlh").title[0].value == "개봉 전 영화 평점 예측"


@pytest.mark.usefixtures("api")
def test_click_turns_the_page_english_and_its_address_too() -> None:
    page = in_other_language(opened(), "en")
    assert page.title[0].value == "Film rating forecast"
    assert page.query_params["lang"] == "en"
    assert page.selectbox(key="language").value == "en"


@pytest.mark.usefixtures("api")
def test_choices_come_from_the_api_under_names_of_the_page_language() -> None:
    page = opened()
    assert page.multiselect(key="genres").options == ["Puppetry", "SF", "드라마"]
    assert page.selectbox(key="language").options == [
        "모름", "qq", "광둥어", "언어 관련 내용 없음", "영어", "한국어",
    ]  # fmt: skip
    page = in_other_language(page, "en")
    assert page.multiselect(key="genres").options == ["Drama", "Puppetry", "Science Fiction"]


def test_film_language_is_unknown_where_the_model_does_not_know_the_page_language(
    api: StubApi,
) -> None:
    api.answers["/options"] = 200, OPTIONS | {"languages": OPTIONS["languages"][:1]}
    assert opened().selectbox(key="language").value == ""


def test_only_what_was_filled_in_is_asked(api: StubApi) -> None:
    page = opened()
    page.text_area(key="overview").set_value(f"  {PLOT}\n")
    submitted(page)
    page.number_input(key="runtime").set_value(112)
    page.selectbox(key="language").set_value("")
    page.multiselect(key="genres").set_value(["Science Fiction"])
    submitted(page)
    assert api.asked == [
        {"overview": PLOT, "language": "ko"},
        {"overview": PLOT, "genres": ["Science Fiction"], "runtime": 112},
    ]


@pytest.mark.usefixtures("api")
def test_forecast_is_shown_with_interval_mood_and_score() -> None:
    text = text_of(submitted(opened()))
    for expected in ("6.8", "80% 예측 구간 5.9 ~ 7.7", "평균적인 영화 6.4", "긍정적", "+0.12"):
        assert expected in text
    assert "영어로 옮긴 줄거리" in text


@pytest.mark.parametrize(
    ("label", "score", "korean", "english"),
    [
        ("positive", 0.34, "긍정적", "Positive"),
        ("neutral", 0.0, "중립적", "Neutral"),
        ("negative", -0.34, "부정적", "Negative"),
    ],
)
def test_mood_has_three_labels_in_both_languages(
    api: StubApi, label: str, score: float, korean: str, english: str
) -> None:
    api.answers["/predict"] = 200, FORECAST | {"mood": {"label": label, "score": score}}
    page = submitted(opened())
    assert f">{korean}<" in text_of(page)
    text = text_of(in_other_language(page, "en"))
    assert f">{english}<" in text
    assert f"{score:+.2f}".replace("-", "−") in text


@pytest.mark.usefixtures("api")
def test_note_names_error_beside_baseline_training_films_split_and_version() -> None:
    text = text_of(submitted(opened("en")))
    for expected in ("**0.68 points**", "mean gives 0.80", "1,234", "5,678", "June 1, 2025"):
        assert expected in text
    assert f"`{VERSION}`" in text
    assert "release date and budget" in text


def test_forecast_stays_when_the_model_cannot_be_described(api: StubApi) -> None:
    api.answers["/version"] = problem(500, "broken")
    page = submitted(opened("en"))
    assert "6.8" in text_of(page)
    assert "cannot be fetched" in text_of(page)
    assert not page.error


def test_error_of_another_version_is_not_shown_for_this_one(api: StubApi) -> None:
    api.answers["/version"] = 200, MODEL | {"version": "2026-11-24-cd34"}
    text = text_of(submitted(opened("en")))
    assert "0.68" not in text
    assert f"`{VERSION}`" in text


@pytest.mark.parametrize("sign", [{"loaded_from": "cache"}, {"registry_problem": "no route"}])
def test_registry_out_of_reach_is_said(api: StubApi, sign: dict[str, str]) -> None:
    assert "registry is out of reach" not in text_of(submitted(opened("en")))
    api.answers["/version"] = 200, MODEL | sign
    assert "registry is out of reach" in text_of(submitted(opened("en")))


def test_new_model_is_seen_at_the_next_click(api: StubApi) -> None:
    page = submitted(opened("en"))
    newer = "2026-11-24-cd34"
    api.answers["/predict"] = 200, FORECAST | {"rating": 4.2, "version": newer}
    api.answers["/version"] = 200, MODEL | {"version": newer}
    api.answers["/options"] = 200, OPTIONS | {"genres": [{"code": 0, "name": "War"}]}
    page = submitted(page)
    assert "4.2" in text_of(page)
    assert f"`{newer}`" in text_of(page)
    assert page.multiselect(key="genres").options == ["War"]


@pytest.mark.parametrize(
    ("language", "said", "mood"),
    [
        ("ko", "줄거리를 번역하지 못해 읽지 못했습니다", "알 수 없음"),
        ("en", "The plot could not be translated and was not read", "Unknown"),
    ],
)
def test_untranslated_plot_is_said_and_its_mood_unknown(
    api: StubApi, language: str, said: str, mood: str
) -> None:
    api.answers["/predict"] = 200, UNTRANSLATED
    page = submitted(opened(language))
    assert said in page.warning[0].value
    assert f">{mood}<" in text_of(page)
    assert "+0.00" not in text_of(page)


@pytest.mark.parametrize(
    ("language", "said", "mood"),
    [
        ("ko", "한국어 줄거리를 그대로 읽었습니다", "알 수 없음"),
        ("en", "Read in Korean, since it could not be translated", "Unknown"),
    ],
)
def test_plot_that_was_read_in_korean_is_told_so_and_no_warning_is_given(
    api: StubApi, language: str, said: str, mood: str
) -> None:
    api.answers["/predict"] = 200, READ_IN_KOREAN
    page = submitted(opened(language))
    text = text_of(page)
    assert said in text
    assert f">{mood}<" in text
    assert "No plot was read" not in text
    assert not page.warning


def test_everything_ignored_is_named_once(api: StubApi) -> None:
    fields = ("genres", "genres", "language", "soundtrack")
    ignored = [{"field": field, "reason": "because"} for field in fields]
    api.answers["/predict"] = 200, FORECAST | {"ignored": ignored}
    page = submitted(opened("en"))
    assert len(page.warning) == 3
    assert page.warning[2].value == "Not used in the forecast: soundtrack."


@pytest.mark.parametrize(
    ("language", "said"), [("ko", "연결할 수 없습니다"), ("en", "cannot be reached")]
)
def test_api_away_is_said_before_anything_is_asked(api: StubApi, language: str, said: str) -> None:
    api.stop()
    assert said in error_of(opened(language))


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "ftp://h", "http://", "http://[::1", "http://u:hunter2@", "nonsense", "http://*"],
)
def test_senseless_address_of_the_api_counts_as_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    monkeypatch.setenv("API_URL", address)
    page = opened()
    assert "`API_URL`" in error_of(page)
    assert "hunter2" not in text_of(page) + caplog.text


def test_silent_api_is_said(api: StubApi, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened("en")
    api.silent.set()
    # The page's own limits are longer than a test should wait.
    monkeypatch.setattr(requests, "request", partial(impatient, requests.request))
    assert "did not answer in time" in error_of(submitted(page))


def impatient(
    request: Callable[..., requests.Response], *args: Any, timeout: tuple[int, int], **kwargs: Any
) -> requests.Response:
    assert 0 < max(timeout) < 60
    return request(*args, timeout=0.2, **kwargs)


@pytest.mark.parametrize(("language", "said"), [("ko", "아직 모델이 없습니다"), ("en", "no model")])
def test_api_without_a_model_is_said(api: StubApi, language: str, said: str) -> None:
    api.everywhere(NO_MODEL)
    page = opened(language)
    assert said in error_of(page)
    assert "not loaded yet" in text_of(page)
    assert said in error_of(submitted(page))


def test_refused_input_is_said_field_by_field(api: StubApi) -> None:
    api.answers["/predict"] = problem(
        422, "all", **{"keywords": "less than *30*", "body": "send at least", "genres.0": "short"}
    )
    page = submitted(opened())
    assert "받아들이지 않았습니다" in error_of(page)
    assert [text.value for text in page.text] == [
        "키워드: less than *30*",
        "줄거리나 장르 가운데 하나는 있어야 합니다.",
        "장르: short",
    ]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ko", ["상영 시간은 0분보다 길고 600분 이하", "제작 국가는 KR 같은 두 글자"]),
        ("en", ["more than 0 and at most 600 minutes", "codes of two letters like KR"]),
    ],
)
def test_what_a_person_can_get_wrong_is_said_in_the_page_language(
    api: StubApi, language: str, said: list[str]
) -> None:
    wrong = {"runtime": "Input should be less", "countries.0": "String", "countries.1": "String"}
    api.answers["/predict"] = problem(422, "all", **wrong)
    told = [text.value for text in submitted(opened(language)).text]
    assert len(told) == 2
    assert all(part in line for part, line in zip(said, told, strict=True))


@pytest.mark.parametrize("minutes", [90.5, 900.0, 0.0, -3.0, 100_000.0])
def test_number_is_asked_as_it_was_typed(api: StubApi, minutes: float) -> None:
    page = opened()
    page.number_input(key="runtime").set_value(minutes)
    assert submitted(page).number_input(key="runtime").value == minutes
    assert api.asked[-1]["runtime"] == minutes


def test_refusal_without_fields_shows_the_detail(api: StubApi) -> None:
    api.answers["/predict"] = problem(422, "malformed JSON")
    assert "malformed JSON" in text_of(submitted(opened()))


@pytest.mark.parametrize(
    "answer",
    [(500, b"boom"), (404, {}), (500, []), (502, b""), problem(418, "teapot"), (204, b"")],
    ids=str,
)
def test_unexpected_status_is_said(api: StubApi, answer: tuple[int, object]) -> None:
    api.answers["/predict"] = answer
    assert "makes no sense" in error_of(submitted(opened("en")))


@pytest.mark.parametrize("body", [*NO_OBJECT, *ODD_FORECAST], ids=ascii)
def test_unreadable_forecast_is_said(api: StubApi, body: object) -> None:
    api.answers["/predict"] = 200, FORECAST | body if isinstance(body, dict) else body
    assert "알아들을 수 없는" in error_of(submitted(opened()))


@pytest.mark.parametrize("body", [*NO_OBJECT, {}], ids=ascii)
def test_unreadable_options_are_said(api: StubApi, body: object) -> None:
    api.answers["/options"] = 200, body
    assert "알아들을 수 없는" in error_of(opened())


@pytest.mark.parametrize("body", [*NO_OBJECT, {}], ids=ascii)
def test_unreadable_description_of_the_model_leaves_the_forecast(
    api: StubApi, body: object
) -> None:
    api.answers["/version"] = 200, body
    page = submitted(opened())
    assert "6.8" in text_of(page)
    assert not page.error


def test_forecast_outside_the_scale_stays_inside_the_picture(api: StubApi) -> None:
    api.answers["/predict"] = 200, FORECAST | {"rating": 12.5, "average": -3}
    page = submitted(opened())
    (drawn, *_) = page.get("vega_lite_chart")
    layers = json.loads(drawn.proto.spec)["layer"]
    assert layers[-1]["data"]["values"] == [{"at": 10}]


def test_markup_from_the_api_is_text(api: StubApi) -> None:
    api.answers["/predict"] = 200, FORECAST | {"mood": {"label": "<b>x</b>", "score": 1}}
    assert "&lt;b&gt;x&lt;/b&gt;" in text_of(submitted(opened()))


@pytest.mark.parametrize("fault", [NO_MODEL, (500, b"boom"), problem(422, "no", runtime="no")])
def test_what_was_typed_outlives_every_fault(api: StubApi, fault: tuple[int, object]) -> None:
    page = opened()
    page.number_input(key="runtime").set_value(99)
    page.selectbox(key="language").set_value("cn")
    page.multiselect(key="genres").set_value(["Drama"])
    page.text_area(key="overview").set_value(PLOT)
    api.everywhere(fault)
    page = in_other_language(submitted(page), "en")
    assert page.error
    api.start()
    page = submitted(page)
    assert not page.error
    assert api.asked[-1] == {
        "overview": PLOT, "genres": ["Drama"], "language": "cn", "runtime": 99,
    }  # fmt: skip


def test_try_again_finds_the_api_back(api: StubApi) -> None:
    api.everywhere(NO_MODEL)
    page = opened()
    api.start()
    (retry,) = [button for button in page.button if button.label == "다시 시도"]
    retry.click()
    page = settled(page)
    assert not page.error
    assert "드라마" in page.multiselect(key="genres").options
    assert not api.asked


@pytest.mark.parametrize(
    "plot",
    ["", " \n\t", "*_`$:red[x]{}", "<script>", "\u0000", "가" * 20_000, "🎬", "{rating}"],
    ids=lambda plot: ascii(plot[:20]),
)
def test_no_plot_breaks_the_page(api: StubApi, plot: str) -> None:
    page = opened()
    page.text_area(key="overview").set_value(plot)
    assert not submitted(page).error
    assert api.asked[-1].get("overview", "") == plot.strip()[:10_000]


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("language", ["ko", "en"])
def test_tmdb_is_attributed_in_its_own_words(language: str) -> None:
    notice = "This product uses the TMDB API but is not endorsed or certified by TMDB."
    assert notice in text_of(opened(language))


def test_both_languages_have_the_same_texts_with_the_same_placeholders() -> None:
    korean, english = (
        {
            (section, key): {name for _, name, _, _ in string.Formatter().parse(text) if name}
            for section, table in tables(language).items()
            if section not in {"genres", "streamlit"}  # whose own words are English
            for key, text in table.items()
            if not key.endswith("_one")  # Korean has no singular
        }
        for language in ("ko", "en")
    )
    assert korean == english


def test_all_genres_of_tmdb_have_a_korean_name() -> None:
    assert len(tables("ko")["genres"]) == 19


def tables(language: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((ROOT / "ui" / "i18n" / f"{language}.toml").read_text("utf-8"))
