"""Read the pipeline runs that the W&B client saved offline, with W&B's own program."""

import importlib.util
import json
import subprocess
from pathlib import Path
from typing import Any


def tracked(folder: Path) -> list[dict[str, Any]]:
    """Return the summary of each offline W&B run in a data folder."""
    found = importlib.util.find_spec("wandb")
    assert found
    assert found.origin
    # The command `wandb leet inspect` calls this program, after a second of imports.
    program = Path(found.origin).parent / "bin" / "wandb-core"
    logs = sorted(folder.glob("wandb/offline-run-*/run-*.wandb"))
    command = [str(program), "leet", "inspect", "--no-observability", "--summary", "--json"]
    answers = [
        subprocess.run(
            [*command, "--run-file", str(log), str(log.parents[1])], capture_output=True, check=True
        )
        for log in logs
    ]
    return [json.loads(answer.stdout) for answer in answers]
