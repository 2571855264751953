"""Runs in Weights & Biases: online with a key, otherwise offline in the data folder."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import wandb

from movierating.settings import PipelineSettings
from scripts.runtime.storage import local_folder

if TYPE_CHECKING:
    from scripts.evaluation.report import Report

logger = logging.getLogger(__name__)

PROJECT: Final = "movie-rating-predictor"
_LOGIN_SECONDS: Final = 20


def log_run(  # noqa: PLR0913, PLR0917 - all that W&B is told of a run
    settings: PipelineSettings,
    name: str,
    config: Mapping[str, Any],
    metrics: Mapping[str, float],
    group: str | None = None,
    report: "Report | None" = None,
) -> str | None:
    """Log one finished training as a run of its own.

    Args:
        settings: With or without W&B's key.
        name: Of the run.
        config: What was chosen.
        metrics: What came of it.
        group: Of runs that belong together.
        report: On the model: its page goes into the run, its text beside it as a W&B Report,
            which needs W&B to be online.

    Returns:
        The run's path, or None where tracking failed: it never stops a training.
    """
    try:
        with _start(settings, name, config, group) as tracked:
            tracked.log(dict(metrics) | ({"report": wandb.Html(report.page)} if report else {}))
    except Exception as error:  # noqa: BLE001 - whatever a tracker throws, the model is made
        logger.warning("W&B took no run %s (%s); training goes on", name, type(error).__name__)
        return None
    if report and not tracked.offline:
        _publish(report, tracked)
    return tracked.path


def _publish(report: "Report", run: "wandb.Run") -> None:
    """Write a W&B Report of a run that is online, by the login of that run."""
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
            "W&B took no report of %s (%s); training goes on", run.name, type(error).__name__
        )
    else:
        logger.info("W&B has the report: %s", saved.url)


def _start(
    settings: PipelineSettings, name: str, config: Mapping[str, Any], group: str | None
) -> "wandb.Run":
    key = settings.wandb_api_key
    return wandb.init(
        project=PROJECT,
        name=name,
        group=group,
        config=dict(config),
        dir=local_folder(settings),  # to which it adds a folder `wandb`
        mode="online" if key else "offline",
        settings=wandb.Settings(
            api_key=key.get_secret_value() if key else None,
            init_timeout=_LOGIN_SECONDS,
            silent=True,
            console="off",
        ),
    )
