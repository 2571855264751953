import pytest

from ui.i18n.choice import choose


@pytest.mark.parametrize(
    ("requested", "remembered", "accepted", "expected"),
    [
        ("en", "ko", "ko", "en"),
        ("tlh", "en", "ko", "en"),
        (None, "tlh", "en-GB,en;q=0.9", "en"),
        (None, None, "fr, ko;q=0.5, en;q=0.8", "en"),
        (None, None, "ko-KR,ko;q=0.9,en-US;q=0.8", "ko"),
        (None, None, "en;q=x, ko;q=0.1", "ko"),
        (None, None, "fr", "ko"),
        (None, None, "", "ko"),
        (None, None, None, "ko"),
    ],
)
def test_language_of_the_page(
    requested: str | None, remembered: str | None, accepted: str | None, expected: str
):
    assert choose(requested, remembered, accepted) == expected
