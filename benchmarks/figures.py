"""Print a benchmark's measured values as one line of JSON."""

import json
from pathlib import Path
from typing import Any


def report(path: Path | None = None, /, **figures: Any) -> None:
    """Print a benchmark's measured values as one line of JSON; also write the line to `path`.

    If `path` is None, the line is only printed.
    """
    # Sorted, so that the outputs of two runs can be compared line by line.
    line = json.dumps(figures, sort_keys=True)
    if path:
        path.write_text(f"{line}\n")
    print(line)
