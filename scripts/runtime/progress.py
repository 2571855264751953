"""Show the progress of fetching films: a bar in a terminal, otherwise a log line every 15 s."""

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

logger = logging.getLogger(__name__)

_LINE: Final = "{desc}{n_fmt} of {total_fmt} films, {rate_fmt}, {remaining} left"
_LINE_EVERY_SECONDS: Final = 15


class _LogLines(io.TextIOBase):
    """The output file given to tqdm (the progress bar library); logs each update as one line."""

    def write(self, text: str) -> int:
        line = text.strip()
        if line and "?" not in line:  # tqdm writes "?" while the rate is unknown
            logger.info("%s", line)
        return len(text)


@contextmanager
def progress(total: int, name: str = "") -> "Iterator[tqdm[Any]]":
    """Yield a counter that shows films per second and the remaining time.

    Args:
        total: How many films will be fetched.
        name: Shown in front of the numbers.

    Yields:
        The counter; call its `update(n)` after every `n` films.
    """
    # The bar is only for a terminal: it redraws its line many times a second and would fill a log.
    if sys.stderr.isatty():
        with (
            logging_redirect_tqdm(),
            tqdm(total=total, desc=name, unit="film") as bar,
        ):
            yield bar
        return
    with tqdm(
        total=total,
        desc=f"{name}: " if name else "",
        unit="film",
        file=_LogLines(),
        bar_format=_LINE,
        mininterval=_LINE_EVERY_SECONDS,
        maxinterval=_LINE_EVERY_SECONDS,
    ) as counter:
        yield counter
