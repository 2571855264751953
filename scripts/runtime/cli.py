"""Shared parts of the steps' command lines: the option `--date`, logging and error messages."""

import argparse
import logging
from collections.abc import Callable
from datetime import date

from movierating.errors import ExplainedError

logger = logging.getLogger(__name__)


def step_parser(doc: str | None) -> argparse.ArgumentParser:
    """Create a step's command-line parser, which has the option `--date`.

    Args:
        doc: The step's module docstring; its first line becomes the help text.
    """
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument(
        "--date",
        type=date.fromisoformat,
        help="the date to run for, YYYY-MM-DD (default: today in PIPELINE_TIMEZONE)",
    )
    return parser


def positive(text: str) -> int:
    """Convert the text of an option to a number that is 1 or more."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def not_negative(text: str) -> int:
    """Convert the text of an option to a number that is 0 or more."""
    if (number := int(text)) < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return number


def run(step: Callable[[], object]) -> int:
    """Run a step as a program, with logging on.

    Returns:
        The exit status: 0 after success; 1 after an error that the user can correct. The message
        of such an error is logged without a traceback.
    """
    # Configured here, not in the steps: when Airflow calls a step, Airflow has configured logging.
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    try:
        step()
    except ExplainedError as error:
        logger.error("%s", error)  # noqa: TRY400 - the message says it all
        return 1
    return 0
