from dataclasses import replace
from pathlib import Path

import pytest

from scripts.parameters import MODEL_CONFIG
from scripts.training import recipe as module
from scripts.training.recipe import code_digest, recipe

CODE = '''"""Add."""

def add(first: int, second: int) -> int:
    """Add two numbers."""
    return first + second  # quickly
'''


def test_recipe_depends_on_families_and_their_parameters():
    usual = recipe(MODEL_CONFIG)
    assert recipe(MODEL_CONFIG) == usual
    one_family = replace(MODEL_CONFIG, model_type="lgbm")
    slower = replace(MODEL_CONFIG, parameters=dict(MODEL_CONFIG.parameters))
    slower.parameters["lgbm"] = MODEL_CONFIG.parameters["lgbm"] | {"learning_rate": 0.01}
    others = {recipe(one_family), recipe(slower)}
    assert len(others | {usual}) == 3


def _digest(folder: Path, code: str, name: str = "sums.py") -> str:
    code_digest.cache_clear()
    for each in folder.glob("*.py"):
        each.unlink()
    (folder / name).write_text(code)
    return code_digest((folder,))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("quickly", "at once"),
        ("Add two numbers.", "Return the sum."),
        ('"""Add."""', '"""Sums."""'),
        ("first + second", "(first\n        + second)"),
    ],
)
def test_comments_docstrings_and_layout_do_not_change_the_recipe(
    tmp_path: Path, old: str, new: str
):
    assert old in CODE
    assert _digest(tmp_path, CODE.replace(old, new)) == _digest(tmp_path, CODE)


def test_other_statements_change_the_recipe(tmp_path: Path):
    before = _digest(tmp_path, CODE)
    assert _digest(tmp_path, CODE.replace("+ second", "- second")) != before
    assert _digest(tmp_path, CODE, name="differences.py") != before
    assert _digest(tmp_path, f"{CODE}\nLIMIT = 5\n") != before
    # A string that is not a docstring changes what the code does.
    assert _digest(tmp_path, f'{CODE}\nNAME = "a"\n') != _digest(tmp_path, f'{CODE}\nNAME = "b"\n')


def test_recipe_covers_parameters_features_and_training():
    code_digest.cache_clear()
    covered = {f"{each.parent.name}/{each.name}" for each in module._files(module._CODE)}
    assert {
        "scripts/parameters.py",
        "dataset/split.py",
        "films/tokens.py",
        "model/features.py",
        "model/target_encoding.py",
        "training/models.py",
        "training/ridge.py",
        "training/selection.py",
        "training/vectors.py",
    } <= covered
    assert "training/bundling.py" not in covered
