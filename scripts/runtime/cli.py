"""What the command lines of the steps share: the date, logging once, errors in one sentence."""

import argparse
import logging
from collections.abc import Callable
from datetime import date

from movierating.errors import ExplainedError

logger = logging.getLogger(__name__)


def step_parser(doc: str | None) -> argparse.ArgumentParser:
    """A parser with the date every step runs for."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument(
        "--date",
        type=date.fromisoformat,
        help="the date to run for, YYYY-MM-DD (default: today in PIPELINE_TIMEZONE)",
    )
    return parser


def run(step: Callable[[], object]) -> int:
    """Run a step as a program.

    Returns:
        0, or 1 after one sentence that says what to change.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    try:
        step()
    except ExplainedError as error:
        logger.error("%s", error)  # noqa: TRY400 - the sentence is the message
        return 1
    return 0
