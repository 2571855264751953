"""Runs in Weights & Biases: online with a key, otherwise offline in the data folder."""

import logging
from collections.abc import Mapping
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Final

import wandb

from movierating.settings import Settings
from scripts.files import data_folder

logger = logging.getLogger(__name__)

PROJECT: Final = "movie-rating-predictor"
_LOGIN_SECONDS: Final = 20


def log_run(
    settings: Settings, name: str, config: Mapping[str, Any], metrics: Mapping[str, float]
) -> str | None:
    """Log one finished training as a run of its own.

    Returns:
        The run's path, or None where tracking failed: it never stops a training.
    """
    try:
        with _start(settings, name, config) as tracked:
            tracked.log(dict(metrics))
            return tracked.path
    except Exception as error:  # noqa: BLE001 - whatever a tracker throws, the model is made
        logger.warning("W&B took no run %s (%s); training goes on", name, type(error).__name__)
        return None


def _start(settings: Settings, name: str, config: Mapping[str, Any]) -> "wandb.Run":
    key = settings.wandb_api_key
    return wandb.init(
        project=PROJECT,
        name=name,
        config=dict(config),
        dir=_folder(settings),  # to which it adds a folder `wandb`
        mode="online" if key else "offline",
        settings=wandb.Settings(
            api_key=key.get_secret_value() if key else None,
            init_timeout=_LOGIN_SECONDS,
            silent=True,
            console="off",
        ),
    )


def _folder(settings: Settings) -> Path:
    """The working folder; where that is in S3, a temporary one: W&B writes to this machine only."""
    folder = data_folder(settings)
    return folder if isinstance(folder, Path) else Path(gettempdir())
