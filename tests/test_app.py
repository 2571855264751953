from collections.abc import Iterator

import pytest

from tests.support.app_test import key_of, open_app, submit, switch_language, visible_text
from tests.support.stub_api import StubApi, running_stub_api


@pytest.fixture(autouse=True)
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubApi]:
    with running_stub_api() as stub:
        monkeypatch.setenv("API_URL", stub.url)
        yield stub


def test_default_language_is_korean():
    page = open_app()
    assert page.title[0].value == "개봉 전 영화 평점 예측"
    assert page.selectbox(key=key_of(page, "language")).value == "ko"
    assert not page.error


def test_language_in_the_address_is_used():
    page = open_app("en")
    assert page.title[0].value == "Film rating forecast"
    assert page.selectbox(key=key_of(page, "language")).value == "en"


def test_unknown_language_in_the_address_means_korean():
    assert open_app("tlh").title[0].value == "개봉 전 영화 평점 예측"


def test_language_switch_changes_texts_address_and_film_language():
    page = switch_language(open_app(), "en")
    assert page.title[0].value == "Film rating forecast"
    assert page.query_params["lang"] == "en"
    assert page.selectbox(key=key_of(page, "language")).value == "en"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_footer_has_the_attribution_that_tmdb_asks_for(language: str):
    notice = "This product uses the TMDB API but is not endorsed or certified by TMDB."
    assert notice in visible_text(open_app(language))


def test_api_key_is_sent_with_every_request_and_never_shown(
    api: StubApi, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("API_KEY", "a-planted-key")
    page = submit(open_app())
    assert set(api.keys) == {"a-planted-key"}
    assert "planted" not in visible_text(page)
    assert not any("planted" in path for path in api.paths)
