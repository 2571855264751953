"""Test that no secret, no data, no model and no large file is committed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DATA = {".pkl", ".joblib", ".parquet", ".onnx", ".ubj", ".db", ".sqlite", ".wandb"}
LARGEST_BYTES = 500_000
SECRETS = {
    "AWS key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "TMDB token": re.compile(r"\beyJ[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}"),
}


def committed():
    if shutil.which("git") is None:
        pytest.skip("needs git")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=False,
    )
    if listed.returncode:
        pytest.skip("needs a git checkout")
    paths = (ROOT / name for name in listed.stdout.decode().rstrip("\0").split("\0"))
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize("kind", SECRETS)
def test_no_secret_is_committed(kind):
    found = [p for p in committed() if SECRETS[kind].search(p.read_text(errors="ignore"))]
    assert found == []


def test_no_data_and_no_model_is_committed():
    assert [path for path in committed() if path.suffix in DATA] == []


def test_no_large_file_is_committed():
    assert [path for path in committed() if path.stat().st_size > LARGEST_BYTES] == []


def test_no_env_file_is_committed():
    assert [path for path in committed() if path.name == ".env"] == []
