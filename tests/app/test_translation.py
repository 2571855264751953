import threading
from collections.abc import Callable, Iterator

import pytest
from deep_translator import google
from hypothesis import given
from hypothesis import strategies as st

from app import translation
from app.translation import Translator, is_english, split
from tests.support.recording_proxy import PASSWORD, recording_proxy, set_proxy
from tests.support.slow_server import HEADERS, slow_server


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Yield an event that slow translations wait for; it is set at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


def recording(asked: list[str]) -> Callable[[str], str]:
    """Return a translation function that adds each text to `asked` and returns it unchanged."""

    def translate(text: str) -> str:
        asked.append(text)
        return text

    return translate


def test_translation_is_returned():
    assert Translator(30, str.upper).to_english("text") == "TEXT"


@pytest.mark.parametrize("answer", ["", None])
def test_empty_translation_is_none(answer: str):
    assert Translator(30, lambda _: answer).to_english("text") is None


def test_failed_translation_is_none_and_does_not_log_the_text(caplog: pytest.LogCaptureFixture):
    def fail(text: str) -> str:
        raise RuntimeError(f"no translation of {text}")

    assert Translator(30, fail).to_english("a planted plot") is None
    assert "RuntimeError" in caplog.text
    assert "planted" not in caplog.text


def test_slow_translation_is_none(release: threading.Event):
    assert Translator(0.01, lambda text: text * release.wait()).to_english("text") is None


def test_hanging_translations_do_not_accumulate(release: threading.Event):
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


def test_translation_is_cached():
    asked: list[str] = []
    translator = Translator(30, recording(asked))
    assert [translator.to_english("text") for _ in range(3)] == ["text"] * 3
    assert asked == ["text"]


def test_failure_is_not_cached():
    answers = iter(["", "english"])
    translator = Translator(30, lambda _: next(answers))
    assert [translator.to_english("text"), translator.to_english("text")] == [None, "english"]


def test_translator_pauses_after_failures_and_tries_again_later(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    def fail(text: str) -> str:
        asked.append(text)
        raise OSError

    translator = Translator(30, fail)
    for number in range(10):
        assert translator.to_english(str(number)) is None
    assert len(asked) == translation._FAILURES_TO_PAUSE
    monkeypatch.setattr("circuitbreaker.monotonic", lambda: 1e12)
    assert translator.to_english("later") is None
    assert asked[-1] == "later"


def test_success_between_failures_prevents_a_pause():
    def fail_on_odd(text: str) -> str:
        return {"0": "even"}[str(int(text) % 2)]

    translator = Translator(30, fail_on_odd)
    answers = [translator.to_english(str(number)) for number in range(10)]
    assert answers == ["even", None] * 5


def test_long_plot_is_translated_in_parts_split_between_sentences():
    sentence = "그는 아주 먼 길을 떠나 섬으로 간다."
    asked: list[str] = []
    translator = Translator(30, recording(asked))
    assert translator.to_english(" ".join([sentence] * 200)) == " ".join([sentence] * 200)
    assert len(asked) > 1
    assert all(part.endswith("간다.") and len(part) <= 1_500 for part in asked)


def test_plot_is_none_if_a_part_fails():
    translator = Translator(30, lambda text: "" if "b" in text else text)
    assert translator.to_english("a" * 1_400 + ". " + "b" * 1_400 + ".") is None


@given(st.text(max_size=300), st.integers(2, 40))
def test_parts_are_short_and_lose_only_whitespace(text: str, most: int):
    parts = list(split(text, most))
    assert all(0 < len(part) <= most for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("A lighthouse keeper's daughter finds a letter her family kept from her.", True),
        ("Bo-ra, a chef in Busan, meets Min-su.", True),
        ("Robots", True),
        ("Una joven regresa a la isla donde creció y encuentra una carta de su familia.", False),
        ("Un gardien de phare découvre une lettre que sa famille lui a cachée.", False),
        ("등대지기의 딸이 섬으로 돌아와 편지 한 통을 발견한다.", False),
        ("灯台守の娘が島に戻り、一通の手紙を見つける。", False),
        ("Line one of a story\nthat goes on.", True),
    ],
)
def test_english_is_detected_offline(text: str, english: bool):
    assert is_english(text) is english


@pytest.mark.parametrize("drip", [b"", b"x"], ids=["silent", "slow"])
def test_request_to_google_that_hangs_is_ended_and_its_thread_is_free_again(
    drip: bytes, monkeypatch: pytest.MonkeyPatch
):
    translator = Translator(0.1)
    with slow_server(HEADERS + b"\r\n" if drip else b"", drip) as url:
        monkeypatch.setitem(google.BASE_URLS, "GOOGLE_TRANSLATE", url)
        assert translator.to_english("이야기") is None
        translator._pool.shutdown(wait=True)  # returns when the thread has ended


def test_request_to_google_passes_the_proxy_and_a_refusing_one_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    with recording_proxy() as proxy:
        proxy.refuses = 407
        set_proxy(monkeypatch, "HTTPS_PROXY", proxy.with_password)
        assert Translator(20).to_english("이야기") is None
    assert proxy.seen == ["CONNECT translate.google.com:443"]
    assert "the translation failed: the proxy in HTTPS_PROXY" in caplog.text
    assert PASSWORD not in caplog.text
