"""Check whether films or forecast errors have changed since training, and whether to retrain."""

import logging
from datetime import date

from movierating.ledger.records import DriftReport, Retraining
from movierating.registry.reading import RegistryReader
from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.ledger.drift_tests import (
    age_alerts,
    drift_figures,
    films_to_compare,
    input_alerts,
    input_shifts,
    recent_scores,
    residual_alerts,
)
from scripts.ledger.sources import open_ledger, production_source
from scripts.ledger.track_record import write_track_record
from scripts.parameters import DRIFT, DriftLimits
from scripts.runtime.cli import run, step_parser
from scripts.runtime.clock import now, past_or_today, today
from scripts.store.film_store import film_store

logger = logging.getLogger(__name__)


def check(
    run_date: date, settings: PipelineSettings, limits: DriftLimits = DRIFT
) -> DriftReport | None:
    """Check the model in production for drift: do recent films or errors differ from training?

    Recent films are compared with the newest films that the model was trained on. Recent forecast
    errors are compared with the model's errors on the hold-out films. All films are from the source
    of the model's training films. A model that is too old gives an alert, too. The report is
    appended to the ledger. The report's alerts are logged and shown on the page *Track record*. A
    second run with the same result adds nothing.

    Returns:
        The report; None if no model is in production.

    Raises:
        BundleError: The manifest of the model in production cannot be read.
        S3UnavailableError: S3 cannot be used with these settings.
    """
    bucket, min_votes = open_bucket(settings), settings.forecast_min_votes
    registry = RegistryReader(bucket)
    current = registry.production()
    if current is None:
        return None
    manifest = registry.manifest(current.pointer)
    source = manifest.data.source
    ledger = open_ledger(bucket, source)
    training, recent = films_to_compare(
        film_store(settings, source), manifest.split.split_date, run_date, limits
    )
    shifts = input_shifts(training, recent, limits)
    all_scores = ledger.scores()
    scores = recent_scores(all_scores, run_date, min_votes, limits)
    report = DriftReport(
        day=run_date,
        made_at=now(),
        version=manifest.version,
        figures=drift_figures(shifts, scores, recent.num_rows),
        alerts=(
            *input_alerts(shifts, limits),
            *residual_alerts(scores, manifest, limits),
            *age_alerts(manifest, run_date, limits),
        ),
        source=source,
    )
    ledger.append_drift_report(report)
    # Write the track record after the report, because it shows the newest report's alerts.
    write_track_record(ledger, all_scores, run_date, min_votes)
    for alert in report.alerts:
        logger.warning("%s: %s", report.version, alert)
    return report


def claim_retraining(run_date: date, run_id: str, settings: PipelineSettings) -> Retraining | None:
    """Reserve the day's retraining for this run, if the drift report of the run date has alerts.

    The claim is an object in the ledger that only one run per day can create. So the model is
    retrained at most once a day.

    Returns:
        The claim. None if there are no alerts, if the model in production is from a run of this
        date or a later one, or if another run has the claim.
    """
    bucket = open_bucket(settings)
    registry = RegistryReader(bucket)
    ledger, current = open_ledger(bucket, production_source(registry)), registry.production()
    report = ledger.newest_drift_report()
    if report is None or report.day != run_date or not report.alerts:
        return None
    # Another training today would only use the same films again.
    if current and current.pointer.run_date >= run_date:
        logger.info(
            "no retraining: %s was trained on today's films already", current.pointer.version
        )
        return None
    claim = Retraining(day=run_date, run_id=run_id, reason="; ".join(report.alerts))
    return claim if ledger.claim_retraining(claim) else None


def main(argv: list[str] | None = None) -> int:
    """Run the drift check from the command line; return the exit status."""
    arguments = step_parser(__doc__).parse_args(argv)
    return run(lambda: check(past_or_today(arguments.date or today()), pipeline_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
