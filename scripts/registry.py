"""Look at the model registry, and move production by hand."""

import argparse
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from tabulate import tabulate

from movierating.identity import sha256
from movierating.registry.bundle import Bundle
from movierating.registry.decisions import Decision
from movierating.registry.manifest import MANIFEST_NAME, BundleError, Manifest, parse_manifest
from movierating.registry.registry import MoveError, Pointer, Registry
from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.dataset.legacy import exports
from scripts.runtime.cli import run
from scripts.runtime.provenance import actor
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import data_folder

logger = logging.getLogger(__name__)

_COLUMN_WIDTH: Final = 60


def list_versions(registry: Registry, _: argparse.Namespace, __: PipelineSettings) -> None:
    """List what was published, the newest first."""
    pointer = _pointer(registry)
    rows = [
        (
            each.version,
            _minute(each.modified),
            f"{each.bytes / 1e6:.2f}",
            _state(each.version, pointer) if each.complete else "incomplete",
        )
        for each in registry.versions()
    ]
    _print(rows, ["version", "published (UTC)", "MB", "state"])


def history(registry: Registry, arguments: argparse.Namespace, _: PipelineSettings) -> None:
    """List what was decided, the oldest first."""
    rows = [(*_line(each), each.by, each.reason) for each in registry.history(arguments.last)]
    _print(rows, ["at (UTC)", "decision", "version", "by", "reason"])


def show(registry: Registry, arguments: argparse.Namespace, _: PipelineSettings) -> None:
    """Show a version: where it comes from, how good it is, and what was decided about it."""
    version = arguments.version or _in_production(registry)
    manifest = registry.verify(version).manifest
    _print(_facts(manifest, _pointer(registry)))
    scores = [*manifest.metrics.items(), *manifest.baselines.items()]
    rows = [(name, each.n, each.rmse, each.mae, each.r2, each.bias) for name, each in scores]
    _print(rows, ["measured", "films", "RMSE", "MAE", "R2", "bias"])
    for each in registry.history():
        if each.version == version:
            _print([(*_line(each)[:2], each.by, each.reason)])
            if each.figures:
                _print(each.figures.items())


def verify(registry: Registry, arguments: argparse.Namespace, _: PipelineSettings) -> None:
    """Hash every file of a version, load it as the service would, replay its golden answers."""
    version = arguments.version or _in_production(registry)
    files = _load(registry, version).manifest.files
    logger.info("%s is whole: %s", version, ", ".join(sorted(files)))


def promote(registry: Registry, arguments: argparse.Namespace, settings: PipelineSettings) -> None:
    """Put a published version into production, without the gate."""
    bundle = _load(registry, arguments.version)
    pointer = registry.promote_by_hand(arguments.version, actor(), arguments.reason)
    _moved(registry, pointer, bundle, settings)


def rollback(registry: Registry, arguments: argparse.Namespace, settings: PipelineSettings) -> None:
    """Put an earlier version back into production: the one before, or the one named."""
    version = arguments.version or registry.previous_version()
    bundle = _load(registry, version)
    pointer = registry.roll_back(version, actor(), arguments.reason)
    _moved(registry, pointer, bundle, settings)


def prune(registry: Registry, arguments: argparse.Namespace, settings: PipelineSettings) -> None:
    """Delete old versions: never production's, the one before it, or the last KEEP_VERSIONS."""
    deleted = registry.prune(arguments.keep or settings.keep_versions)
    logger.info("deleted %s", ", ".join(deleted) or "nothing")


def _load(registry: Registry, version: str) -> Bundle:
    """A version as the service would load it, its name proven.

    Raises:
        UnknownVersionError: It is not there.
        BundleError: It is altered, of another format, or does not do what it says.
    """
    try:
        return registry.bundle(registry.verify(version))
    except BundleError as error:
        raise BundleError(f"{version} cannot be used: {error}") from None


def _moved(
    registry: Registry, pointer: Pointer, bundle: Bundle, settings: PipelineSettings
) -> None:
    logger.info("%s is in production, after %s", pointer.version, pointer.previous)
    files = RunFiles(data_folder(settings), bundle.manifest.run_date)
    if _is_of(files, pointer):
        registry.export(exports(files.legacy_model.read_bytes(), bundle.codes))
    else:
        logger.warning(
            "models/latest keeps the old consumers' model of another version: the files of the run "
            "that made %s are not in DATA_DIR",
            pointer.version,
        )


def _is_of(files: RunFiles, pointer: Pointer) -> bool:
    """Whether the run's files are still there, and those of this very version."""
    stored = files.bundle / MANIFEST_NAME
    if not stored.exists() or not files.legacy_model.exists():
        return False
    raw = stored.read_bytes()
    try:
        return parse_manifest(raw, sha256(raw)).version == pointer.version
    except BundleError:
        return False


def _pointer(registry: Registry) -> Pointer | None:
    current = registry.production()
    return current.pointer if current else None


def _in_production(registry: Registry) -> str:
    pointer = _pointer(registry)
    if pointer is None:
        raise MoveError("nothing is in production yet; name a version")
    return pointer.version


def _state(version: str, pointer: Pointer | None) -> str:
    if pointer is None:
        return ""
    names = {pointer.version: "production", pointer.rolled_back_from: "rolled back from"}
    return names.get(version, "before production" if version == pointer.previous else "")


def _facts(manifest: Manifest, pointer: Pointer | None) -> list[tuple[str, object]]:
    split = manifest.split
    return [
        ("version", manifest.version),
        ("state", _state(manifest.version, pointer)),
        ("family", f"{manifest.model_type}, {len(manifest.features)} features"),
        ("taught by", f"{split.train_films} films before {split.split_date}"),
        ("data", f"{manifest.data.films} films of {manifest.data.source}"),
        ("made", f"{_minute(manifest.created_at)} UTC of {manifest.commit}"),
        ("W&B", manifest.wandb_run or "no run"),
    ]


def _line(decision: Decision) -> tuple[str, str, str]:
    return _minute(decision.at), decision.action.replace("_", " "), decision.version


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _print(rows: Iterable[Sequence[Any]], headers: Sequence[str] = ()) -> None:
    table = [tuple(row) for row in rows]
    if not table:
        sys.stdout.write("none\n\n")
        return
    widths = [_COLUMN_WIDTH] * len(table[0])
    style = "simple" if headers else "plain"
    text = tabulate(table, headers, tablefmt=style, maxcolwidths=widths, floatfmt=".3f")
    sys.stdout.write(f"{text}\n\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, step: Callable[..., None]) -> argparse.ArgumentParser:
        words = (step.__doc__ or "").partition("\n")[0]
        added = commands.add_parser(name, help=words, description=words)
        added.set_defaults(step=step)
        return added

    command("list", list_versions)
    command("history", history).add_argument(
        "--last", type=_positive, default=30, metavar="N", help="so many (default: %(default)s)"
    )
    for name, step in (("show", show), ("verify", verify)):
        command(name, step).add_argument("version", nargs="?", help="default: production")
    moves = {"promote": command("promote", promote), "rollback": command("rollback", rollback)}
    moves["promote"].add_argument("version")
    moves["rollback"].add_argument("version", nargs="?", help="default: the one before")
    for each in moves.values():
        each.add_argument("--reason", required=True, help="goes into the ledger")
    command("prune", prune).add_argument(
        "--keep", type=_positive, metavar="N", help="the last N (default: KEEP_VERSIONS)"
    )
    return parser


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def main(argv: list[str] | None = None) -> int:
    """Serve one command."""
    arguments = _parser().parse_args(argv)

    def step() -> None:
        settings = pipeline_settings()
        arguments.step(Registry(open_bucket(settings)), arguments, settings)

    return run(step)


if __name__ == "__main__":
    raise SystemExit(main())
