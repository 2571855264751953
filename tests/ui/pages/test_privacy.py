from typing import Any

import pytest

from tests.support.app_test import open_app, open_page, visible_text
from tests.support.stub_api import OPTIONS, StubApi


@pytest.mark.parametrize(
    ("language", "kept", "off", "google"),
    [
        ("ko", "남는 것은 횟수뿐입니다", "**번역**은 꺼져 있습니다", "Google 번역을 사용할 수"),
        ("en", "except counts", "is switched off here", "only while you have switched this on"),
    ],
)
def test_page_says_what_is_kept_and_whether_plots_are_translated(
    api: StubApi, language: str, kept: str, off: str, google: str
):
    for translation, shown, hidden in (("off", off, google), ("google", google, off)):
        api.responses["/options"] = 200, OPTIONS | {"translation": translation}
        text = visible_text(open_page("privacy", language))
        assert kept in text
        assert shown in text
        assert hidden not in text


def test_page_answers_without_the_api(api: StubApi):
    api.stop()
    assert "does not answer right now" in visible_text(open_page("privacy"))


@pytest.mark.usefixtures("api")
def test_every_page_links_to_it():
    links: list[Any] = list(open_app("en").get("page_link"))
    assert [link.proto.label for link in links] == ["What is kept where"]
