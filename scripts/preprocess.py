"""Turn the film store as of a date into films to learn from; say what was dropped and why."""

import csv
import json
import logging
from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import repeat
from typing import Any, Final

import pandas as pd
from pandera.errors import SchemaErrors
from pandera.pandas import Check, Column, DataFrameSchema

from movierating.errors import ExplainedError
from movierating.films.codes import Codes
from movierating.films.film import Film
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.dataset.legacy import encoder_pickles
from scripts.dataset.table import NEW_COLUMNS, OLD_COLUMNS, row_of
from scripts.parameters import FEATURE_FILM_MINUTES
from scripts.runtime.cli import run, step_parser
from scripts.runtime.clock import past_or_today, today
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import DataPath, atomic_write, data_folder, write_bytes, write_json
from scripts.store.film_store import film_store
from scripts.store.parsing import korean_plots, parse_film, to_frame

logger = logging.getLogger(__name__)

_OUTCOME: Final = ("id", "revenue", "vote_count", "vote_average")


class NothingToLearnError(ExplainedError, ValueError):
    """No film of the run can be learned from."""


def preprocess(run_date: date, settings: PipelineSettings) -> DataPath:
    """Write the run's cleaned films, its code tables and the report of what was dropped.

    Ratings are those that the store knew on the date of the run.

    Returns:
        The cleaned file: the old twelve columns, then `NEW_COLUMNS`.

    Raises:
        DataFileError: Nothing was collected for that date, or the folder cannot be written.
        StoreCorruptError: A file of the store is damaged.
        NothingToLearnError: Every film was dropped.
    """
    files = RunFiles(data_folder(settings), run_date)
    files.require(files.collected, "collect")
    collected, reasons = 0, Counter[str]()
    parts: list[pd.DataFrame] = []
    films: list[Film] = []
    korean: list[str | None] = []
    for table in film_store(settings).as_of(run_date):
        kept, dropped = validate(to_frame(table), run_date)
        films += [parse_film(row) for row in kept.to_dict("records")]
        told = korean_plots(table)
        korean += [told[at] for at in kept.index]
        parts.append(kept[list(_OUTCOME)])
        collected, reasons = collected + table.num_rows, reasons + Counter(dropped)
    dropped_for = dict(sorted(reasons.items()))
    write_json(
        files.preprocess_report,
        {"collected": collected, "kept": len(films), "dropped": dropped_for},
    )
    logger.info(
        "%s films in the store, %s kept, dropped: %s", collected, len(films), dropped_for or "none"
    )
    if not films:
        raise NothingToLearnError(f"no film of the store was rated by {run_date}: {dropped_for}")
    codes = extended_codes(films, known_codes(settings))
    _write_codes(files, codes)
    described = [row_of(*row) for row in zip(films, repeat(codes), korean)]
    return _write_cleaned(files, pd.concat(parts, ignore_index=True), described)


def validate(raw: pd.DataFrame, run_date: date) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows fit to learn from, and how many were dropped for which reason.

    A film dropped for several reasons counts under each.
    """
    try:
        return schema(run_date).validate(raw, lazy=True), {}
    except SchemaErrors as errors:
        failed = errors.failure_cases.dropna(subset="index")
        reasons = Counter(failed.drop_duplicates(["index", "check"])["check"])
        return raw.drop(index=failed["index"].unique()), dict(reasons)


def schema(run_date: date) -> DataFrameSchema:
    """What a film must be to teach: released, rated, feature-length."""
    shortest, longest = FEATURE_FILM_MINUTES
    return DataFrameSchema(
        {
            "release_date": Column(
                object,
                [
                    Check(lambda day: day != "", error="no release date"),
                    Check(lambda day: day <= run_date.isoformat(), error="not released yet"),
                ],
            ),
            "runtime": Column(
                float,
                Check.in_range(shortest, longest, error="no feature film"),
                nullable=True,
            ),
            "vote_count": Column(float, Check.gt(0, error="not rated yet")),
            "genres": Column(
                object,
                Check(_names_genres, element_wise=True, error="broken genres"),
            ),
        }
    )


def known_codes(settings: PipelineSettings) -> Codes:
    """The code tables in production; empty ones without a bucket."""
    if not settings.s3_bucket_name:
        return Codes()
    return Registry(open_bucket(settings)).production_codes()


def extended_codes(films: Sequence[Film], known: Codes) -> Codes:
    """Code tables with what these films add, main genres first."""
    return Codes(
        known.genres.extended(film.main_genre for film in films).extended(
            genre for film in films for genre in film.genres
        ),
        known.languages.extended(film.original_language for film in films),
    )


def _write_codes(files: RunFiles, codes: Codes) -> None:
    write_json(files.codes, codes.to_json())
    for name, raw in encoder_pickles(codes).items():
        write_bytes(files.folder / name, raw)


def _write_cleaned(
    files: RunFiles, outcome: pd.DataFrame, described: list[dict[str, Any]]
) -> DataPath:
    cleaned = pd.concat([outcome, pd.DataFrame(described)], axis=1)[[*OLD_COLUMNS, *NEW_COLUMNS]]
    with atomic_write(files.cleaned) as partial:
        # Text goes into quotes: a bare carriage return in a title would else end its row.
        cleaned.sort_values("id").to_csv(
            partial, index=False, encoding="utf-8-sig", quoting=csv.QUOTE_NONNUMERIC
        )
    return files.cleaned


def _names_genres(text: str) -> bool:
    try:
        return all(isinstance(genre["name"], str) for genre in json.loads(text))
    except (ValueError, TypeError, KeyError):
        return False


def main(argv: list[str] | None = None) -> int:
    """Preprocess from the command line."""
    arguments = step_parser(__doc__).parse_args(argv)
    return run(lambda: preprocess(past_or_today(arguments.date or today()), pipeline_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
