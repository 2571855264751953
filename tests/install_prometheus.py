"""Lay Debian's Prometheus beside the environments, without installing or starting a service."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

PACKAGES: Final = ("prometheus", "prometheus-alertmanager")
FOLDER: Final = Path(__file__).parents[1] / ".venv" / "prometheus"


def program(name: str) -> Path | None:
    """Where one of the programs is; None if it is not here."""
    laid = FOLDER / "usr" / "bin" / name
    found = str(laid) if laid.exists() else shutil.which(name)
    return Path(found) if found else None


def main() -> int:
    """Fetch what is missing, or say how; the tests skip what they cannot run."""
    if program("promtool") and program("prometheus") and program("amtool"):
        return 0
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        sys.stdout.write("tests of the alerts are skipped until Prometheus' promtool is on PATH\n")
        return 0
    sys.stdout.write("fetching Prometheus from Debian\n")
    if os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "--quiet"], stdout=subprocess.DEVNULL, check=False)
    with TemporaryDirectory() as folder:
        subprocess.run(
            ["apt-get", "download", *PACKAGES], cwd=folder, stdout=subprocess.DEVNULL, check=False
        )
        for package in Path(folder).glob("*.deb"):
            subprocess.run(["dpkg", "--extract", package, FOLDER], check=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
