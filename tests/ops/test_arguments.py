from collections.abc import Callable
from pathlib import Path

import pytest

from ops import replace, rotate
from ops.arguments import parser_of, project_of, run_and_report
from ops.project import EngineError


def test_project_has_default_files_unless_others_are_named(tmp_path: Path):
    parser = parser_of("ops.some", "Do it.", "training", "a.yaml", "b.yaml")
    usual = project_of(parser.parse_args([]))
    other = project_of(parser.parse_args(["-p", "x", "-f", "c.yaml", "--env-file", str(tmp_path)]))
    assert (usual.name, usual.files, usual.env_file.name) == (
        "training",
        ("a.yaml", "b.yaml"),
        ".env",
    )
    assert (other.name, other.files, other.env_file) == ("x", ("c.yaml",), tmp_path)


def test_text_of_the_work_is_printed(capsys: pytest.CaptureFixture[str]):
    assert run_and_report(lambda: "two replicas serve") == 0
    output = capsys.readouterr()
    assert (output.out, output.err) == ("two replicas serve\n", "")


@pytest.mark.parametrize(("failure", "named"), [(EngineError, ()), (KeyError, (KeyError,))])
def test_expected_error_prints_its_message_and_returns_1(
    failure: type[Exception], named: tuple[type[Exception], ...], capsys: pytest.CaptureFixture[str]
):
    def work() -> str:
        raise failure("the engine refused")

    assert run_and_report(work, *named) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "the engine refused" in said.err
    assert "Traceback" not in said.err


def test_unexpected_error_is_raised():
    def work() -> str:
        raise KeyError("odd")

    with pytest.raises(KeyError):
        run_and_report(work)


@pytest.mark.parametrize("command", [replace.main, rotate.main])
def test_command_without_an_engine_fails_and_changes_nothing(
    command: Callable[[list[str]], int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("PATH", str(tmp_path))
    secrets = tmp_path / ".env"
    secrets.write_text("POSTGRES_PASSWORD=old\n")
    assert command(["--env-file", str(secrets)]) == 1
    assert "install" in capsys.readouterr().err
    assert secrets.read_text() == "POSTGRES_PASSWORD=old\n"
