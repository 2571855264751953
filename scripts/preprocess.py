"""Turn the film store as of a date into films to learn from; say what was dropped and why."""

import csv
import json
import logging
import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

import pandas as pd
import pyarrow as pa
from pandera.errors import SchemaErrors
from pandera.pandas import Check, Column, DataFrameSchema

from movierating.effects import MAX_CAST
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
from scripts.files import DataPath, RunFiles, data_folder, replacing, write_bytes, write_json
from scripts.legacy import encoder_pickles
from scripts.store import film_store

logger = logging.getLogger(__name__)

FEATURE_FILM_MINUTES: Final = (40, 600)  # shorter is a short; longer is a mistake or a series
_OUTCOME: Final = ("id", "revenue", "vote_count", "vote_average")
_NUMBERS: Final = ("budget", "revenue", "runtime", "vote_count", "vote_average")
_TEXTS: Final = (
    "title",
    "original_language",
    "overview",
    "genres",
    "production_companies",
    "production_countries",
    "belongs_to_collection",
    "credits",
    "keywords",
)


class NothingToLearnError(ExplainedError, ValueError):
    """No film of the run can be learned from."""


def preprocess(run_date: date, settings: Settings) -> DataPath:
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
    files.need(files.raw, "collect")
    collected, reasons = 0, Counter[str]()
    parts: list[pd.DataFrame] = []
    films: list[Film] = []
    for table in film_store(settings).labelled(run_date):
        kept, dropped = validate(_frame(table), run_date)
        films += [raw_film(row) for row in kept.to_dict("records")]
        parts.append(kept[list(_OUTCOME)])
        collected, reasons = collected + table.num_rows, reasons + Counter(dropped)
    told = dict(sorted(reasons.items()))
    write_json(files.report, {"collected": collected, "kept": len(films), "dropped": told})
    logger.info(
        "%s films in the store, %s kept, dropped: %s", collected, len(films), told or "none"
    )
    if not films:
        raise NothingToLearnError(f"no film of the store was rated by {run_date}: {told}")
    codes = extended_codes(films, known_codes(settings))
    _write_codes(files, codes)
    return _write_cleaned(files, pd.concat(parts, ignore_index=True), films, codes)


def _frame(films: pa.Table) -> pd.DataFrame:
    """The columns that matter here: ids, numbers and votes as numbers, the rest as text."""
    columns = ["id", "release_date", *_NUMBERS, *_TEXTS]
    frame: pd.DataFrame = films.select(columns).to_pandas(date_as_object=True)
    frame[list(_NUMBERS)] = frame[list(_NUMBERS)].astype(float)
    frame["vote_count"] = frame["vote_count"].fillna(0)
    frame["release_date"] = frame["release_date"].map(lambda day: day.isoformat() if day else "")
    texts = frame[list(_TEXTS)]
    frame[list(_TEXTS)] = texts.astype(object).where(texts.notna(), "")
    return frame


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


def raw_film(row: Mapping[Hashable, Any]) -> Film:
    """What a row of the store tells of a film before release; empty means unknown.

    So does a plot that is not in English: the service too counts it as unknown unless translated.
    """
    overview = row["overview"]
    crew, cast = (_things(row["credits"], part) for part in ("crew", "cast"))
    return Film(
        title=row["title"].strip() or None,
        genres=_names(_things(row["genres"])),
        original_language=row["original_language"] or None,
        countries=_names(_things(row["production_countries"]), "iso_3166_1"),
        runtime_minutes=_positive(row["runtime"]),
        release_date=date.fromisoformat(row["release_date"]),
        budget_usd=_positive(row["budget"]),
        directors=_names(each for each in crew if each.get("job") == "Director"),
        writers=_names(each for each in crew if each.get("department") == "Writing"),
        cast=_names(sorted(cast, key=_billing))[:MAX_CAST],
        companies=_names(_things(row["production_companies"])),
        franchise=next(iter(_names(_things(row["belongs_to_collection"]))), None),
        keywords=_names(_things(row["keywords"], "keywords")),
        plot=measure_plot(overview) if is_latin(overview) else None,
    )


def known_codes(settings: Settings) -> Codes:
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
    files: RunFiles, outcome: pd.DataFrame, films: list[Film], codes: Codes
) -> DataPath:
    described = pd.DataFrame([row_of(film, codes) for film in films])
    cleaned = pd.concat([outcome, described], axis=1)[[*OLD_COLUMNS, *NEW_COLUMNS]]
    with replacing(files.cleaned) as partial:
        # Text goes into quotes: a bare carriage return in a title would else end its row.
        cleaned.sort_values("id").to_csv(
            partial, index=False, encoding="utf-8-sig", quoting=csv.QUOTE_NONNUMERIC
        )
    return files.cleaned


def _positive(value: float) -> float | None:
    return float(value) if value > 0 else None


def _things(text: str, part: str | None = None) -> list[dict[str, Any]]:
    """The objects in JSON text of the store, or in a part of it; what is none is left out."""
    value = json.loads(text) if text else None
    if part is not None:
        value = value.get(part) if isinstance(value, dict) else None
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, dict)]


def _billing(actor: dict[str, Any]) -> float:
    order = actor.get("order")
    return order if isinstance(order, int | float) else math.inf


def _names(things: Iterable[dict[str, Any]], key: str = "name") -> tuple[str, ...]:
    """The names of people, companies and the like, each once, in their order; without margins."""
    names = (str(each.get(key) or "").strip() for each in things)
    return tuple(dict.fromkeys(name for name in names if name))


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
