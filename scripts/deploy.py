"""Publish the model that a run trained, and put it into production if it passes the gate.

Publishing stores the model as a version in the registry. The gate is the check that a new model
must pass before it replaces the model in production.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date

from movierating.identity import sha256
from movierating.registry.bundle import Bundle
from movierating.registry.decisions import Decision
from movierating.registry.manifest import MANIFEST_NAME, BundleError, NewerFormatError
from movierating.registry.pointer import Pointer, Production, moment_after
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.dataset.legacy import exports
from scripts.dataset.plot_encoder import local_encoders
from scripts.dataset.split import Sample, TimeSplit
from scripts.dataset.table import read_cleaned
from scripts.evaluation.approval import (
    Approval,
    Candidate,
    find_answer,
    record_answer,
    record_question,
)
from scripts.evaluation.gate import (
    Verdict,
    ends_invented_films,
    judge,
    judge_other_source,
    judge_without_champion,
    refused_by_date,
)
from scripts.evaluation.tracking import log_run
from scripts.ledger.sources import open_ledger, replace_views
from scripts.runtime.cli import run, step_parser
from scripts.runtime.clock import past_or_today, today
from scripts.runtime.provenance import actor
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import DataFileError, data_folder, local_copy

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Deployment:
    """Whether a model version was promoted to production, or would be, and the reason."""

    version: str
    promoted: bool
    reason: str


@dataclass(frozen=True)
class _Published:
    """The run's model version, now stored in the registry, and the version in production."""

    files: RunFiles
    registry: Registry
    bundle: Bundle
    old_model: bytes
    manifest_sha256: str
    current: Production | None

    @property
    def version(self) -> str:
        return self.bundle.manifest.version

    @property
    def candidate(self) -> Candidate:
        return Candidate(self.version, self.manifest_sha256)

    @property
    def in_production(self) -> bool:
        return self.current is not None and self.current.pointer.version == self.version


@dataclass(frozen=True)
class _Decided:
    """A decision; `news` describes it for W&B, unless an earlier call recorded it already."""

    deployment: Deployment
    news: Pointer | None = None


def propose(run_date: date, settings: PipelineSettings) -> Deployment:
    """Publish the run's bundle and return the decision that `deploy` would make.

    The function raises the same errors as `deploy`.
    """
    return _proposal(_publish(run_date, settings))


def ask(run_date: date, settings: PipelineSettings, run_id: str) -> Deployment:
    """Return the decision that a person is asked to approve, and record that the run asks.

    If the gate refuses the version, or if the version is in production already, there is nothing to
    ask, and nothing is recorded. The function raises the same errors as `deploy`.

    Args:
        run_date: Date of the run.
        settings: Settings that name the bucket and the data folder.
        run_id: The Airflow run that asks.
    """
    published = _publish(run_date, settings)
    proposal = _proposal(published)
    if proposal.promoted:
        record_question(published.files, published.candidate, run_id)
    return proposal


def answer(run_date: date, settings: PipelineSettings, run_id: str, approval: Approval) -> None:
    """Record a person's answer to the question that `ask` recorded for the same run.

    Raises:
        DataFileError: The run has not asked, or the data folder cannot be written.
    """
    record_answer(RunFiles(data_folder(settings), run_date), run_id, approval)


def _proposal(published: _Published) -> Deployment:
    if published.in_production:
        return Deployment(published.version, promoted=False, reason="is in production already")
    verdict = _verdict(published)
    return Deployment(published.version, verdict.promote, verdict.reason)


def deploy(run_date: date, settings: PipelineSettings, run_id: str | None = None) -> Deployment:
    """Publish the run's model files (the bundle); put them into production if they pass the gate.

    With PROMOTION_APPROVAL, a person must have approved exactly this version; without a recorded
    answer, the version is not promoted. A second call for the same run changes nothing and records
    no second decision.

    Args:
        run_date: Date of the run.
        settings: Settings that name the bucket and the data folder.
        run_id: The Airflow run in which the person must have been asked; None accepts every run.

    Raises:
        DataFileError: The run has no bundle, or the model was trained on another cleaned file.
        BundleError: The bundle does not match its manifest.
        RegistryConflictError: Another process changed the version in production meanwhile.
        S3UnavailableError: The bucket cannot be used with these settings.
    """
    published = _publish(run_date, settings)
    decided = _decide(published, lambda: _final_verdict(published, settings, run_id))
    deployment = decided.deployment
    logger.info("%s: %s", deployment.version, deployment.reason)
    if deployment.promoted:
        published.registry.export(exports(published.old_model, published.bundle.codes))
        _replace_views_of_other_films(published, settings)
    if decided.news:
        _track(decided.news, deployment, settings)  # last, because it may take a minute or fail
    return deployment


def _replace_views_of_other_films(published: _Published, settings: PipelineSettings) -> None:
    """Empty *Coming soon* and *Track record* if the new model's films have another source."""
    before, source = published.current, published.bundle.manifest.data.source
    if before and published.registry.source(before.pointer.version) != source:
        ledger = open_ledger(open_bucket(settings), source)
        replace_views(ledger, today(), settings.forecast_min_votes)


def _publish(run_date: date, settings: PipelineSettings) -> _Published:
    files = RunFiles(data_folder(settings), run_date)
    stored = files.require(files.bundle / MANIFEST_NAME, "train").read_bytes()
    old_model = files.require(files.legacy_model, "train").read_bytes()
    registry = Registry(open_bucket(settings))
    with local_copy(files.bundle) as folder, local_encoders(files.folder) as encoders:
        bundle = Bundle.load(folder, sha256(stored), encoders, with_twin=True)
        manifest_sha256 = registry.publish(folder, bundle.manifest, encoders)
    return _Published(files, registry, bundle, old_model, manifest_sha256, registry.production())


def _decide(published: _Published, judged: Callable[[], Verdict]) -> _Decided:
    registry, current, version = published.registry, published.current, published.version
    if current and published.in_production:
        # Record the decision again: an earlier run may have been killed before it wrote the record.
        registry.record(current.pointer.decision)
        return _Decided(Deployment(version, promoted=True, reason="is in production already"))
    verdict = judged()
    pointer = Pointer(
        version=version,
        manifest_sha256=published.manifest_sha256,
        previous=current.pointer.version if current else None,
        at=moment_after(current),
        by=actor(),
        reason=verdict.reason,
        run_date=published.bundle.manifest.run_date,
        figures=verdict.figures,
    )
    if verdict.promote:
        registry.promote(pointer, over=current)
    is_new = verdict.promote or registry.refuse(_refusal(pointer))
    deployment = Deployment(version, verdict.promote, verdict.reason)
    return _Decided(deployment, news=pointer if is_new else None)


def _verdict(published: _Published) -> Verdict:
    challenger, current = published.bundle, published.current
    if current is None:
        return judge_without_champion(challenger.manifest, "nothing is in production yet")
    in_production = current.pointer.version
    source = published.registry.source(in_production)
    by_source = judge_other_source(challenger.manifest, in_production, source)
    if by_source and not by_source.promote:
        return by_source
    refused = refused_by_date(challenger.manifest, current.pointer)
    # Neither a date nor a rollback may stop a model of real films from replacing one of invented.
    if refused and not ends_invented_films(challenger.manifest, source):
        return Verdict(promote=False, reason=refused)
    try:
        champion = published.registry.bundle(current.pointer, with_twin=True)
    except NewerFormatError as error:
        return Verdict(
            promote=False, reason=f"{in_production} is newer than this code: {error}; update it"
        )
    except BundleError as error:
        # The API cannot load this champion either, so replacing it loses nothing.
        why = f"{in_production} cannot be compared, because it cannot be loaded"
        return by_source or judge_without_champion(challenger.manifest, f"{why} ({error})")
    return by_source or judge(challenger, champion, _holdout(published))


def _holdout(published: _Published) -> Sample:
    """Read the hold-out films of the run's model from the cleaned file."""
    files, manifest = published.files, published.bundle.manifest
    cleaned = files.require(files.cleaned, "preprocess")
    if sha256(cleaned.read_bytes()) != manifest.data.sha256:
        raise DataFileError(
            f"{cleaned} is not the file that {manifest.version} was trained on; "
            f"run train for {manifest.run_date} again"
        )
    return TimeSplit.by_date(read_cleaned(cleaned), manifest.split.split_date).holdout


def _final_verdict(
    published: _Published, settings: PipelineSettings, run_id: str | None
) -> Verdict:
    """Return the gate's verdict; with PROMOTION_APPROVAL, a person's answer may refuse it."""
    verdict = _verdict(published)
    if not (settings.promotion_approval and verdict.promote):
        return verdict
    found = find_answer(published.files, published.candidate, run_id)
    if isinstance(found, Approval):
        said = "approved" if found.approved else "rejected"
        at = f"{found.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        reason = f"{said} by {found.by}; {verdict.reason}; answered at {at}"
        return replace(verdict, promote=found.approved, reason=reason)
    logger.warning(
        "PROMOTION_APPROVAL is set, so %s needs a person's approval: clear the task "
        "approve_promotion in Airflow and answer it, or run `python -m scripts.registry promote`",
        published.version,
    )
    return replace(verdict, promote=False, reason=f"not approved: {found}; {verdict.reason}")


def _refusal(pointer: Pointer) -> Decision:
    return pointer.decision.model_copy(update={"action": "refused", "production": pointer.previous})


def _track(pointer: Pointer, deployment: Deployment, settings: PipelineSettings) -> None:
    """Log the gate's decision as a W&B run, in the same group as the candidate models."""
    facts = {
        "version": pointer.version,
        "champion": pointer.previous,
        "outcome": "promoted" if deployment.promoted else "refused",
        "reason": pointer.reason,
    }
    name, group = f"gate_{pointer.run_date}", f"train_{pointer.run_date}"
    log_run(settings, name, facts, pointer.figures, group=group)


def main(argv: list[str] | None = None) -> int:
    """Run the step `deploy` from the command line; return the exit status."""
    arguments = step_parser(__doc__).parse_args(argv)
    return run(lambda: deploy(past_or_today(arguments.date or today()), pipeline_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
