"""Log W&B runs; `wandb_process` starts this module as a program of its own, which it can end.

W&B's client waits without end for a server that falls silent, in threads and in a second process.
So it must not run inside a step of the pipeline. Each line on standard input names a file with a
run, as JSON. For each the program prints its result as a line of JSON.
"""

import json
import signal
import sys
from pathlib import Path
from typing import Any

import wandb


def log(run: dict[str, Any]) -> dict[str, str | None]:
    """Log a run, and write its report to W&B if W&B is online.

    Args:
        run: The fields that `tracking.log_run` sends.

    Returns:
        The W&B `path` of the run, the web address of the `report`, and its `report_problem`.
    """
    with wandb.init(
        project=run["project"],
        id=run["id"],
        name=run["name"],
        group=run["group"],
        config=run["config"],
        dir=run["folder"],  # W&B writes to its folder `wandb`
        mode="online" if run["online"] else "offline",
        settings=wandb.Settings(init_timeout=run["login_seconds"], silent=True, console="off"),
    ) as tracked:
        page = {"report": wandb.Html(run["page"])} if run["page"] else {}
        tracked.log(run["metrics"] | page)
    result = {"path": tracked.path, "report": None, "report_problem": None}
    if run["page"] and run["online"]:
        result |= _publish(run, tracked)
    return result


def _publish(run: dict[str, Any], tracked: "wandb.Run") -> dict[str, str | None]:
    """Create a W&B Report about a run that was sent to W&B; the run's login is still valid."""
    try:
        import wandb_workspaces.reports.v2 as reports

        # wandb-workspaces does not say which names it exports.
        saved = reports.Report(  # type: ignore[attr-defined]
            entity=tracked.entity,
            project=tracked.project,
            title=run["title"],
            description=f"{tracked.name}: {tracked.url}",
            blocks=[reports.MarkdownBlock(text=run["text"])],  # type: ignore[attr-defined]
        ).save()
    except Exception as error:  # noqa: BLE001 - no W&B error may lose the run, which was sent
        return {"report_problem": type(error).__name__}
    return {"report": saved.url}


def main() -> int:
    """Log the runs whose files are named on standard input; return the exit status."""
    _answer("ready")
    for line in sys.stdin:
        try:
            run = json.loads(Path(line.strip()).read_bytes())
            # The caller ends this program in time. This is for the case that the caller was killed.
            signal.setitimer(signal.ITIMER_REAL, 2 * run["seconds"] + 10)
            result = log(run)
        except Exception as error:  # noqa: BLE001 - the caller only needs its name
            result = {"problem": type(error).__name__}
        signal.setitimer(signal.ITIMER_REAL, 0)
        _answer(result)
    return 0


def _answer(result: Any) -> None:
    sys.stdout.write(f"\n{json.dumps({'wandb_run': result})}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
