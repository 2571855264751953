import shutil
import subprocess
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info

from scripts.runtime import provenance


def test_commit_of_an_image_is_from_its_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GIT_COMMIT", "abc123")
    assert provenance.commit() == "abc123"


@pytest.fixture
def _no_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GIT_COMMIT", raising=False)


@pytest.mark.usefixtures("_no_image")
@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_commit_of_a_checkout_is_from_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message", "first")
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    assert provenance.commit() == git("rev-parse", "HEAD")


@pytest.mark.usefixtures("_no_image")
def test_commit_is_unknown_outside_of_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    assert provenance.commit() == "unknown"


@pytest.mark.usefixtures("_no_image")
def test_commit_is_unknown_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.commit() == "unknown"


def test_versions_of_python_and_libraries_are_listed():
    found = provenance.libraries()
    assert {"python", "xgboost-cpu", "lightgbm", "scikit-learn", "textblob"} <= found.keys()
    assert all(found.values())


def test_kernel_is_that_of_a_library_in_use():
    used = {each["architecture"] for each in threadpool_info() if each["user_api"] == "blas"}
    assert set(provenance.kernel().split(", ")) == used


def test_actor_is_a_user_and_a_machine():
    user, _, machine = provenance.actor().partition("@")
    assert user
    assert machine
