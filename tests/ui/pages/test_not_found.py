from typing import Any

import pytest

from tests.support.app_test import open_page


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("language", "title", "compare"),
    [
        ("ko", "이 주소에는 페이지가 없습니다", "여러 편 비교"),
        ("en", "There is no page at this address", "Compare"),
    ],
)
def test_unknown_address_is_explained_and_all_pages_are_linked(
    language: str, title: str, compare: str
):
    page = open_page("not_found", language)
    assert page.title[0].value == title
    links: list[Any] = list(page.get("page_link"))
    assert len(links) == 6  # the footer has one
    assert compare in [link.proto.label for link in links]
