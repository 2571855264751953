"""Turn `movies_{date}.csv` into films to learn from, and say what was dropped and why."""

import csv
import json
import logging
from collections import Counter
from collections.abc import Hashable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from movierating.encoders import Codes
from movierating.errors import ExplainedError
from movierating.film import Film
from movierating.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import Settings, get_settings
from movierating.text import is_latin, measure_plot
from scripts.cleaned import NEW_COLUMNS, OLD_COLUMNS, row_of
from scripts.cli import run, step_parser
from scripts.dates import past_or_today, today
from scripts.files import RunFiles, replacing, write_bytes, write_json
from scripts.legacy import encoder_pickles

logger = logging.getLogger(__name__)

FEATURE_FILM_MINUTES: Final = (40, 600)  # shorter is a short; longer is a mistake or a series


class NothingToLearnError(ExplainedError, ValueError):
    """No film of the run can be learned from."""


def preprocess(run_date: date, settings: Settings) -> Path:
    """Write the run's cleaned films, its code tables and the report of what was dropped.

    Returns:
        The cleaned file: the old twelve columns, then `NEW_COLUMNS`.

    Raises:
        DataFileError: The collected file is missing, or the folder cannot be written.
        NothingToLearnError: Every film was dropped.
    """
    files = RunFiles(settings.data_path, run_date)
    raw = read_raw(files.need(files.raw, "collect"))
    kept, dropped = validate(raw, run_date)
    write_json(files.report, {"collected": len(raw), "kept": len(kept), "dropped": dropped})
    logger.info("%s films collected, %s kept, dropped: %s", len(raw), len(kept), dropped or "none")
    if kept.empty:
        raise NothingToLearnError(f"no film of {files.raw} is fit to learn from: {dropped}")
    films = [raw_film(row) for row in kept.to_dict("records")]
    codes = extended_codes(films, settings)
    _write_codes(files, codes)
    return _write_cleaned(files, kept, films, codes)


def read_raw(path: Path) -> pd.DataFrame:
    """The collected file with its fields as TMDB typed them: numbers, text, JSON text."""
    numbers = ["budget", "revenue", "runtime", "vote_average", "vote_count"]
    frame = pd.read_csv(path, encoding="utf-8-sig", keep_default_na=False, dtype=str)
    frame[numbers] = frame[numbers].apply(pd.to_numeric, errors="coerce")
    return frame


def validate(raw: pd.DataFrame, run_date: date) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows fit to learn from, and how many were dropped for which reason.

    A running time of 0 means unknown and is kept. A film dropped for several reasons counts
    under each.
    """
    try:
        return schema(run_date).validate(raw, lazy=True), {}
    except SchemaErrors as errors:
        failed = errors.failure_cases.dropna(subset="index")
        reasons = Counter(failed.drop_duplicates(["index", "check"])["check"])
        return raw.drop(index=failed["index"].unique()), dict(sorted(reasons.items()))


def schema(run_date: date) -> pa.DataFrameSchema:
    """What a film must be to teach: released, rated, feature-length, once in the file."""
    shortest, longest = FEATURE_FILM_MINUTES
    rated = pa.Check.gt(0, error="not rated yet")
    return pa.DataFrameSchema(
        {
            "id": pa.Column(
                str,
                [
                    pa.Check.str_matches(r"^\d+$", error="no id"),
                    pa.Check(lambda ids: ~ids.duplicated(), error="listed twice"),
                ],
            ),
            "release_date": pa.Column(
                str,
                [
                    pa.Check(_is_date, element_wise=True, error="no release date"),
                    pa.Check(lambda day: day <= run_date.isoformat(), error="not released yet"),
                ],
            ),
            "runtime": pa.Column(
                float,
                pa.Check(
                    lambda minutes: (minutes == 0) | minutes.between(shortest, longest),
                    error="no feature film",
                ),
                nullable=True,
                coerce=True,
            ),
            "vote_count": pa.Column(float, rated, coerce=True, nullable=True),
            "vote_average": pa.Column(
                float, pa.Check.in_range(0.5, 10, error="rating out of range"), coerce=True
            ),
            "genres": pa.Column(
                str, pa.Check(_names_genres, element_wise=True, error="broken genres")
            ),
        }
    )


def raw_film(row: Mapping[Hashable, Any]) -> Film:
    """What a collected row tells of a film before release; 0 and empty mean unknown.

    So does a plot that is not in English: the service too counts it as unknown unless translated.
    """
    overview = row["overview"]
    return Film(
        genres=tuple(genre["name"] for genre in json.loads(row["genres"])),
        original_language=row["original_language"] or None,
        runtime_minutes=_positive(row["runtime"]),
        release_date=date.fromisoformat(row["release_date"]),
        budget_usd=_positive(row["budget"]),
        plot=measure_plot(overview) if is_latin(overview) else None,
    )


def extended_codes(films: list[Film], settings: Settings) -> Codes:
    """The code tables in production, with what these films add; new ones without a bucket."""
    known = Codes()
    if settings.s3_bucket_name:
        known = Registry(open_bucket(settings)).production_codes()
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


def _write_cleaned(files: RunFiles, kept: pd.DataFrame, films: list[Film], codes: Codes) -> Path:
    described = pd.DataFrame([row_of(film, codes) for film in films], index=kept.index)
    outcome = kept[["id", "title", "revenue", "vote_count", "vote_average"]]
    cleaned = pd.concat([outcome, described], axis=1)[[*OLD_COLUMNS, *NEW_COLUMNS]]
    cleaned["revenue"] = cleaned["revenue"].where(cleaned["revenue"] > 0)
    with replacing(files.cleaned) as partial:
        # Text goes into quotes: a bare carriage return in a title would else end its row.
        cleaned.to_csv(partial, index=False, encoding="utf-8-sig", quoting=csv.QUOTE_NONNUMERIC)
    return files.cleaned


def _positive(value: float) -> float | None:
    return float(value) if value > 0 else None


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _names_genres(text: str) -> bool:
    try:
        return all(isinstance(genre["name"], str) for genre in json.loads(text))
    except (ValueError, TypeError, KeyError):
        return False


def main(argv: list[str] | None = None) -> int:
    """Preprocess from the command line."""
    arguments = step_parser(__doc__).parse_args(argv)
    return run(lambda: preprocess(past_or_today(arguments.date or today()), get_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
