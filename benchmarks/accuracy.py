"""Train a model on films released before a date, and measure its errors on later films.

The errors are compared with those of the naive baselines, such as the mean rating of all films.
"""

import argparse
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from benchmarks.figures import report
from benchmarks.memory import peak_mb
from benchmarks.plots import with_kept_vectors
from movierating.films.codes import Codes
from movierating.films.film import Entity, Film
from movierating.films.text import measure_plot, normalise
from movierating.model.attribution import explain
from movierating.model.onnx_model import Model
from scripts.dataset.cleaning import extended_codes
from scripts.dataset.metrics import score
from scripts.dataset.split import TimeSplit
from scripts.dataset.table import row_of
from scripts.evaluation.diagnostics import Subgroup, subgroup_scores
from scripts.evaluation.narrowing import narrowing
from scripts.parameters import FEATURE_FILM_MINUTES, MODEL_CONFIG
from scripts.training.bundling import export_models
from scripts.training.selection import train_candidates
from scripts.training.vectors import FilmVectors

MANY_FILMS: Final = 100  # in a smaller subgroup, coverage varies too much by chance
EXPLAINED_FILMS: Final = 200
_OUTCOME: Final = ("id", "revenue", "vote_count", "vote_average")
_PARSER: Final = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)


def read_films(paths: Sequence[Path]) -> pd.DataFrame:
    """Read films from parquet files into a data frame with one row per film, the oldest first.

    The data frame has the same columns as the file that the pipeline's `preprocess` step writes.
    Such a data frame is called a cleaned frame. Films without votes, without an overview, or not of
    feature length are left out. If several rows have the same film id, the first row is used.
    """
    outcomes: dict[int, dict[str, Any]] = {}
    films: dict[int, Film] = {}
    for row in _rows(paths):
        if row["id"] not in films and _is_fit(row):
            films[row["id"]] = film_of(row)
            outcomes[row["id"]] = {name: row[name] for name in _OUTCOME}
    return cleaned(outcomes, films)


def cleaned(outcomes: dict[int, dict[str, Any]], films: dict[int, Film]) -> pd.DataFrame:
    """Combine films with their ratings and votes into one data frame, the oldest film first.

    The columns are those of the file that the pipeline's `preprocess` step writes.

    Args:
        outcomes: For each film id, the values known only after the release: `id`, `revenue`,
            `vote_count` and `vote_average`.
        films: For each film id, the facts known before the release.
    """
    codes = extended_codes(list(films.values()), Codes())
    frame = pd.DataFrame(outcomes[film_id] | row_of(film, codes) for film_id, film in films.items())
    return frame.sort_values(["release_date", "id"], ignore_index=True)


def film_of(row: dict[str, Any]) -> Film:
    """Convert a row of a parquet file to a `Film`: the facts that are known before the release."""
    return Film(
        title=_text(row["title"]),
        genres=_names(row["genres"]),
        original_language=_text(row["original_language"]),
        countries=_names(row["production_countries"]),
        runtime_minutes=row["runtime"],
        release_date=_day(row["release_date"]),
        budget_usd=row["budget"] or None,
        directors=_names(row.get("director")) or _entities(row["director_ids"]),
        writers=_entities(row["writer_ids"]),
        cast=_names(row.get("cast")),
        companies=_names(row["production_companies"]),
        franchise=_text(row["belongs_to_collection"]),
        keywords=_names(row.get("keywords")),
        plot=measure_plot(normalise(row["overview"] or "")),
    )


def _rows(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    for path in paths:
        # In batches, because a whole file as Python objects needs much memory.
        for batch in pq.ParquetFile(path).iter_batches(batch_size=1_000):
            yield from batch.to_pylist()


def _is_fit(row: dict[str, Any]) -> bool:
    shortest, longest = FEATURE_FILM_MINUTES
    return (
        bool(_text(row["overview"]))
        and shortest <= (row["runtime"] or 0) <= longest
        and (row["vote_count"] or 0) > 0
        and row["release_date"] is not None
    )


def _text(value: Any) -> str | None:
    return normalise(value) or None if isinstance(value, str) else None


def _names(values: Iterable[Any] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(normalise(str(value)) for value in values or ()))


def _entities(ids: Iterable[int] | None) -> tuple[Entity, ...]:
    """Return the people with these ids; the file does not have their names."""
    return tuple(Entity(number, str(number)) for number in dict.fromkeys(ids or ()))


def _day(value: Any) -> date:
    day: date = pd.Timestamp(value).date()
    return day


def measure(films: pd.DataFrame, split_date: date) -> dict[str, Any]:
    """Train on the films released before the split date, and evaluate on the other films.

    The training is the same as in the pipeline. The other films are called hold-out films.

    Args:
        films: The cleaned films, a data frame with one row per film.
        split_date: Films released on this date or later are hold-out films.

    Returns:
        The measured values by name, such as `rmse`.
    """
    started = time.perf_counter()
    split = TimeSplit.by_date(films, split_date)
    learned = train_candidates(split, MODEL_CONFIG)
    seconds = time.perf_counter() - started
    model, _ = export_models(learned)
    held_out = learned.films.evaluation_films()
    forecast, (low, high) = model.forecast(held_out.full), model.intervals(held_out.full)
    reached = score(held_out.ratings, forecast)
    full, form, masked = (
        round(float(model.covers(view, held_out.ratings).mean()), 4) for view in held_out.views
    )
    return reached.model_dump() | {
        "coverage80": full,
        "form_coverage80": form,
        "masked_coverage80": masked,
        "width80": round(float((high - low).mean()), 4),
        "worst_slice": _worst_subgroup(subgroup_scores(model, held_out, split.holdout)),
        "ratio_to_old_model": round(reached.rmse / learned.baselines["old_model"].rmse, 4),
        "model": learned.best.family,
        "candidates": {each.family: each.holdout.rmse for each in learned.candidates},
        "rehearsed": {each.family: round(each.validation_rmse, 4) for each in learned.candidates},
        "form_rmse": score(held_out.ratings, model.forecast(held_out.form)).rmse,
        # The exported ONNX model must forecast the same as the model that was trained.
        "served_differs": float(
            np.max(np.abs(forecast - learned.best.regressor.predict(held_out.full)))
        ),
        "explain_ms": _explain_ms(model, held_out),
        "narrowing": {
            each.field: (each.beside_form, each.beside_all) for each in narrowing(model, held_out)
        },
        "train_films": len(split.train),
        "train_seconds": round(seconds, 1),
        "baselines": {name: each.rmse for name, each in learned.baselines.items()},
    }


def _worst_subgroup(found: Sequence[Subgroup]) -> str:
    """Find the genre or language with the lowest coverage.

    Coverage is the fraction of the films whose rating lies in the forecast's 80 % interval.

    Only genres and languages with at least `MANY_FILMS` films are considered.

    Returns:
        The name, the coverage and the number of films, such as "Drama: 0.781 of 240".
    """
    large = [
        each for each in found if each.kind in {"genre", "language"} and each.scores.n >= MANY_FILMS
    ]
    worst = min(large, key=lambda each: each.coverage, default=None)
    return f"{worst.name}: {worst.coverage:.3f} of {worst.scores.n}" if worst else "none"


def _explain_ms(model: Model, films: FilmVectors) -> float:
    """Measure the milliseconds needed to compute the reasons for one forecast; return the median.

    A reason is the contribution of a feature group, such as the genre, to the forecast.
    """
    times = []
    for row in films.full[:EXPLAINED_FILMS]:
        started = time.perf_counter()
        explain(model, row[None, :], films.features)
        times.append(time.perf_counter() - started)
    return round(1000 * float(np.median(times)), 3)


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark with the command-line options, and print the measured values."""
    arguments = _PARSER.parse_args(argv)
    films = with_kept_vectors(read_films(arguments.films))
    films = films[films["release_date"] < arguments.until.isoformat()]
    figures = measure(films, arguments.split)
    report(arguments.json, **figures, peak_mb=round(peak_mb(os.getpid()) or 0))
    return 0


_PARSER.add_argument("--films", type=Path, nargs="+", required=True, help="parquet files")
_PARSER.add_argument("--split", type=date.fromisoformat, required=True, help="train before it")
_PARSER.add_argument("--until", type=date.fromisoformat, required=True, help="test before it")
_PARSER.add_argument("--json", type=Path, help="also write the figures to this file")

if __name__ == "__main__":
    raise SystemExit(main())
