import pytest
from playwright.sync_api import Page, expect

from tests.support.stub_api import NO_MODEL, READ_IN_KOREAN, UNTRANSLATED, VERSION, StubApi, problem

PLOT = {
    "ko": "등대지기의 딸이 오랜만에 고향 섬으로 돌아와, 가족이 숨겨 온 편지 한 통을 발견한다.",
    "en": "A lighthouse keeper's daughter finds a letter her family kept from her.",
}
RUNTIME = {"ko": "상영 시간(분)", "en": "Running time (min)"}
GENRE = {"ko": "장르(주 장르를 맨 앞에)", "en": "Genres (the main one first)"}
DRAMA = {"ko": "드라마", "en": "Drama"}
TEXT = {"ko": "줄거리", "en": "Plot"}
SUBMIT = {"ko": "평점 예측하기", "en": "Forecast the rating"}

everywhere = pytest.mark.parametrize(
    ("language", "width"), [("ko", 1440), ("ko", 390), ("en", 1440), ("en", 390)]
)


def open_page(page: Page, address: str, language: str, width: int = 1440) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{address}/?lang={language}")
    expect(page.get_by_role("button", name=SUBMIT[language])).to_be_visible()


def fill_in(page: Page, language: str) -> None:
    page.get_by_label(RUNTIME[language], exact=True).fill("112")
    page.get_by_label(TEXT[language], exact=True).fill(PLOT[language])
    page.get_by_label(GENRE[language]).click()
    page.get_by_role("option", name=DRAMA[language]).click()
    page.keyboard.press("Escape")


def submit(page: Page, language: str) -> None:
    page.get_by_role("button", name=SUBMIT[language]).click()


def assert_filled_in(page: Page, language: str, plot: str) -> None:
    expect(page.get_by_label(RUNTIME[language], exact=True)).to_have_value("112")
    expect(page.get_by_test_id("stMultiSelect").first).to_contain_text(DRAMA[language])
    expect(page.get_by_label(TEXT[language], exact=True)).to_have_value(plot)


def assert_fits(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@everywhere
def test_person_gets_a_forecast(
    api: StubApi, address: str, page: Page, language: str, width: int
) -> None:
    open_page(page, address, language, width)
    fill_in(page, language)
    submit(page, language)
    named = {
        "ko": "예상 평점 6.8, 80% 예측 구간 5.9부터 7.7까지, 평균적인 영화 6.4",
        "en": "expected rating 6.8, 80% interval 5.9 to 7.7, average film 6.4",
    }
    expect(page.get_by_label(named[language]).first).to_be_visible()
    expect(page.get_by_text("6.8", exact=True)).to_be_visible()
    mood = {"ko": "긍정적", "en": "Positive"}
    expect(page.get_by_text(mood[language], exact=True)).to_be_visible()
    expect(page.get_by_text(VERSION)).to_be_visible()
    assert api.bodies == [
        {"overview": PLOT[language], "genres": ["Drama"], "language": language, "runtime": 112}
    ]
    assert_fits(page, width)


@everywhere
def test_person_is_told_that_the_api_is_away_and_keeps_what_was_typed(
    api: StubApi, address: str, page: Page, language: str, width: int
) -> None:
    open_page(page, address, language, width)
    fill_in(page, language)
    api.stop()
    submit(page, language)
    said = {"ko": "예측 서비스(API)에 연결할 수 없습니다", "en": "cannot be reached"}
    expect(page.get_by_role("alert")).to_contain_text(said[language])
    assert_filled_in(page, language, PLOT[language])
    assert_fits(page, width)
    api.start()
    submit(page, language)
    expect(page.get_by_text("6.8", exact=True)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert api.bodies[-1]["genres"] == ["Drama"]


@everywhere
def test_person_is_told_that_there_is_no_model_yet(
    api: StubApi, address: str, page: Page, language: str, width: int
) -> None:
    api.respond_everywhere(NO_MODEL)
    open_page(page, address, language, width)
    said = {"ko": "예측 서비스에 아직 모델이 없습니다", "en": "has no model yet"}
    expect(page.get_by_role("alert")).to_contain_text(said[language])
    assert_fits(page, width)
    api.start()
    again = {"ko": "다시 시도", "en": "Try again"}
    page.get_by_role("button", name=again[language]).click()
    expect(page.get_by_role("alert")).to_have_count(0)


@everywhere
def test_person_is_told_that_a_korean_plot_could_not_be_translated(
    api: StubApi, address: str, page: Page, language: str, width: int
) -> None:
    api.responses["/predict"] = 200, UNTRANSLATED
    open_page(page, address, language, width)
    page.get_by_label(TEXT[language], exact=True).fill(PLOT["ko"])
    submit(page, language)
    said = {"ko": "줄거리를 번역하지 못해", "en": "The plot could not be translated"}
    expect(page.get_by_role("alert")).to_contain_text(said[language])
    mood = {"ko": "알 수 없음", "en": "Unknown"}
    expect(page.locator(".mood")).to_have_text(mood[language])
    assert_fits(page, width)


def test_person_is_told_which_field_to_change(api: StubApi, address: str, page: Page) -> None:
    api.responses["/predict"] = problem(422, "all", body="send at least a plot or a genre")
    open_page(page, address, "ko")
    submit(page, "ko")
    expect(page.get_by_text("줄거리나 장르 가운데 하나는 있어야 합니다.")).to_be_visible()


@pytest.mark.usefixtures("api")
def test_switch_of_language_keeps_what_was_typed_and_not_yet_sent(address: str, page: Page) -> None:
    open_page(page, address, "ko")
    fill_in(page, "ko")
    page.get_by_text("English", exact=True).click()
    expect(page.get_by_role("heading", name="Film rating forecast")).to_be_visible()
    assert_filled_in(page, "en", PLOT["ko"])
    expect(page.get_by_role("combobox", name="Film's language")).to_have_value("Korean")
    assert "lang=en" in page.url
    submit(page, "en")
    expect(page.get_by_text("6.8", exact=True)).to_be_visible()
    page.get_by_text("한국어", exact=True).click()
    expect(page.get_by_label("예상 평점 6.8").first).to_be_visible()
    assert_filled_in(page, "ko", PLOT["ko"])


@pytest.mark.usefixtures("api")
def test_document_names_the_language_of_its_texts(address: str, page: Page) -> None:
    for language in ("ko", "en"):
        open_page(page, address, language)
        expect(page.locator("html")).to_have_attribute("lang", language)


@pytest.mark.usefixtures("api")
def test_page_asks_nothing_of_the_outside_world(address: str, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_page(page, address, "ko")
    submit(page, "ko")
    expect(page.get_by_text("6.8", exact=True)).to_be_visible()
    assert asked
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []


@everywhere
@pytest.mark.parametrize(
    ("typed", "meant"), [("900", 900), ("0", 0), ("-3", -3), ("90.5", 90.5), ("1e5", 100_000)]
)
def test_running_time_is_asked_as_typed_and_what_is_wrong_with_it_is_said_in_words(
    api: StubApi,
    address: str,
    page: Page,
    language: str,
    width: int,
    typed: str,
    meant: float,
) -> None:
    open_page(page, address, language, width)
    fill_in(page, language)
    field = page.get_by_label(RUNTIME[language], exact=True)
    field.fill(typed)
    api.responses["/predict"] = problem(422, "all", runtime="Input should be less than 600")
    submit(page, language)
    said = {"ko": "0분보다 길고 600분 이하", "en": "more than 0 and at most 600 minutes"}
    expect(page.get_by_text(said[language])).to_be_visible()
    assert api.bodies[-1]["runtime"] == meant
    assert float(field.input_value()) == meant
    assert "Number is" not in page.inner_text("body")
    assert_fits(page, width)


@everywhere
def test_person_is_told_that_a_plot_was_read_in_korean(
    api: StubApi, address: str, page: Page, language: str, width: int
) -> None:
    api.responses["/predict"] = 200, READ_IN_KOREAN
    open_page(page, address, language, width)
    page.get_by_label(TEXT[language], exact=True).fill(PLOT["ko"])
    submit(page, language)
    said = {"ko": "한국어 줄거리를 그대로 읽었습니다", "en": "Read in Korean"}
    expect(page.get_by_text(said[language])).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert_fits(page, width)
