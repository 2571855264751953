import asyncio
import gzip
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from deep_translator import google
from deep_translator.exceptions import RequestError, TranslationNotFound
from hypothesis import given
from hypothesis import strategies as st

from app import translation
from app.outside_calls import MAX_HUNG
from app.translation import Translator, is_english, split
from tests.support.recording_proxy import PASSWORD, recording_proxy, set_proxy
from tests.support.running_async import run_async
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


def translated(translator: Translator, *texts: str) -> list[str | None]:
    """Translate texts one after another, in one event loop."""

    async def translate() -> list[str | None]:
        return [await translator.to_english(text) for text in texts]

    return run_async(translate())


def test_translation_is_returned():
    assert translated(Translator(30, str.upper), "text") == ["TEXT"]


@pytest.mark.parametrize("answer", ["", None])
def test_empty_translation_is_none(answer: str):
    assert translated(Translator(30, lambda _: answer), "text") == [None]


def test_failed_translation_is_none_and_does_not_log_the_text(caplog: pytest.LogCaptureFixture):
    def fail(text: str) -> str:
        raise RuntimeError(f"no translation of {text}")

    assert translated(Translator(30, fail), "a planted plot") == [None]
    assert "RuntimeError" in caplog.text
    assert "planted" not in caplog.text


def test_slow_translation_is_none(release: threading.Event):
    assert translated(Translator(0.01, lambda text: text * release.wait()), "text") == [None]


def test_hanging_translations_do_not_accumulate(release: threading.Event):
    begun: list[str] = []

    def hang(text: str) -> str:
        begun.append(text)
        release.wait()
        return text

    texts = [str(number) for number in range(20)]
    assert translated(Translator(0.001, hang), *texts) == [None] * 20
    assert len(begun) <= 4


def test_calls_that_hang_are_given_up_and_others_take_their_places(
    release: threading.Event, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(translation, "_GRACE_SECONDS", 0)
    monkeypatch.setattr(translation, "_FAILURES_TO_PAUSE", 100)

    def hang_at_first(text: str) -> str:
        if text.isdigit():
            release.wait()
        return text.upper()

    async def translate() -> list[str | None]:
        translator = Translator(0.01, hang_at_first)
        await asyncio.gather(*(translator.to_english(str(number)) for number in range(4)))
        translator._timeout_seconds = 30
        return [await translator.to_english("text")]

    assert run_async(translate()) == ["TEXT"]


def test_too_many_hanging_calls_end_translation_instead_of_filling_memory(
    release: threading.Event, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(translation, "_GRACE_SECONDS", 0)
    monkeypatch.setattr(translation, "_FAILURES_TO_PAUSE", 100)
    begun: list[str] = []

    def hang(text: str) -> str:
        begun.append(text)
        release.wait()
        return text

    async def translate() -> None:
        translator = Translator(0.001, hang)
        for number in range(30):
            await translator.to_english(str(number))
            await asyncio.sleep(0.002)  # until the call is given up

    run_async(translate())
    assert len(begun) <= MAX_HUNG + 4


def test_translation_is_cached():
    asked: list[str] = []
    assert translated(Translator(30, recording(asked)), *["text"] * 3) == ["text"] * 3
    assert asked == ["text"]


def test_failure_is_not_cached():
    answers = iter(["", "english"])
    translator = Translator(30, lambda _: next(answers))
    assert translated(translator, "text", "text") == [None, "english"]


def test_cache_counts_what_it_keeps_of_plots_and_translations(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(translation, "_CACHE_BYTES", 100_000)
    plots = [f"{number:04}" + "줄" * 1_000 for number in range(400)]
    translator = Translator(30, lambda text: f"plot {text[:4]}")
    tracemalloc.start()
    translated(translator, *plots)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 400_000  # the plots have 800 kB


def test_translator_pauses_after_failures_and_tries_again_later(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    def fail(text: str) -> str:
        asked.append(text)
        raise OSError

    translator = Translator(30, fail)
    assert translated(translator, *map(str, range(10))) == [None] * 10
    assert len(asked) == translation._FAILURES_TO_PAUSE
    monkeypatch.setattr("circuitbreaker.monotonic", lambda: 1e12)
    assert translated(translator, "later") == [None]
    assert asked[-1] == "later"


def test_success_between_failures_prevents_a_pause():
    def fail_on_odd(text: str) -> str:
        if int(text) % 2:
            raise OSError
        return "even"

    answers = translated(Translator(30, fail_on_odd), *map(str, range(10)))
    assert answers == ["even", None] * 5


@pytest.mark.parametrize("fault", [ValueError, TranslationNotFound, RequestError, ""])
def test_texts_that_cannot_be_translated_do_not_pause_translation(fault: type[Exception] | str):
    def refuse_odd(text: str) -> str:
        if text.startswith("odd"):
            if isinstance(fault, str):
                return fault
            raise fault
        return text.upper()

    texts = [*(f"odd {number}" for number in range(10)), "plain"]
    assert translated(Translator(30, refuse_odd), *texts) == [*[None] * 10, "PLAIN"]


def test_long_plot_is_translated_in_parts_split_between_sentences():
    sentence = "그는 아주 먼 길을 떠나 섬으로 간다."
    asked: list[str] = []
    translator = Translator(30, recording(asked))
    plot = " ".join([sentence] * 200)
    assert translated(translator, plot) == [plot]
    assert len(asked) > 1
    assert all(part.endswith("간다.") and len(part) <= 1_500 for part in asked)


def test_plot_is_none_if_a_part_fails():
    translator = Translator(30, lambda text: "" if "b" in text else text)
    assert translated(translator, "a" * 1_400 + ". " + "b" * 1_400 + ".") == [None]


def test_parts_fit_into_a_url_whatever_the_characters():
    asked: list[str] = []
    translated(Translator(30, recording(asked)), "𠮷" * 4_000)
    assert max(len(quote(part)) for part in asked) <= 1_500 * len("%EA%B0%80")


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
def test_request_to_google_that_hangs_is_ended_by_its_own_limit(
    drip: bytes, monkeypatch: pytest.MonkeyPatch
):
    with slow_server(HEADERS + b"\r\n" if drip else b"", drip) as url:
        monkeypatch.setitem(google.BASE_URLS, "GOOGLE_TRANSLATE", url)
        with pytest.raises(OSError):  # noqa: PT011 - the type is what counts as an outage
            translation._by_google(0.1)("이야기")


def page(status: str, body: bytes, *headers: str) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers])
    return head.encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("answer", "is_outage"),
    [
        (page("429 Too Many Requests", b""), True),
        (page("503 Service Unavailable", b""), True),
        (page("403 Forbidden", b""), True),
        (page("400 Bad Request", b""), False),
        (page("414 URI Too Long", b""), False),
        (page("200 OK", b"<p>nothing to see</p>"), False),
        (page("200 OK", gzip.compress(b" " * 2_000_000), "Content-Encoding: gzip"), True),
    ],
    ids=["429", "503", "403", "400", "414", "no translation", "too large"],
)
def test_answers_about_the_service_are_told_from_those_about_the_text(
    answer: bytes, is_outage: bool, monkeypatch: pytest.MonkeyPatch
):
    with slow_server(answer) as url:
        monkeypatch.setitem(google.BASE_URLS, "GOOGLE_TRANSLATE", url)
        with pytest.raises(Exception) as raised:  # noqa: PT011 - its type is checked below
            translation._by_google(20)("이야기")
    assert isinstance(raised.value, OSError) is is_outage


def test_page_of_google_is_read(monkeypatch: pytest.MonkeyPatch):
    body = '<div class="result-container">A tale, “told”.</div>'.encode()
    answer = page("200 OK", body, "Content-Type: text/html; charset=UTF-8")
    with slow_server(answer) as url:
        monkeypatch.setitem(google.BASE_URLS, "GOOGLE_TRANSLATE", url)
        assert translated(Translator(20), "이야기") == ["A tale, “told”."]


def test_request_to_google_passes_the_proxy_and_a_refusing_one_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    with recording_proxy() as proxy:
        proxy.refuses = 407
        set_proxy(monkeypatch, "HTTPS_PROXY", proxy.with_password)
        assert translated(Translator(20), "이야기") == [None]
    assert proxy.seen == ["CONNECT translate.google.com:443"]
    assert "the translation failed: the proxy in HTTPS_PROXY" in caplog.text
    assert PASSWORD not in caplog.text
