import io
import zipfile

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.app_test import click, error_of, open_page, run, visible_text
from tests.support.stub_api import NO_MODEL, StubApi

ALL = ("모두 예측하기", "Forecast all")

pytestmark = pytest.mark.usefixtures("api")


def upload(page: AppTest, raw: bytes, name: str = "films.csv") -> AppTest:
    page.file_uploader(key="upload").set_value((name, raw, "application/octet-stream"))
    return run(page)


def workbook() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "raw", "korean", "english"),
    [
        ("films.csv", b"", "영화가 없습니다", "no film"),
        ("films.csv", b"\xff\xfe\x00\x81", "읽을 수 없는", "cannot be read"),
        ("films.csv", b"a,b\n1,2\n", "인식할 수 있는 열", "in this file is known"),
        ("films.csv", b"title\n" + b"x\n" * 201, "200편보다 많습니다", "more than 200"),
        ("films.xlsx", workbook(), "CSV만 읽을 수 있습니다", "Only CSV can be read"),
    ],
    ids=["empty", "binary", "no column", "too many", "workbook"],
)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_unusable_file_is_explained_and_cannot_be_forecast(
    language: str, name: str, raw: bytes, korean: str, english: str
):
    page = upload(open_page("compare", language), raw, name)
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
    page = upload(open_page("compare", language), b"genre\nDrama\nComedy\n")
    api.responses["/predict"] = NO_MODEL
    page = click(page, *ALL)
    assert message in error_of(page)
    assert rest in visible_text(page)
    assert len(api.bodies) == 1


def test_films_of_the_form_can_be_removed():
    films = [{"title": "Two Spoons", "genres": ["Comedy"]}]
    page = click(open_page("compare", compared=films), *ALL)
    assert "1 Two Spoons 6.8 5.9–7.7 Bright" in visible_text(page)
    page = click(page, "Remove all")
    assert "Two Spoons" not in visible_text(page)
    assert page.button(key="compare").disabled
