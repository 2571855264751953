"""Runs that W&B kept offline, read back by its own program."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def tracked(folder: Path) -> list[dict[str, Any]]:
    """The runs kept in a data folder."""
    program = str(Path(sys.executable).with_name("wandb"))
    logs = sorted(folder.glob("wandb/offline-run-*/run-*.wandb"))
    command = [program, "leet", "inspect", "--summary", "--json"]
    answers = [
        subprocess.run([*command, str(log)], capture_output=True, check=True) for log in logs
    ]
    return [json.loads(answer.stdout) for answer in answers]
