"""The common part of the steps' command lines: the run date, logging and error messages."""

import argparse
import logging
from collections.abc import Callable
from datetime import date

from movierating.errors import ExplainedError

logger = logging.getLogger(__name__)


def step_parser(doc: str | None) -> argparse.ArgumentParser:
    """A parser with the option `--date`; its description is the first line of `doc`."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument(
        "--date",
        type=date.fromisoformat,
        help="the date to run for, YYYY-MM-DD (default: today in PIPELINE_TIMEZONE)",
    )
    return parser


def run(step: Callable[[], object]) -> int:
    """Run a step as a program, with logging on.

    Returns:
        The exit status: 0, or 1 after an error that the user can mend; its message is logged
        without a traceback.
    """
    # Only programs configure logging; under Airflow, the steps use its configuration.
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    try:
        step()
    except ExplainedError as error:
        logger.error("%s", error)  # noqa: TRY400 - the message says it all
        return 1
    return 0
