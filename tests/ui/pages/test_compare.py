import io

import openpyxl
import pytest
from streamlit.testing.v1 import AppTest

from tests.support.app_test import chart_texts, click, error_of, open_page, run, visible_text
from tests.support.stub_api import FILMS, FORECAST, LISTED_FILM, NO_MODEL, StubApi, problem

ALL = ("모두 예측하기", "Forecast all")
LETTERBOXD = "Date,Name,Year,Letterboxd URI\n2026-01-01,The Harbour,2026,https://boxd.it/x\n"

pytestmark = pytest.mark.usefixtures("api")


def upload(page: AppTest, raw: bytes | str, name: str = "films.csv") -> AppTest:
    content = raw.encode() if isinstance(raw, str) else raw
    page.file_uploader(key="upload").set_value((name, content, "application/octet-stream"))
    return run(page)


def workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Line-up"
    for row in (["영화명", "장르", "배급사"], ["등불", "드라마", "달"]):
        sheet.append(row)
    book.create_sheet("Notes")
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("raw", "korean", "english"),
    [
        (b"", "영화가 없습니다", "no film"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "표로 읽을 수 없는", "cannot be read as a table"),
        (b"a,b\n1,2\n", "찾은 열: a, b.", "Found: a, b."),
        ("title,제목,genre\n1,2,3\n".encode(), "‘title’, ‘제목’", "“title” and “제목”"),
        (b"title\n" + b"x\n" * 1001, "1000편보다 많습니다", "more than 1000"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "예전 엑셀", "old Excel"),
        (
            "title,genre\nŻółw,Drama\n".encode("cp1250"),
            "인코딩이 분명하지 않아",
            "encoding of this",
        ),
    ],
    ids=["empty", "binary", "no column", "two columns", "too many", "old Excel", "encoding"],
)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_unusable_file_is_explained_and_cannot_be_forecast(
    language: str, raw: bytes, korean: str, english: str
):
    page = upload(open_page("compare", language), raw)
    assert {"ko": korean, "en": english}[language] in error_of(page)
    assert page.button(key="compare").disabled


@pytest.mark.parametrize(
    ("language", "message", "rest"),
    [
        ("ko", "아직 모델이 없습니다", "예측하지 않았습니다"),
        ("en", "has no model yet", "Not forecast"),
    ],
)
def test_fault_that_concerns_all_films_stops_the_comparison(
    api: StubApi, language: str, message: str, rest: str
):
    page = upload(open_page("compare", language), b"genre\n" + b"Drama\n" * 60)
    api.responses["/predict"] = NO_MODEL
    page = click(page, *ALL)
    assert message in error_of(page)
    assert rest in visible_text(page)
    assert len(api.bodies) == 25


def test_films_of_the_form_can_be_removed():
    films = [{"title": "Two Spoons", "genres": ["Comedy"]}]
    page = click(open_page("compare", compared=films), *ALL)
    assert "1 Two Spoons 6.8 5.9–7.7 Bright" in visible_text(page)
    page = click(page, "Remove all")
    assert "Two Spoons" not in visible_text(page)
    assert page.button(key="compare").disabled


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        (
            "ko",
            [
                "1편을 불러왔고, 오류가 있는 1행은 제외했습니다.",
                "CP949 (EUC-KR) 인코딩, 세미콜론 구분",
                "영화명 제목 등불",
                "배급사 사용 안 함: 모델은 배급사가 아니라 제작사를 봅니다 달",
                "메모 사용 안 함: 인식할 수 없는 열 제목",
                "3 바다 러닝타임 칸에는 125, 125분",
            ],
        ),
        (
            "en",
            [
                "1 film read, 1 row skipped.",
                "Text file in CP949 (EUC-KR), separated by semicolons.",
                "영화명 title 등불",
                "배급사 not used: the model knows production companies",
                "메모 not used: the heading is not known",
                "3 바다 running time must be a number of minutes",
            ],
        ),
    ],
)
def test_preview_says_how_the_file_is_read(api: StubApi, language: str, texts: list[str]):
    text = (
        "영화명;장르;배급사;메모;상영 시간\n등불;드라마;달;좋다;112\n바다;공포;별;나쁘다;두 시간\n"
    )
    page = upload(open_page("compare", language), text.encode("cp949"))
    shown = visible_text(page)
    for each in texts:
        assert each in shown
    assert api.bodies == []


def test_workbook_is_read_and_names_its_sheet(api: StubApi):
    page = click(upload(open_page("compare"), workbook(), "films.xlsx"), *ALL)
    shown = visible_text(page)
    assert "Excel workbook, sheet “Line-up”." in shown
    assert "Other sheets, which are not read: Notes." in shown
    assert api.bodies == [{"title": "등불", "genres": ["Drama"]}]


def test_order_of_dates_is_asked_before_it_is_used(api: StubApi):
    page = upload(open_page("compare"), "genre,release date\nDrama,03/04/2026\n")
    assert "release date could mean two days" in visible_text(page)
    (question,) = [radio for radio in page.radio if "two days" in radio.label]
    question.set_value("day")
    page = click(run(page), *ALL)
    assert api.bodies == [{"genres": ["Drama"], "release_date": "2026-04-03"}]
    assert [radio.value for radio in page.radio if "two days" in radio.label] == ["day"]


def test_won_are_converted_with_the_rate_of_the_visitor(api: StubApi):
    page = upload(open_page("compare"), "장르,제작비\n드라마,50\n")
    (unit,) = [radio for radio in page.radio if "budget column" in radio.label]
    unit.set_value("hundred_million_won")
    page = run(page)
    assert "not used without an exchange rate" in visible_text(click(page, *ALL))
    page.number_input[0].set_value(1250.0)
    page = click(run(page), *ALL)
    assert api.bodies[-1]["budget"] == 4_000_000
    assert "are 4,000,000 US dollars at 1,250 won per dollar" in visible_text(page)


def test_films_are_numbered_once_and_can_be_sorted():
    files = "title,genre\nB,Drama\nA,War\n,\nC,\n"
    page = upload(open_page("compare", compared=[{"title": "Z", "genres": ["War"]}]), files)
    page = click(page, *ALL)
    shown = visible_text(page)
    for each in ("1 Z 6.8", "2 B 6.8", "3 A 6.8", "4 C A plot or a genre is needed."):
        assert each in shown
    assert chart_texts(page) == ["1. Z 6.8, 2. B 6.8, and 3. A 6.8"]
    page.selectbox(key="compare_order").set_value("title")
    assert chart_texts(run(page)) == ["3. A 6.8, 2. B 6.8, and 1. Z 6.8"]


def test_results_carry_the_warnings(api: StubApi):
    warnings = [{"field": "runtime", "message": "unusual"}]
    api.responses["/predict"] = 200, FORECAST | {"warnings": warnings}
    page = click(upload(open_page("compare"), "genre,runtime\nDrama,500\n"), *ALL)
    assert "Unusual, so the forecast is less certain: running time." in visible_text(page)


def test_results_of_other_films_are_not_shown():
    page = click(upload(open_page("compare"), "title,genre\nA,Drama\n"), *ALL)
    assert "1 A 6.8" in visible_text(page)
    page = upload(page, "title,genre\nB,Drama\n")
    assert "6.8" not in visible_text(page)


def test_more_films_than_the_chart_has_room_for_are_said():
    page = click(upload(open_page("compare"), "genre\n" + "Drama\n" * 45), *ALL)
    assert "The chart shows the first 40 films of 45 films." in visible_text(page)


def test_listed_film_gets_the_facts_of_the_catalogue(api: StubApi):
    page = upload(open_page("compare"), LETTERBOXD)
    assert "This file lists films." in visible_text(page)
    page = click(page, *ALL)
    assert api.bodies[0]["overview"] == "A pilot returns to the harbour."
    assert api.bodies[0]["title"] == "The Harbour"
    assert "Facts added from the film catalogue: The *Harbour* (2026, TMDB 7)." in visible_text(
        page
    )


def test_film_with_an_id_is_found_by_it(api: StubApi):
    click(upload(open_page("compare"), "tmdbID,Title\n7,the harbour\n"), *ALL)
    assert "/films/7" in api.paths
    assert not any(path.startswith("/films?") for path in api.paths)
    assert api.bodies[0]["genres"] == ["Drama"]


@pytest.mark.parametrize(
    ("text", "films", "message"),
    [
        (
            LETTERBOXD.replace("2026,https", "1999,https"),
            [LISTED_FILM],
            "Several films may be meant",
        ),
        (
            LETTERBOXD,
            [LISTED_FILM, LISTED_FILM | {"id": 8}],
            "(2026, TMDB 7); The *Harbour* (2026, TMDB 8)",
        ),
        (LETTERBOXD, [], "has no film with this title and year"),
        ("tmdbID,Title\n7,Another Film\n", [], "TMDB id 7 is another film: The *Harbour* (2026"),
    ],
    ids=["other year", "two films", "no film", "other title"],
)
def test_film_that_is_not_certain_is_not_guessed(
    api: StubApi, text: str, films: list[dict[str, object]], message: str
):
    api.responses["/films"] = 200, FILMS | {"films": films}
    page = click(upload(open_page("compare"), text), *ALL)
    assert message in visible_text(page)
    assert api.bodies == []


def test_unknown_id_is_explained(api: StubApi):
    api.responses["/films/9"] = problem(404, "no film 9")
    page = click(upload(open_page("compare"), "tmdbID,Title,genre\n9,A,\n9,B,War\n"), *ALL)
    assert "has no film with the TMDB id 9" in visible_text(page)
    assert [body["title"] for body in api.bodies] == ["B"]


def test_missing_catalogue_leaves_films_with_own_facts(api: StubApi):
    api.responses["/films/7"] = api.responses["/films"] = problem(503, "no catalogue yet")
    page = click(upload(open_page("compare"), "tmdbID,Title,genre\n7,A,\n7,B,War\n"), *ALL)
    assert "The film catalogue cannot be read right now." in visible_text(page)
    assert [body["title"] for body in api.bodies] == ["B"]
