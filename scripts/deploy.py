"""Publish the run's bundle, and move production to it if it earns that."""

import getpass
import logging
import socket
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from movierating.bundle import Bundle
from movierating.manifest import MANIFEST_NAME, Manifest, sha256
from movierating.registry import Decision, Pointer, Production, Registry
from movierating.s3 import open_bucket
from movierating.settings import Settings, get_settings
from scripts.cli import run, step_parser
from scripts.dates import past_or_today, today
from scripts.files import RunFiles, at_hand, data_folder
from scripts.legacy import encoder_pickles

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Deployment:
    """What became of a version."""

    version: str
    promoted: bool
    reason: str


def deploy(run_date: date, settings: Settings) -> Deployment:
    """Publish the run's bundle and, if the gate lets it through, put it into production.

    Running it again moves nothing.

    Raises:
        DataFileError: The run has no bundle.
        BundleError: The bundle does not do what its manifest says.
        RegistryConflictError: Another publisher moved production meanwhile.
        StoreUnavailableError: S3 cannot be used as it is set up.
    """
    files = RunFiles(data_folder(settings), run_date)
    stored = files.need(files.bundle / MANIFEST_NAME, "train").read_bytes()
    old_model = files.need(files.model, "train").read_bytes()
    registry = Registry(open_bucket(settings))
    with at_hand(files.bundle) as folder:
        bundle = Bundle.load(folder, sha256(stored))
        manifest_sha256 = registry.publish(folder, bundle.manifest)
    deployment = _promote_or_refuse(registry, bundle.manifest, manifest_sha256)
    logger.info("%s: %s", deployment.version, deployment.reason)
    if deployment.promoted:
        registry.export({"best_model.pkl": old_model} | encoder_pickles(bundle.codes))
    return deployment


def refusal(challenger: Manifest, current: Production | None) -> str | None:
    """Why a version must not go into production; None when it may."""
    if current and challenger.run_date < current.pointer.run_date:
        return (
            f"its data is of {challenger.run_date}, production's of {current.pointer.run_date}; "
            "production never moves backwards"
        )
    rmse = challenger.metrics["holdout"].rmse
    naive = {name: challenger.baselines[name].rmse for name in ("mean", "recent_mean")}
    unbeaten = [f"{name} ({floor:.3f})" for name, floor in naive.items() if rmse >= floor]
    if unbeaten:
        return f"its held-out RMSE of {rmse:.3f} does not beat {' and '.join(unbeaten)}"
    return None


def _promote_or_refuse(
    registry: Registry, challenger: Manifest, manifest_sha256: str
) -> Deployment:
    current = registry.production()
    if current and current.pointer.version == challenger.version:
        # Once more, since a deployment may have been killed before it came to that.
        registry.record(_decision("promoted", current.pointer, in_production=challenger.version))
        return Deployment(challenger.version, promoted=True, reason="is in production already")
    refused = refusal(challenger, current)
    previous = current.pointer.version if current else None
    pointer = Pointer(
        version=challenger.version,
        manifest_sha256=manifest_sha256,
        previous=previous,
        at=datetime.now(UTC),
        by=f"{getpass.getuser()}@{socket.gethostname()}",
        reason=refused or _beaten(challenger),
        run_date=challenger.run_date,
    )
    if refused:
        registry.record(_decision("refused", pointer, in_production=previous))
    else:
        registry.promote(pointer, over=current)
        registry.record(_decision("promoted", pointer, in_production=challenger.version))
    return Deployment(challenger.version, promoted=refused is None, reason=pointer.reason)


def _decision(
    action: Literal["promoted", "refused"], pointer: Pointer, in_production: str | None
) -> Decision:
    return Decision(
        action=action,
        version=pointer.version,
        production=in_production,
        at=pointer.at,
        by=pointer.by,
        reason=pointer.reason,
    )


def _beaten(challenger: Manifest) -> str:
    floors = ", ".join(f"{name} {each.rmse:.3f}" for name, each in challenger.baselines.items())
    return f"held-out RMSE {challenger.metrics['holdout'].rmse:.3f} (baselines: {floors})"


def main(argv: list[str] | None = None) -> int:
    """Deploy from the command line."""
    arguments = step_parser(__doc__).parse_args(argv)
    return run(lambda: deploy(past_or_today(arguments.date or today()), get_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
