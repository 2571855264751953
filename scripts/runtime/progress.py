"""The progress of fetching films: a bar in a terminal, or a line in the log from time to time."""

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
    """A file for tqdm that turns each update into a log line."""

    def write(self, text: str) -> int:
        line = text.strip()
        if line and "?" not in line:  # the first line has no rate yet
            logger.info("%s", line)
        return len(text)


@contextmanager
def progress(total: int, name: str = "") -> "Iterator[tqdm[Any]]":
    """Yield a counter that shows the rate and the remaining time; advance it with `update`."""
    # A bar redraws its line many times a second, which would fill a log.
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
