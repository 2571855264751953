import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from sandbox.tmdb.__main__ import main
from sandbox.tmdb.process import ROOT, StandInError, running


@pytest.mark.parametrize("name", ["absent.parquet", "broken.parquet"])
def test_a_bad_catalogue_ends_with_one_sentence_and_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "broken.parquet").write_text("no films here")
    assert main(["--catalogue", str(tmp_path / name), "--port", "0"]) == 2
    complaint = capsys.readouterr().err
    assert "TMDB_CATALOGUE" in complaint
    assert name in complaint
    assert complaint.count("\n") == 1


def test_a_taken_port_ends_with_one_sentence_and_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port), "--films", "10"]) == 1
    assert str(port) in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--today", "tomorrow"], ["--requests-per-second", "0"], ["--films", "0"]]
)
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2


def test_a_stand_in_that_does_not_start_is_reported() -> None:
    with pytest.raises(StandInError), running("--catalogue", "absent.parquet"):
        pass


def test_it_ends_when_it_is_terminated_and_logs_no_key() -> None:
    secret = "feedfacefeedfacefeedfacefeedface"
    command = [sys.executable, "-m", "sandbox.tmdb", "--port", "0", "--films", "10"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        assert requests.get(f"{url}/movie/1", params={"api_key": secret}, timeout=10).status_code
        process.terminate()
        out, err = process.communicate(timeout=20)
    assert process.returncode in (0, -15)
    assert secret not in out + err
