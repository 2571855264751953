"""Read the pipeline runs that the W&B client saved offline, with W&B's own program."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def tracked(folder: Path) -> list[dict[str, Any]]:
    """Return the summary of each offline W&B run in a data folder."""
    program = str(Path(sys.executable).with_name("wandb"))
    logs = sorted(folder.glob("wandb/offline-run-*/run-*.wandb"))
    command = [program, "leet", "inspect", "--summary", "--json"]
    answers = [
        subprocess.run([*command, str(log)], capture_output=True, check=True) for log in logs
    ]
    return [json.loads(answer.stdout) for answer in answers]
