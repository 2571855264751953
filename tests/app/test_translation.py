import threading
from collections.abc import Iterator

import pytest

from app.translation import Translator


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """What slow translations wait for."""
    event = threading.Event()
    yield event
    event.set()


def test_translation_is_handed_on():
    assert Translator(30, str.upper).to_english("text") == "TEXT"


@pytest.mark.parametrize("answer", ["", None])
def test_empty_translation_is_none(answer: str):
    assert Translator(30, lambda _: answer).to_english("text") is None


def test_failing_translation_is_none_and_its_text_in_no_log(caplog: pytest.LogCaptureFixture):
    def fail(text: str) -> str:
        raise RuntimeError(f"no translation of {text}")

    assert Translator(30, fail).to_english("a planted plot") is None
    assert "RuntimeError" in caplog.text
    assert "planted" not in caplog.text


def test_slow_translation_is_none(release: threading.Event):
    assert Translator(0.01, lambda text: text * release.wait()).to_english("text") is None


def test_translations_that_hang_do_not_pile_up(release: threading.Event):
    begun: list[str] = []

    def hang(text: str) -> str:
        begun.append(text)
        release.wait()
        return text

    translator = Translator(0.01, hang)
    for number in range(20):
        assert translator.to_english(str(number)) is None
    release.set()
    translator._pool.shutdown(wait=True)
    assert len(begun) <= 4
    translator.close()
