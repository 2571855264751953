"""Print a benchmark's figures as one line of JSON."""

import json
from pathlib import Path
from typing import Any


def report(path: Path | None = None, /, **figures: Any) -> None:
    """Print the figures as the last line, and also write them to `file` if it is given."""
    line = json.dumps(figures, sort_keys=True)
    if path:
        path.write_text(f"{line}\n")
    print(line)
