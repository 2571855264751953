import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.support.app_test import (
    chart_texts,
    click,
    error_of,
    html_of,
    key_of,
    open_app,
    run,
    submit,
    switch_language,
    visible_text,
)
from tests.support.stub_api import (
    FORECAST,
    MODEL,
    NO_MODEL,
    OPTIONS,
    READ_IN_KOREAN,
    UNRELIABLE,
    UNTRANSLATED,
    VERSION,
    StubApi,
    problem,
)

PLOT = "등대지기의 딸이 섬으로 돌아와 편지 한 통을 발견한다."
NAMES = ("directors", "writers", "cast", "companies", "countries", "collection", "keywords")
NO_OBJECT: list[object] = [b"<html>a proxy speaks</html>", b"", None, []]
ODD_FORECAST = [
    {"rating": None},
    {"rating": float("nan")},
    {"rating": "high"},
    {"interval": [5.9, 7.7]},
    {"mood": {"label": "positive"}},
    {"ignored": ["overview"]},
]

pytestmark = pytest.mark.usefixtures("api")


def test_choices_come_from_the_api_and_are_named_in_the_page_language():
    page = open_app()
    assert page.multiselect(key=key_of(page, "genres")).options == ["Puppetry", "SF", "드라마"]
    assert page.selectbox(key=key_of(page, "language")).options == [
        "모름", "qq", "광둥어", "언어 관련 내용 없음", "영어", "한국어",
    ]  # fmt: skip
    page = switch_language(page, "en")
    assert page.multiselect(key=key_of(page, "genres")).options == [
        "Drama",
        "Puppetry",
        "Science Fiction",
    ]


def test_film_language_stays_unknown_if_the_model_does_not_know_the_page_language(api: StubApi):
    api.responses["/options"] = 200, OPTIONS | {"languages": OPTIONS["languages"][:1]}
    assert open_app().selectbox(key="language").value == ""


def test_only_filled_in_fields_are_sent(api: StubApi):
    page = open_app()
    page.text_area(key=key_of(page, "overview")).set_value(f"  {PLOT}\n")
    submit(page)
    page.number_input(key=key_of(page, "runtime")).set_value(112)
    page.selectbox(key=key_of(page, "language")).set_value("")
    page.multiselect(key=key_of(page, "genres")).set_value(["Science Fiction"])
    submit(page)
    assert api.bodies == [
        {"overview": PLOT, "language": "ko"},
        {"overview": PLOT, "genres": ["Science Fiction"], "runtime": 112},
    ]


@pytest.mark.parametrize(("language", "title"), [("ko", "숟가락 두 개"), ("en", "Two Spoons")])
def test_sample_film_fills_in_the_form(api: StubApi, language: str, title: str):
    page = open_app(language)
    page.pills(key="sample").set_value("kitchen")
    submit(run(page))
    (sent,) = api.bodies
    assert sent["title"] == title
    assert (sent["genres"], sent["runtime"]) == (["Comedy", "Romance"], 98)
    assert sent["language"] == language
    assert "/ratings?genre=Comedy" in api.paths


@pytest.mark.parametrize(
    "query",
    [
        {"runtime": "nan", "budget": "inf", "release_date": "yesterday"},
        {"runtime": "-5", "budget": "1e99", "release_date": "9999-99-99", "language": "\0"},
        {
            "genres": ["", "<script>"],
            "language": "qqq",
            "countries": ["Nowhere"],
            "directors": ["x" * 3_000],
        },
        {"overview": "가" * 3_000, "title": "{rating}"},
    ],
)
def test_no_query_string_breaks_the_page(query: dict[str, Any]):
    page = submit(open_app("ko", **query))
    assert "6.8" in visible_text(page)
    assert not page.error


def test_forecast_shows_interval_mood_and_score():
    text = visible_text(submit(open_app()))
    interval, baseline = "10편 중 8편은 5.9~7.7점", "기준값(정보가 없을 때) 6.4점"
    for expected in ("6.8", interval, baseline, "밝음", "+0.12"):
        assert expected in text
    assert "영어로 번역한 줄거리" in text
    assert "7.0점 이상일 확률 41%" in text


def test_forecast_of_a_service_without_probabilities_shows_none(api: StubApi):
    for body in (
        FORECAST | {"at_least": None},
        {k: FORECAST[k] for k in FORECAST if k != "at_least"},
    ):
        api.responses["/predict"] = 200, body
        text = visible_text(submit(open_app()))
        assert "6.8" in text
        assert "이상일 확률" not in text


def test_one_request_gets_the_chances_of_all_thresholds(api: StubApi):
    page = submit(open_app("en"))
    (sent,) = [path for path in api.paths if path.startswith("/predict")]
    asked = {float(value) for value in parse_qs(urlsplit(sent).query)["at_least"]}
    assert asked | {6, 7, 8} == {quarter / 4 for quarter in range(16, 37)}
    assert len(asked) <= 20  # the service's limit
    page.select_slider(key="threshold").set_value(8.0)
    assert "Chance of 8.0 or more 6%" in visible_text(run(page))


def test_threshold_that_a_forecast_does_not_offer_becomes_7(api: StubApi):
    chances = [{"rating": rating, "probability": 0.5} for rating in (6.5, 7)]
    api.responses["/predict"] = 200, FORECAST | {"at_least": chances}
    page = submit(open_app("en"))
    page.select_slider(key="threshold").set_value(6.5)
    assert "Chance of 6.5 or more 50%" in visible_text(run(page))
    api.responses["/predict"] = 200, FORECAST
    assert "Chance of 7.0 or more 41%" in visible_text(run(page))


def test_reasons_are_said_in_words():
    text = visible_text(submit(open_app("en")))
    assert "Raises the forecast: People +0.51." in text
    assert "Lowers the forecast: Plot −0.08." in text


def test_earlier_forecasts_of_the_same_language_and_main_genre_are_judged():
    page = open_app("en", genres=["Drama", "Comedy"], language="ko")
    text = visible_text(submit(page))
    assert "Original language Korean (61 films): forecasts were neither too high nor" in text
    assert "Genre Drama (1,800 films): forecasts were 0.08 points too high on average" in text
    assert "held 81%" in text
    assert "language English" not in text
    assert "Genre Comedy" not in text


def test_kind_of_film_with_unreliable_forecasts_is_named_beside_the_forecast(api: StubApi):
    only_biased = UNRELIABLE | {"kind": "genre", "name": "Drama", "bias": -0.2}
    only_biased |= {"badly_covered": False}
    unreliable = [UNRELIABLE, only_biased]
    api.responses["/predict"] = 200, FORECAST | {"reliability": unreliable}
    page = submit(open_app("en"))
    korean, drama = (warning.value for warning in page.warning)
    assert "Original language Korean (61 films): forecasts were 0.30 points too high" in korean
    assert "held 71%" in korean
    assert "Genre Drama (61 films): forecasts were 0.20 points too low" in drama
    assert "held" not in drama


@pytest.mark.parametrize(
    ("missing", "shown"),
    [
        (("release_date", "budget"), ["release date would narrow the interval by about 0.06"]),
        (
            ("release_date", "budget", *NAMES),
            ["release date would narrow the interval by about 0.20 points (mean of 1,234 films)",
             "budget would narrow the interval by about 0.12"],
        ),
    ],
)  # fmt: skip
def test_missing_facts_that_would_narrow_the_interval_are_named_the_best_first(
    api: StubApi, missing: tuple[str, ...], shown: list[str]
):
    api.responses["/predict"] = 200, FORECAST | {"missing": missing}
    text = visible_text(submit(open_app("en")))
    found = re.findall(r"Knowing the ([^()]+\([^()]+\))", text)
    assert len(found) == len(shown)
    assert all(part in line for part, line in zip(shown, found, strict=True))


def test_errors_are_those_of_forecasts_that_know_as_much(api: StubApi):
    assert "all facts known, forecasts of 1,234 films had a typical error of **0.61" in (
        visible_text(submit(open_app("en")))
    )
    missing = ["runtime", "release_date", "budget", *NAMES]
    api.responses["/predict"] = 200, FORECAST | {"missing": missing}
    text = visible_text(submit(open_app("en")))
    assert "typical error of **0.68 points** (RMSE)" in text
    assert "knows even less" in text


@pytest.mark.parametrize("body", [{}, {"slices": [], "calibration": [], "importance": {}}])
def test_forecast_is_shown_without_evidence_and_with_that_of_older_versions(
    api: StubApi, body: object
):
    api.responses["/evidence"] = 200, body
    page = submit(open_app("en"))
    assert "narrow the interval" not in visible_text(page)
    assert not page.error


@pytest.mark.parametrize(
    ("language", "scale", "people"),
    [
        (
            "ko",
            "예상 평점 6.8점, 10편 중 8편은 5.9~7.7점, 기준값 6.4점",
            "감독·각본·출연진 +0.51",
        ),
        (
            "en",
            "expected rating 6.8, 8 in 10 such films land between 5.9 and 7.7, baseline 6.4",
            "People +0.51",
        ),
    ],
)
def test_charts_have_text_alternatives_and_similar_films_a_table(
    language: str, scale: str, people: str
):
    page = submit(open_app(language))
    on_scale, reasons = chart_texts(page)
    assert scale in on_scale
    assert people in reasons
    assert people in visible_text(page)
    assert "The *Lantern* 2024 7.1" in visible_text(page)


@pytest.mark.parametrize(
    ("label", "score", "korean", "english"),
    [
        ("positive", 0.34, "밝음", "Bright"),
        ("neutral", 0.0, "중립", "Neutral"),
        ("negative", -0.34, "어두움", "Dark"),
    ],
)
def test_mood_has_three_labels_in_both_languages(
    api: StubApi, label: str, score: float, korean: str, english: str
):
    api.responses["/predict"] = 200, FORECAST | {"mood": {"label": label, "score": score}}
    page = submit(open_app())
    assert f">{korean}<" in html_of(page)
    html = html_of(switch_language(page, "en"))
    assert f">{english}<" in html
    assert f"{score:+.2f}".replace("-", "−") in html


def test_basis_names_errors_training_films_split_date_version_and_missing_facts():
    text = visible_text(submit(open_app("en")))
    for expected in ("**0.61 points**", "every film gives 0.80", "1,234", "June 1, 2025"):
        assert expected in text
    assert "trained on 6,789 films released until May 31, 2026" in text
    assert f"`{VERSION}`" in text
    assert "release date and budget" in text


def test_basis_of_a_model_that_was_not_refitted_names_the_measured_films(api: StubApi):
    """Version 1.0.0 served the measured model."""
    api.responses["/version"] = 200, MODEL | {"refit": None}
    text = visible_text(submit(open_app("en")))
    assert "trained on 5,678 films released before June 1, 2025" in text


def test_forecast_stays_visible_without_a_description_of_the_model(api: StubApi):
    api.responses["/version"] = problem(500, "broken")
    page = submit(open_app("en"))
    assert "6.8" in visible_text(page)
    assert "cannot be fetched" in visible_text(page)
    assert not page.error


def test_errors_of_another_version_are_not_shown(api: StubApi):
    api.responses["/version"] = 200, MODEL | {"version": "2026-11-24-cd34"}
    text = visible_text(submit(open_app("en")))
    assert "0.61" not in text
    assert "narrow the interval" not in text
    assert f"`{VERSION}`" in text


@pytest.mark.parametrize("sign", [{"loaded_from": "cache"}, {"registry_problem": "no route"}])
def test_unreachable_registry_is_mentioned(api: StubApi, sign: dict[str, str]):
    assert "registry is out of reach" not in visible_text(submit(open_app("en")))
    api.responses["/version"] = 200, MODEL | sign
    assert "registry is out of reach" in visible_text(submit(open_app("en")))


def test_next_click_shows_a_new_model(api: StubApi):
    page = submit(open_app("en"))
    newer = "2026-11-24-cd34"
    api.responses["/predict"] = 200, FORECAST | {"rating": 4.2, "version": newer}
    api.responses["/version"] = 200, MODEL | {"version": newer}
    api.responses["/options"] = 200, OPTIONS | {"genres": [{"code": 0, "name": "War"}]}
    page = submit(page)
    assert "4.2" in visible_text(page)
    assert f"`{newer}`" in visible_text(page)
    assert page.multiselect(key=key_of(page, "genres")).options == ["War"]


@pytest.mark.parametrize(
    ("language", "message", "mood"),
    [
        ("ko", "줄거리를 분석하지 못했습니다", "알 수 없음"),
        ("en", "The plot could not be read and was not used", "Unknown"),
    ],
)
def test_untranslated_plot_gives_a_warning_and_an_unknown_mood(
    api: StubApi, language: str, message: str, mood: str
):
    api.responses["/predict"] = 200, UNTRANSLATED
    page = submit(open_app(language))
    assert message in page.warning[0].value
    assert f">{mood}<" in html_of(page)
    assert "+0.00" not in visible_text(page)


@pytest.mark.parametrize(
    ("language", "message", "mood"),
    [
        ("ko", "한국어 줄거리를 번역 없이 분석했습니다", "알 수 없음"),
        ("en", "Read in Korean, without translation", "Unknown"),
    ],
)
def test_plot_read_in_korean_gives_a_note_and_no_warning(
    api: StubApi, language: str, message: str, mood: str
):
    api.responses["/predict"] = 200, READ_IN_KOREAN
    page = submit(open_app(language))
    text = visible_text(page)
    assert message in text
    assert f">{mood}<" in html_of(page)
    assert "No plot was given" not in text
    assert not page.warning


@pytest.mark.parametrize(
    ("language", "unread", "none"),
    [
        ("ko", "줄거리를 분석하지 못했습니다", "줄거리가 입력되지 않았습니다"),
        ("en", "Your plot could not be read", "No plot was given"),
    ],
)
def test_unread_plot_is_not_called_missing(api: StubApi, language: str, unread: str, none: str):
    for answer, shown, hidden in (
        (UNTRANSLATED, unread, none),
        (UNTRANSLATED | {"ignored": [], "missing": ["overview"]}, none, unread),
    ):
        api.responses["/predict"] = 200, answer
        text = visible_text(submit(open_app(language)))
        assert shown in text
        assert hidden not in text


def test_each_ignored_field_is_named_once(api: StubApi):
    fields = ("genres", "genres", "language", "soundtrack")
    ignored = [{"field": field, "reason": "because"} for field in fields]
    api.responses["/predict"] = 200, FORECAST | {"ignored": ignored}
    page = submit(open_app("en"))
    assert len(page.warning) == 3
    assert page.warning[2].value == "Not used in the forecast: soundtrack."


def test_unused_and_changed_values_are_named_as_plain_text(api: StubApi):
    picture = "![x](http://evil.example/x.png)"
    ignored = [
        {"field": "cast", "values": [picture], "reason": "new"},
        {"field": "cast", "values": [f"Actor {at}" for at in range(9)], "reason": "only the first"},
    ]
    read_as = [{"field": "directors", "sent": "BONG JOON HO", "read": "Bong Joon-ho"}]
    api.responses["/predict"] = 200, FORECAST | {"ignored": ignored, "read_as": read_as}
    page = submit(open_app("en"))
    (warning,), (info,) = page.warning, page.info
    assert "Actor 3" in warning.value
    assert "Actor 4" not in warning.value
    assert "![x]" not in warning.value
    assert "“BONG JOON HO” as “Bong Joon-ho”" in info.value


@pytest.mark.parametrize(
    ("language", "message"), [("ko", "연결할 수 없습니다"), ("en", "cannot be reached")]
)
def test_stopped_api_is_reported_before_the_first_click(api: StubApi, language: str, message: str):
    api.stop()
    assert message in error_of(open_app(language))


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "ftp://h", "http://", "http://[::1", "http://u:hunter2@", "nonsense", "http://*"],
)
def test_invalid_api_address_is_reported_as_unreachable_without_its_password(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, address: str
):
    monkeypatch.setenv("API_URL", address)
    page = open_app()
    assert "`API_URL`" in error_of(page)
    assert "hunter2" not in visible_text(page) + caplog.text


def test_api_timeout_is_reported(api: StubApi, monkeypatch: pytest.MonkeyPatch):
    page = open_app("en")
    api.silent.set()
    # The UI's own timeout is longer than a test should wait.
    monkeypatch.setattr(requests, "request", partial(impatient, requests.request))
    assert "did not answer in time" in error_of(submit(page))


def impatient(
    request: Callable[..., requests.Response], *args: Any, timeout: tuple[int, int], **kwargs: Any
) -> requests.Response:
    assert 0 < max(timeout) < 60
    return request(*args, timeout=0.2, **kwargs)


@pytest.mark.parametrize(
    ("language", "message"), [("ko", "아직 모델이 없습니다"), ("en", "has no model yet")]
)
def test_missing_model_is_reported(api: StubApi, language: str, message: str):
    api.respond_everywhere(NO_MODEL)
    page = open_app(language)
    assert message in error_of(page)
    assert "not loaded yet" in visible_text(page)
    assert message in error_of(submit(page))


@pytest.mark.parametrize(
    ("response", "korean", "english"),
    [
        (problem(429, "slow down"), "요청이 너무 많습니다", "too many requests"),
        (problem(401, "send a key"), "허용하지 않습니다", "does not know this page"),
        ((500, b"boom"), "응답을 처리할 수 없습니다", "this page cannot read"),
    ],
)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_failing_api_is_explained_in_the_page_language(
    api: StubApi, language: str, response: tuple[int, Any], korean: str, english: str
):
    api.respond_everywhere(response)
    assert {"ko": korean, "en": english}[language] in error_of(open_app(language))


def test_refused_fields_are_explained_one_by_one(api: StubApi):
    api.responses["/predict"] = problem(
        422, "all", **{"keywords": "less than *30*", "body": "send at least", "genres.0": "short"}
    )
    page = submit(open_app())
    assert "입력값을 처리할 수 없습니다" in error_of(page)
    assert [text.value for text in page.text] == [
        "키워드: less than *30*",
        "줄거리와 장르 중 하나는 입력해 주세요.",
        "장르: short",
    ]


@pytest.mark.parametrize(
    ("language", "messages"),
    [
        ("ko", ["러닝타임은 0분보다 길고 600분 이하", "제작 국가는 KR 같은 두 글자"]),
        ("en", ["more than 0 and at most 600 minutes", "codes of two letters like KR"]),
    ],
)
def test_likely_mistakes_are_explained_in_the_page_language(
    api: StubApi, language: str, messages: list[str]
):
    wrong = {"runtime": "Input should be less", "countries.0": "String", "countries.1": "String"}
    api.responses["/predict"] = problem(422, "all", **wrong)
    lines = [text.value for text in submit(open_app(language)).text]
    assert len(lines) == 2
    assert all(message in line for message, line in zip(messages, lines, strict=True))


@pytest.mark.parametrize("minutes", [90.5, 900.0, 0.0, -3.0, 100_000.0])
def test_number_is_sent_as_typed(api: StubApi, minutes: float):
    page = open_app()
    page.number_input(key=key_of(page, "runtime")).set_value(minutes)
    assert submit(page).number_input(key="runtime").value == minutes
    assert api.bodies[-1]["runtime"] == minutes


def test_refusal_without_fields_shows_the_detail(api: StubApi):
    api.responses["/predict"] = problem(422, "malformed JSON")
    assert "malformed JSON" in visible_text(submit(open_app()))


@pytest.mark.parametrize(
    "response",
    [(500, b"boom"), (404, {}), (500, []), (502, b""), problem(418, "teapot"), (204, b"")],
    ids=str,
)
def test_unexpected_status_is_reported(api: StubApi, response: tuple[int, object]):
    api.responses["/predict"] = response
    assert "this page cannot read" in error_of(submit(open_app("en")))


@pytest.mark.parametrize("body", [*NO_OBJECT, *ODD_FORECAST], ids=ascii)
def test_unreadable_forecast_is_reported(api: StubApi, body: object):
    api.responses["/predict"] = 200, FORECAST | body if isinstance(body, dict) else body
    assert "응답을 처리할 수 없습니다" in error_of(submit(open_app()))


@pytest.mark.parametrize("body", [*NO_OBJECT, {}], ids=ascii)
def test_unreadable_options_are_reported(api: StubApi, body: object):
    api.responses["/options"] = 200, body
    assert "응답을 처리할 수 없습니다" in error_of(open_app())


@pytest.mark.parametrize("body", [*NO_OBJECT, {}], ids=ascii)
def test_unreadable_description_of_the_model_leaves_the_forecast_visible(
    api: StubApi, body: object
):
    api.responses["/version"] = 200, body
    page = submit(open_app())
    assert "6.8" in visible_text(page)
    assert not page.error


def test_forecast_outside_the_scale_is_drawn_at_its_end(api: StubApi):
    api.responses["/predict"] = 200, FORECAST | {"rating": 12.5, "average": -3}
    page = submit(open_app())
    charts: list[Any] = list(page.get("vega_lite_chart"))
    layers = json.loads(charts[0].proto.spec)["layer"]
    assert layers[-1]["data"]["values"] == [{"at": 10}]


def test_markup_from_the_api_is_escaped(api: StubApi):
    api.responses["/predict"] = 200, FORECAST | {"mood": {"label": "<b>x</b>", "score": 1}}
    assert "&lt;b&gt;x&lt;/b&gt;" in html_of(submit(open_app()))


@pytest.mark.parametrize("fault", [NO_MODEL, (500, b"boom"), problem(422, "no", runtime="no")])
def test_entered_values_survive_every_fault(api: StubApi, fault: tuple[int, object]):
    page = open_app()
    page.number_input(key=key_of(page, "runtime")).set_value(99)
    page.selectbox(key=key_of(page, "language")).set_value("cn")
    page.multiselect(key=key_of(page, "genres")).set_value(["Drama"])
    page.text_area(key=key_of(page, "overview")).set_value(PLOT)
    api.respond_everywhere(fault)
    page = switch_language(submit(page), "en")
    assert page.error
    api.start()
    page = submit(page)
    assert not page.error
    assert api.bodies[-1] == {
        "overview": PLOT, "genres": ["Drama"], "language": "cn", "runtime": 99,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("language", "retry", "drama"), [("ko", "다시 시도", "드라마"), ("en", "Try again", "Drama")]
)
def test_retry_works_once_the_api_is_back(api: StubApi, language: str, retry: str, drama: str):
    api.respond_everywhere(NO_MODEL)
    page = open_app(language)
    api.start()
    page = click(page, retry)
    assert not page.error
    assert drama in page.multiselect(key=key_of(page, "genres")).options
    assert not api.bodies


@pytest.mark.parametrize(
    "plot",
    ["", " \n\t", "*_`$:red[x]{}", "<script>", "\u0000", "가" * 20_000, "🎬", "{rating}"],
    ids=lambda plot: ascii(plot[:20]),
)
def test_no_plot_breaks_the_page(api: StubApi, plot: str):
    page = open_app()
    page.text_area(key=key_of(page, "overview")).set_value(plot)
    assert not submit(page).error
    assert api.bodies[-1].get("overview", "") == plot.strip()[:10_000]
