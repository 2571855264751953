"""Select the films that a model can be trained on, and report how many were dropped, and why."""

import logging
from collections import Counter
from datetime import date
from itertools import repeat
from typing import Any, Final

import pandas as pd

from movierating.errors import ExplainedError
from movierating.films.codes import Codes
from movierating.films.film import Film
from movierating.films.source import describe
from movierating.registry.manifest import BundleError
from movierating.registry.reading import RegistryReader
from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.dataset.cleaning import extended_codes, keep_usable
from scripts.dataset.eligibility import ineligible_rows
from scripts.dataset.legacy import encoder_pickles
from scripts.dataset.plot_vectors import with_plot_vectors
from scripts.dataset.table import read_cleaned, row_of, write_cleaned
from scripts.runtime.cli import run, step_parser
from scripts.runtime.clock import past_or_today, today
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import DataPath, data_folder, write_bytes, write_json
from scripts.store.film_store import film_store
from scripts.store.parsing import korean_plots, parse_film, to_frame

logger = logging.getLogger(__name__)

# The id, and the columns that are not known before the release.
_OUTCOME: Final = ("id", "revenue", "vote_count", "vote_average")


class NothingToLearnError(ExplainedError, ValueError):
    """No film in the store can be used to train a model."""


def preprocess(run_date: date, settings: PipelineSettings) -> DataPath:
    """Write the films that a model can be trained on, with the ratings known on the run date.

    Three more outputs are the tables that give genres and languages their numbers (codes), the
    report of how many films were dropped for which reason, and the vectors of new plots.

    Returns:
        The path of the cleaned file. Its columns are the twelve columns of the old system, then
        `NEW_COLUMNS`.

    Raises:
        DataFileError: The step `collect` has not run for this date, or the folder cannot be
            written.
        StoreCorruptError: A file of the film store is damaged.
        NothingToLearnError: Every film was dropped, for example because the run date is before the
            store's first ratings.
    """
    files = RunFiles(data_folder(settings), run_date)
    files.require(files.collected, "collect")
    source = files.source()
    collected, reasons = 0, Counter[str]()
    outcomes: list[pd.DataFrame] = []
    films: list[Film] = []
    korean: list[str | None] = []
    fame: list[dict[str, Any] | None] = []
    # One table at a time, because the records of all films together would not fit into memory.
    for table in film_store(settings, source).as_of(run_date):
        kept, dropped = keep_usable(to_frame(table), ineligible_rows(table), run_date)
        films += [parse_film(row) for row in kept.to_dict("records")]
        plots = korean_plots(table)
        korean += [plots[at] for at in kept.index]
        entries = table["fame"].to_pylist()
        fame += [entries[at][-1] if entries[at] else None for at in kept.index]
        outcomes.append(kept[list(_OUTCOME)])
        collected, reasons = collected + table.num_rows, reasons + Counter(dropped)
    dropped_for = dict(sorted(reasons.items()))
    # The old cleaned file may have films of another source than the report that is written next.
    files.cleaned.unlink(missing_ok=True)
    write_json(
        files.preprocess_report,
        {"source": source, "collected": collected, "kept": len(films), "dropped": dropped_for},
    )
    logger.info(
        "%s of %s kept, dropped: %s; they are %s",
        len(films),
        collected,
        dropped_for or "none",
        describe(source),
    )
    if not films:
        raise NothingToLearnError(
            f"no film of the store was rated by {run_date}"
            + _remedy(film_store(settings, source).first_rated_on(), run_date, dropped_for)
        )
    codes = extended_codes(films, known_codes(settings))
    _write_codes(files, codes)
    facts = [row_of(*row) for row in zip(films, repeat(codes), korean, fame)]
    write_cleaned(files.cleaned, pd.concat(outcomes, ignore_index=True), facts)
    # The training needs the vectors. Now, because this step has more memory to spare.
    with_plot_vectors(read_cleaned(files.cleaned), files.folder)
    return files.cleaned


def known_codes(settings: PipelineSettings) -> Codes:
    """Read the genre and language codes of the model in production; none if no bucket is set.

    If these codes are damaged, the codes of an earlier model are used: clients have stored codes,
    so the codes must not change, and a run must still be able to replace the damaged model.
    """
    if not settings.s3_bucket_name:
        return Codes()
    registry = RegistryReader(open_bucket(settings))
    try:
        return registry.production_codes()
    except BundleError as error:
        logger.warning("the codes of the model in production cannot be read: %s", error)
        return registry.earlier_codes()


def _remedy(begin: date | None, run_date: date, dropped_for: dict[str, int]) -> str:
    if begin is None or begin <= run_date:
        return f": {dropped_for}"
    return (
        f", because the store's ratings begin on {begin}, and TMDB gives no earlier ones; choose "
        f"{begin} or a later date"
    )


def _write_codes(files: RunFiles, codes: Codes) -> None:
    write_json(files.codes, codes.to_json())
    for name, raw in encoder_pickles(codes).items():
        write_bytes(files.folder / name, raw)


def main(argv: list[str] | None = None) -> int:
    """Run the step `preprocess` from the command line; return the exit status."""
    arguments = step_parser(__doc__).parse_args(argv)
    return run(lambda: preprocess(past_or_today(arguments.date or today()), pipeline_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
