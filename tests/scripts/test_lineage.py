import shutil
import subprocess
from pathlib import Path

import pytest

from scripts import lineage


def test_image_says_which_commit_it_was_built_from(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GIT_COMMIT", "abc123")
    assert lineage.commit() == "abc123"


@pytest.fixture
def _no_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GIT_COMMIT", raising=False)


@pytest.mark.usefixtures("_no_image")
@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_checkout_says_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message", "first")
    monkeypatch.setattr(lineage, "__file__", str(tmp_path / "lineage.py"))
    assert lineage.commit() == git("rev-parse", "HEAD")


@pytest.mark.usefixtures("_no_image")
def test_commit_is_unknown_outside_of_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lineage, "__file__", str(tmp_path / "lineage.py"))
    assert lineage.commit() == "unknown"


@pytest.mark.usefixtures("_no_image")
def test_commit_is_unknown_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert lineage.commit() == "unknown"


def test_versions_of_what_shapes_a_model_are_named():
    found = lineage.libraries()
    assert {"python", "xgboost-cpu", "lightgbm", "scikit-learn", "textblob"} <= found.keys()
    assert all(found.values())


def test_actor_is_a_user_and_a_machine():
    user, _, machine = lineage.actor().partition("@")
    assert user
    assert machine
