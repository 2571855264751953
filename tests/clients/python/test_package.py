"""Build the Python client, and look into what users would install."""

import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[3]
UV = ROOT / ".venv" / "uv" / "bin" / "uv"


@pytest.mark.generators
def test_wheel_contains_the_types_and_needs_only_httpx(tmp_path: Path):
    if not UV.exists():
        pytest.skip("needs uv, which `make install` installs")
    source = ROOT / "clients" / "python"
    options = ("--quiet", "--no-config", "--wheel", "--out-dir", str(tmp_path))
    subprocess.run([str(UV), "build", *options, str(source)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as content:
        names = set(content.namelist())
        (metadata,) = (name for name in names if name.endswith("METADATA"))
        needs = [
            line for line in content.read(metadata).decode().splitlines() if "Requires" in line
        ]
    modules = {f"movie_rating_client/{path.name}" for path in source.glob("movie_rating_client/*")}
    assert "movie_rating_client/py.typed" in modules
    assert {name for name in modules if "__pycache__" not in name} <= names
    assert needs == ["Requires-Dist: httpx>=0.28", "Requires-Python: >=3.11"]
