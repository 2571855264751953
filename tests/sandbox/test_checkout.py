from pathlib import Path

import pytest

from sandbox.checkout import copied
from sandbox.state import ROOT

FOLDERS = ("app", "dags", "movierating", "sandbox", "scripts", "ui")


def sources(root: Path) -> set[Path]:
    return {path.relative_to(root) for name in FOLDERS for path in (root / name).rglob("*.py")}


def test_copy_has_every_source_file_and_no_data(tmp_path: Path):
    if not (ROOT / ".venv" / "sandbox").exists():
        pytest.skip("needs the environments that `make install` makes")
    with copied(tmp_path / "copy") as checkout:
        assert sources(checkout.folder) == sources(ROOT)
        assert {path.name for path in (checkout.folder / "data-prepare").iterdir()} == {"README.md"}
        assert not (checkout.folder / "app" / "model").exists() or not list(
            (checkout.folder / "app" / "model").iterdir()
        )
