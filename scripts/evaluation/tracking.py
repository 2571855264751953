"""Log trainings and deployments as runs in Weights & Biases (W&B).

With an API key, runs are sent to W&B; without one, W&B writes them to the data folder.
"""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import wandb

from movierating.settings import PipelineSettings
from scripts.runtime.storage import local_folder

if TYPE_CHECKING:
    from movierating.registry.manifest import Scores
    from scripts.evaluation.report import Report
    from scripts.training.selection import Candidate

logger = logging.getLogger(__name__)

PROJECT: Final = "movie-rating-predictor"
_LOGIN_SECONDS: Final = 20  # a training does not wait longer for W&B to answer


def log_run(  # noqa: PLR0913, PLR0917 - the contents of a run
    settings: PipelineSettings,
    name: str,
    config: Mapping[str, Any],
    metrics: Mapping[str, float],
    group: str | None = None,
    report: "Report | None" = None,
) -> str | None:
    """Log one finished training, tuning trial or deployment as a W&B run.

    Args:
        settings: The settings; without W&B's API key the run is only written to the data folder.
        name: Name of the run.
        config: Parameters and other inputs.
        metrics: Measured values by name.
        group: Name shared by runs that belong together.
        report: A report on the model. Its HTML page is added to the run. With an API key, its
            Markdown text also becomes a W&B Report.

    Returns:
        The path of the W&B run. None if logging failed; the failure is only logged as a warning, so
        that it never stops a training.
    """
    try:
        with _start(settings, name, config, group) as tracked:
            tracked.log(dict(metrics) | ({"report": wandb.Html(report.page)} if report else {}))
    except Exception as error:  # noqa: BLE001 - no W&B error may stop a training
        logger.warning(
            "cannot log run %s in W&B (%s); training continues", name, type(error).__name__
        )
        return None
    if report and not tracked.offline:
        _publish(report, tracked)
    return tracked.path


def candidate_metrics(
    candidate: "Candidate", baselines: "Mapping[str, Scores]"
) -> dict[str, float]:
    """Return the metrics for a candidate's W&B run: its own errors and those of the baselines."""
    return {
        "train_rmse": candidate.train.rmse,
        "test_rmse": candidate.holdout.rmse,
        "rmse_gap": candidate.holdout.rmse - candidate.train.rmse,
        "validation_rmse": candidate.validation_rmse,
        "bias_taken_off": candidate.recent_bias,
        "test_r2": candidate.holdout.r2,
    } | {f"baseline_{name}_rmse": scores.rmse for name, scores in baselines.items()}


def _publish(report: "Report", run: "wandb.Run") -> None:
    """Create a W&B Report about a run that was sent to W&B.

    The login for the run is still valid, so no new login is needed.
    """
    try:
        import wandb_workspaces.reports.v2 as reports

        saved = reports.Report(
            entity=run.entity,
            project=run.project,
            title=report.title,
            description=f"{run.name}: {run.url}",
            blocks=[reports.MarkdownBlock(text=report.text)],
        ).save()
    except Exception as error:  # noqa: BLE001 - as above
        logger.warning(
            "cannot write the report of %s to W&B (%s); training continues",
            run.name,
            type(error).__name__,
        )
    else:
        logger.info("wrote the report to W&B: %s", saved.url)


def _start(
    settings: PipelineSettings, name: str, config: Mapping[str, Any], group: str | None
) -> "wandb.Run":
    key = settings.wandb_api_key
    return wandb.init(
        project=PROJECT,
        name=name,
        group=group,
        config=dict(config),
        dir=local_folder(settings),  # W&B writes to its folder `wandb`
        mode="online" if key else "offline",
        settings=wandb.Settings(
            api_key=key.get_secret_value() if key else None,
            init_timeout=_LOGIN_SECONDS,
            silent=True,
            console="off",
        ),
    )
