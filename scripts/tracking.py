"""Runs in Weights & Biases: online with a key, otherwise offline in the data folder."""

import logging
from collections.abc import Mapping
from typing import Any, Final

import wandb

from movierating.settings import Settings
from scripts.files import local_folder

logger = logging.getLogger(__name__)

PROJECT: Final = "movie-rating-predictor"
_LOGIN_SECONDS: Final = 20


def log_run(  # noqa: PLR0913, PLR0917 - all that W&B is told of a run
    settings: Settings,
    name: str,
    config: Mapping[str, Any],
    metrics: Mapping[str, float],
    group: str | None = None,
    page: str | None = None,
) -> str | None:
    """Log one finished training as a run of its own.

    Args:
        settings: With or without W&B's key.
        name: Of the run.
        config: What was chosen.
        metrics: What came of it.
        group: Of runs that belong together.
        page: A report in HTML.

    Returns:
        The run's path, or None where tracking failed: it never stops a training.
    """
    try:
        with _start(settings, name, config, group) as tracked:
            tracked.log(dict(metrics) | ({"report": wandb.Html(page)} if page else {}))
            return tracked.path
    except Exception as error:  # noqa: BLE001 - whatever a tracker throws, the model is made
        logger.warning("W&B took no run %s (%s); training goes on", name, type(error).__name__)
        return None


def _start(
    settings: Settings, name: str, config: Mapping[str, Any], group: str | None
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
