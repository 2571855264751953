import re
import subprocess
import sys
from pathlib import Path

import pytest

from app import keys
from app.keys import hash_of
from movierating.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]


def test_command_prints_a_key_and_its_hash():
    result = subprocess.run(
        [sys.executable, "-m", "app.keys"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    key, known = re.findall(r"^  (\S+)$", result.stdout, re.MULTILINE)
    assert hash_of(key) == known
    assert load_settings(Settings, api_key_hashes=known).api_key_hashes == (known,)


def test_keys_are_long_and_random(capsys: pytest.CaptureFixture[str]):
    assert keys.main([]) == keys.main([]) == 0
    made = re.findall(r"^  (\S{43})$", capsys.readouterr().out, re.MULTILINE)
    assert len(set(made)) == 2
