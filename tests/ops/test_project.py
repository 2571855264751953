from pathlib import Path

import pytest

from ops.project import EngineError, Project, settings_in


def test_settings_are_read_as_compose_reads_them(tmp_path: Path):
    file = tmp_path / ".env"
    file.write_text("# NAME=1\n\nA=one=two\nB=public   # the proxy\nC='quoted'\nD=\n")
    assert settings_in(file) == {"A": "one=two", "B": "public", "C": "quoted", "D": ""}


def test_error_names_the_missing_settings_file(tmp_path: Path):
    with pytest.raises(EngineError, match=r"there is no file .*no\.env; see \.env\.example"):
        settings_in(tmp_path / "no.env")


def test_profiles_of_the_settings_are_passed_to_compose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    program = tmp_path / "docker-compose"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (tmp_path / ".env").write_text("COMPOSE_PROFILES=public,celery\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    command = Project("some", ("a.yaml",), tmp_path / ".env").command()
    assert command[-6:] == ["--file", "a.yaml", "--profile", "public", "--profile", "celery"]
