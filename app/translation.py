"""Plots in other languages, put into English within a time limit."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError

logger = logging.getLogger(__name__)


class Translator:
    """Translates into English by deep-translator, which knows no time limit of its own."""

    def __init__(
        self, timeout_seconds: float, translate: Callable[[str], str] | None = None
    ) -> None:
        """Use `translate` in place of Google's service, if given."""
        self._timeout_seconds = timeout_seconds
        self._translate = translate or _by_google
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="translate")

    def to_english(self, text: str) -> str | None:
        """The text in English; None when the translation fails or takes too long."""
        translation = self._pool.submit(self._translate, text)
        try:
            return translation.result(self._timeout_seconds) or None
        except FutureTimeoutError:
            translation.cancel()  # if it still stands in the queue
            logger.warning("translation took over %s s", self._timeout_seconds)
        except Exception as error:  # noqa: BLE001 - a scraper of a web page can raise anything
            logger.warning("translation failed: %s", type(error).__name__)
        return None

    def close(self) -> None:
        """Wait for nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _by_google(text: str) -> str:
    from deep_translator import GoogleTranslator

    translated: str = GoogleTranslator(source="auto", target="en").translate(text)
    return translated
