"""Inspect the model registry, and promote or roll back versions by hand."""

import argparse
import logging
import sys
from collections.abc import Callable

from movierating.identity import sha256
from movierating.registry.bundle import Bundle
from movierating.registry.manifest import MANIFEST_NAME, BundleError, parse_manifest
from movierating.registry.pointer import MoveError, Pointer
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.dataset.legacy import exports
from scripts.evaluation.registry_tables import decisions_table, version_tables, versions_table
from scripts.runtime.cli import positive, run
from scripts.runtime.provenance import actor
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import data_folder

logger = logging.getLogger(__name__)


def list_versions(registry: Registry, _: argparse.Namespace, __: PipelineSettings) -> None:
    """List the published versions, newest first."""
    sys.stdout.write(versions_table(registry.versions(), _pointer(registry)))


def history(registry: Registry, arguments: argparse.Namespace, _: PipelineSettings) -> None:
    """List the decisions about versions, such as promoted or refused, oldest first."""
    sys.stdout.write(decisions_table(registry.history(arguments.last)))


def show(registry: Registry, arguments: argparse.Namespace, _: PipelineSettings) -> None:
    """Show a version: its origin, its scores, and the decisions about it."""
    version = arguments.version or _in_production(registry)
    manifest = registry.verify(version).manifest
    sys.stdout.write(version_tables(manifest, _pointer(registry), registry.history()))


def verify(registry: Registry, arguments: argparse.Namespace, _: PipelineSettings) -> None:
    """Check a version: compare its checksums, load it as the API does, replay its golden inputs."""
    version = arguments.version or _in_production(registry)
    files = _load(registry, version).manifest.files
    logger.info("%s is intact: %s", version, ", ".join(sorted(files)))


def promote(registry: Registry, arguments: argparse.Namespace, settings: PipelineSettings) -> None:
    """Put a published version into production without the gate's check."""
    bundle = _load(registry, arguments.version)
    pointer = registry.promote_by_hand(arguments.version, actor(), arguments.reason)
    _after_move(registry, pointer, bundle, settings)


def rollback(registry: Registry, arguments: argparse.Namespace, settings: PipelineSettings) -> None:
    """Put an earlier version back into production: by default the previous one."""
    version = arguments.version or registry.previous_version()
    bundle = _load(registry, version)
    pointer = registry.roll_back(version, actor(), arguments.reason)
    _after_move(registry, pointer, bundle, settings)


def prune(registry: Registry, arguments: argparse.Namespace, settings: PipelineSettings) -> None:
    """Delete old versions, except the one in production, the one before it, and the newest ones.

    The number of newest versions to keep is the option `--keep`, or by default KEEP_VERSIONS.
    """
    deleted = registry.prune(arguments.keep or settings.keep_versions)
    logger.info("deleted %s", ", ".join(deleted) or "nothing")


def _load(registry: Registry, version: str) -> Bundle:
    """Load a version as the API does, and check that its name matches its contents.

    Raises:
        UnknownVersionError: There is no such version.
        BundleError: A file was altered, the format is not supported, or a golden input fails.
    """
    try:
        return registry.bundle(registry.verify(version))
    except BundleError as error:
        raise BundleError(f"{version} cannot be used: {error}") from None


def _after_move(
    registry: Registry, pointer: Pointer, bundle: Bundle, settings: PipelineSettings
) -> None:
    logger.info("%s is in production, after %s", pointer.version, pointer.previous)
    files = RunFiles(data_folder(settings), bundle.manifest.run_date)
    if _has_files_of(pointer, files):
        registry.export(exports(files.legacy_model.read_bytes(), bundle.codes))
    else:
        logger.warning(
            "models/latest keeps the five-column model of another version: the files of the run "
            "that trained %s are not in DATA_DIR",
            pointer.version,
        )


def _has_files_of(pointer: Pointer, files: RunFiles) -> bool:
    """Whether a run's files still exist and belong to the version that the pointer names."""
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
        "--last",
        type=positive,
        default=30,
        metavar="N",
        help="show the last N (default: %(default)s)",
    )
    for name, step in (("show", show), ("verify", verify)):
        command(name, step).add_argument("version", nargs="?", help="default: production")
    moves = {"promote": command("promote", promote), "rollback": command("rollback", rollback)}
    moves["promote"].add_argument("version")
    moves["rollback"].add_argument("version", nargs="?", help="default: the previous version")
    for each in moves.values():
        each.add_argument("--reason", required=True, help="recorded with the decision")
    command("prune", prune).add_argument(
        "--keep", type=positive, metavar="N", help="keep the last N (default: KEEP_VERSIONS)"
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command, such as `list`, from the command line; return the exit status."""
    arguments = _parser().parse_args(argv)

    def step() -> None:
        settings = pipeline_settings()
        arguments.step(Registry(open_bucket(settings)), arguments, settings)

    return run(step)


if __name__ == "__main__":
    raise SystemExit(main())
