from typing import Any

import pytest

from ui.i18n.words import Words
from ui.widgets import fields


@pytest.mark.parametrize(
    ("field", "value", "korean", "english"),
    [
        ("runtime", 112, "112분", "112 min"),
        ("runtime", 90.5, "90.5분", "90.5 min"),
        ("budget", 20_000_000, "20,000,000달러", "20,000,000 US dollars"),
        ("genres", ["Drama", "Puppetry"], "드라마, Puppetry", "Drama, Puppetry"),
        ("countries", ["KR", "US"], "대한민국, 미국", "South Korea, United States"),
        ("language", "ko", "한국어", "Korean"),
        ("directors", ["Ada Novak"], "Ada Novak", "Ada Novak"),
        ("release_date", "2027-05-01", "2027-05-01", "2027-05-01"),
        ("collection", None, "모름", "Unknown"),
    ],
)
def test_fact_is_shown_in_the_language_of_the_page(
    field: str, value: Any, korean: str, english: str
):
    assert fields.shown(Words("ko"), field, value) == korean
    assert fields.shown(Words("en"), field, value) == english
