"""Log trainings and deployments as runs in Weights & Biases (W&B).

With an API key, runs are sent to W&B; without one, or if W&B does not answer, W&B's client writes
them to the data folder. The client runs in a process of its own, which is ended after a time limit.
"""

import logging
import os
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from movierating.proxies import ProxySettingError, proxy_for
from movierating.settings import PipelineSettings
from scripts.evaluation.wandb_process import TrackingError, WandbProcess
from scripts.runtime.storage import local_folder

if TYPE_CHECKING:
    from movierating.registry.manifest import Scores
    from scripts.evaluation.report import Report
    from scripts.training.selection import Candidate

logger = logging.getLogger(__name__)

PROJECT: Final = "movie-rating-predictor"
_LOGIN_SECONDS: Final = 20  # for W&B to answer the first request
_RUN_SECONDS: Final = 60  # for W&B to receive a whole run with its report
_ADDRESS: Final = "https://api.wandb.ai"  # unless WANDB_BASE_URL is set
_OFFLINE_SECONDS: Final = 300  # to write a run to the disk of a busy machine


_failed: set[str] = set()  # the addresses of W&B that did not answer in this process
_processes: list[WandbProcess] = []  # one at most


def log_run(  # noqa: PLR0913, PLR0917 - the contents of a run
    settings: PipelineSettings,
    name: str,
    config: Mapping[str, Any],
    metrics: Mapping[str, float],
    group: str | None = None,
    report: "Report | None" = None,
) -> str | None:
    """Log one finished training, tuning trial or deployment as a W&B run.

    A step calls this when everything else is done, because it may take a minute. A failure is only
    logged as a warning, and the record of the run then stays in the data folder.

    Args:
        settings: The settings; without W&B's API key the run is only written to the data folder.
        name: Name of the run.
        config: Parameters and other inputs.
        metrics: Measured values by name.
        group: Name shared by runs that belong together.
        report: A report on the model. Its HTML page is added to the run. With an API key, its
            Markdown text also becomes a W&B Report.

    Returns:
        The path of the W&B run; None if W&B has not got it, although there is an API key.
    """
    run = {
        "project": PROJECT,
        "id": secrets.token_hex(4),
        "name": name,
        "group": group,
        "config": dict(config),
        "metrics": dict(metrics),
        "title": report.title if report else None,
        "text": report.text if report else None,
        "page": report.page if report else None,
        "folder": str(local_folder(settings)),
        "login_seconds": _LOGIN_SECONDS,
    }
    try:
        if settings.wandb_api_key:
            return _send(run, settings.wandb_api_key.get_secret_value())
        return _logged(run)["path"]
    except Exception as error:  # noqa: BLE001 - no W&B error may stop a training
        why = str(error) if isinstance(error, TrackingError) else type(error).__name__
        logger.warning("cannot log run %s in W&B (%s); training continues", name, why)
        return None


def _send(run: dict[str, Any], key: str) -> str | None:
    """Send a run to W&B; if that fails, write it to the data folder for `wandb sync`.

    A step with several runs waits for a W&B that does not answer only once.
    """
    address, problem = os.environ.get("WANDB_BASE_URL", ""), "it failed before"
    if address not in _failed:
        try:
            sent = _logged(run, key)
        except TrackingError as error:
            problem = f"{error}{_way_to(address)}"
        else:
            _log_report(run["name"], sent)
            return sent["path"]
    _failed.add(address)
    logger.warning("cannot log run %s in W&B (%s); training continues", run["name"], problem)
    _logged(run)
    logger.warning("%s/wandb keeps the run; `wandb sync` can send it", run["folder"])
    return None


def _way_to(address: str) -> str:
    """Return the part of an error message that names the proxy for W&B; empty without a proxy."""
    try:
        proxy = proxy_for(address or _ADDRESS)
    except ProxySettingError as error:
        return f"; {error}"
    return f" through {proxy}; check {proxy.variable} and NO_PROXY" if proxy else ""


def _log_report(name: str, sent: Mapping[str, str | None]) -> None:
    if problem := sent["report_problem"]:
        logger.warning(
            "cannot write the report of %s to W&B (%s); training continues", name, problem
        )
    elif address := sent["report"]:
        logger.info("wrote the report to W&B: %s", address)


def _logged(run: dict[str, Any], key: str | None = None) -> dict[str, str | None]:
    """Log a run, online with a key, in a process that the runs of a step share.

    Raises:
        TrackingError: W&B's client failed, or took too long and was ended.
    """
    if _processes and not _processes[0].is_usable(key):
        _processes.pop().end()
    if not _processes:
        _processes.append(WandbProcess(key))
    seconds = _OFFLINE_SECONDS if key is None else _RUN_SECONDS
    return _processes[0].log(run | {"online": key is not None}, seconds)


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
