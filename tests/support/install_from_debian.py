"""Unpack Debian packages into `.venv/debian` for tests, without installing them on the machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

PACKAGES: Final = ("prometheus", "promtool", "prometheus-alertmanager", "cloud-init")
# The first Debian release with Prometheus 3, the version in docker-compose-monitoring.yaml.
RELEASE: Final = "forky"
FOLDER: Final = Path(__file__).parents[2] / ".venv" / "debian"
CLOUD_INIT_SCHEMA: Final = (
    FOLDER / "usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json"
)
_KEYS: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def program(name: str) -> Path | None:
    """Return the path of an unpacked or installed program; None if there is none."""
    laid = FOLDER / "usr" / "bin" / name
    found = str(laid) if laid.exists() else shutil.which(name)
    return Path(found) if found else None


def main() -> int:
    """Fetch and unpack the packages, or print which tests will be skipped without them."""
    if FOLDER.exists():
        return 0
    mirror = _mirror() if shutil.which("apt-get") and _KEYS.exists() else None
    if mirror is None:
        sys.stdout.write("not on Debian: tests of the alerts and of cloud-init are skipped\n")
        return 0
    sys.stdout.write(f"fetching {', '.join(PACKAGES)} of Debian {RELEASE}\n")
    with TemporaryDirectory() as name:
        folder = Path(name)
        apt = _apt_of_the_release(mirror, folder)
        _run(*apt, "update")
        _run(*apt, "download", *PACKAGES, cwd=folder)
        for package in folder.glob("*.deb"):
            _run("dpkg", "--extract", str(package), str(FOLDER))
    return 0


def _mirror() -> str | None:
    """Return the URL of the Debian mirror that this machine uses; None if it uses none."""
    if os.geteuid() == 0:
        _run("apt-get", "update")
    listed = _run("apt-get", "indextargets", "--format=$(REPO_URI)", "Label: Debian").split()
    return listed[0] if listed else None


def _apt_of_the_release(mirror: str, folder: Path) -> list[str]:
    """Return an `apt-get` command that uses its own package lists instead of the machine's."""
    sources = folder / "sources.list"
    sources.write_text(f"deb [signed-by={_KEYS}] {mirror} {RELEASE} main\n")
    for needed in ("lists/partial", "cache/archives/partial"):
        (folder / needed).mkdir(parents=True)
    own = {
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "root",  # apt's own user may not write to the temporary folder
    }
    return ["apt-get", *(f"--option={name}={value}" for name, value in own.items())]


def _run(*command: str, cwd: Path | None = None) -> str:
    return subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, text=True, check=False).stdout


if __name__ == "__main__":
    raise SystemExit(main())
