"""Format the model registry's versions, decisions and scores as text tables."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from tabulate import tabulate

from movierating.registry.decisions import Decision
from movierating.registry.manifest import Manifest
from movierating.registry.pointer import Pointer
from movierating.registry.versions import StoredVersion

_COLUMN_WIDTH: Final = 60


def versions_table(versions: Iterable[StoredVersion], pointer: Pointer | None) -> str:
    """Format model versions as a table: one row per version, with its size and state.

    The state is, for example, `production` or `incomplete`.

    Args:
        versions: The versions in the registry.
        pointer: Which version is in production; None if there is none.
    """
    rows = [
        (
            each.version,
            _minute(each.modified),
            f"{each.bytes / 1e6:.2f}",
            _state(each.version, pointer) if each.complete else "incomplete",
        )
        for each in versions
    ]
    return _table(rows, ["version", "published (UTC)", "MB", "state"])


def decisions_table(decisions: Iterable[Decision]) -> str:
    """Format decisions about versions as a table: when, what, who decided, and why."""
    rows = [(*_decision_cells(each), each.by, each.reason) for each in decisions]
    return _table(rows, ["at (UTC)", "decision", "version", "by", "reason"])


def version_tables(
    manifest: Manifest, pointer: Pointer | None, decisions: Iterable[Decision]
) -> str:
    """Format one version as tables: its origin, its scores, and each decision about it.

    Args:
        manifest: The manifest of the version.
        pointer: Which version is in production; None if there is none.
        decisions: Decisions about any versions; only those about this version are shown.
    """
    tables = [_table(_origin(manifest, pointer)), _scores_table(manifest)]
    for each in decisions:
        if each.version == manifest.version:
            tables.append(_table([(*_decision_cells(each)[:2], each.by, each.reason)]))
            if each.figures:
                tables.append(_table(each.figures.items()))
    return "".join(tables)


def _origin(manifest: Manifest, pointer: Pointer | None) -> list[tuple[str, object]]:
    split = manifest.split
    return [
        ("version", manifest.version),
        ("state", _state(manifest.version, pointer)),
        ("family", f"{manifest.model_type}, {len(manifest.features)} features"),
        ("measured", f"trained on {split.train_films} films before {split.split_date}"),
        ("served", _refit(manifest)),
        ("data", f"{manifest.data.films} films from {manifest.data.source}"),
        ("created", f"{_minute(manifest.created_at)} UTC by {manifest.commit}"),
        ("BLAS kernel", manifest.kernel or "unknown"),
        ("W&B", manifest.wandb_run or "no run"),
    ]


def _refit(manifest: Manifest) -> str:
    refit = manifest.refit
    if refit is None:
        refused = manifest.refused_refit
        return (
            "the measured model"
            if refused is None
            else (f"the measured model; the refit was {refused:.3f} points from it and was refused")
        )
    return (
        f"trained again on {refit.train_films} films until {refit.until}; forecasts differ by "
        f"{refit.distance:.3f} points from the measured model's"
    )


def _scores_table(manifest: Manifest) -> str:
    scores = [*manifest.metrics.items(), *manifest.baselines.items()]
    rows = [(name, each.n, each.rmse, each.mae, each.r2, each.bias) for name, each in scores]
    return _table(rows, ["measured", "films", "RMSE", "MAE", "R2", "bias"])


def _state(version: str, pointer: Pointer | None) -> str:
    if pointer is None:
        return ""
    names = {pointer.version: "production", pointer.rolled_back_from: "rolled back from"}
    return names.get(version, "before production" if version == pointer.previous else "")


def _decision_cells(decision: Decision) -> tuple[str, str, str]:
    return _minute(decision.at), decision.action.replace("_", " "), decision.version


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _table(rows: Iterable[Sequence[Any]], headers: Sequence[str] = ()) -> str:
    table = [tuple(row) for row in rows]
    if not table:
        return "none\n\n"
    widths = [_COLUMN_WIDTH] * len(table[0])
    style = "simple" if headers else "plain"
    text = tabulate(table, headers, tablefmt=style, maxcolwidths=widths, floatfmt=".3f")
    return f"{text}\n\n"
