"""The recipe of a model: everything that decides what training makes of given films.

A model of the same recipe differs from an earlier one only by its films, so the gate checks it less
strictly than a model of a new recipe. The digest covers the model families, their parameters, the
plot encoder, and the code that prepares films, builds features, and trains. Comments, docstrings
and layout do not count, and neither do versions of libraries, which the manifest lists separately.
"""

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import movierating
import scripts
from movierating.identity import sha256
from scripts.dataset.plot_encoder import encoder_name
from scripts.parameters import ModelConfig

_SHARED: Final = Path(movierating.__file__).parent
_SCRIPTS: Final = Path(scripts.__file__).parent
_CODE: Final = (
    _SHARED / "films",
    _SHARED / "model",
    _SCRIPTS / "dataset",
    _SCRIPTS / "training",
    _SCRIPTS / "parameters.py",
)
# Modules in these folders that read a trained model, or do not take part in its training.
_OTHER: Final = frozenset(
    {
        "bundling.py",
        "leakage.py",
        "legacy.py",
        "legacy_model.py",
        "novelty.py",
        "onnx_model.py",
        "predictor.py",
        "recipe.py",
        "similar_films.py",
        "tuning.py",
    }
)


def recipe(config: ModelConfig) -> str:
    """Return the digest of the recipe: families with parameters, plot encoder, and code."""
    families = {family: config.parameters[family] for family in config.families}
    parts = (json.dumps(families, sort_keys=True), encoder_name(), code_digest(_CODE))
    return sha256("".join(parts).encode())[:16]


@cache
def code_digest(paths: tuple[Path, ...]) -> str:
    """Return the digest of Python files, without comments, docstrings and layout.

    Args:
        paths: Files, and folders whose files count.
    """
    return sha256("\n".join(_statements(each) for each in _files(paths)).encode())


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        found = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        yield from (each for each in found if each.name not in _OTHER)


def _statements(path: Path) -> str:
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        # Only these nodes can have a docstring, which is then their first statement.
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (
            ast.get_docstring(node, clean=False) is not None
        ):
            node.body[0] = ast.Pass()
    return f"{path.name}: {ast.dump(tree)}"
