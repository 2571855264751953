import base64
import re
import stat
from pathlib import Path

import pytest

from ops import credentials
from ops.credentials import OF_THE_TRIAL, OWN, completed, main, value_of, with_values

ROOT = Path(__file__).parents[2]


def test_missing_secrets_are_generated_once(tmp_path, capsys):
    file = tmp_path / ".env"
    assert main([str(file)]) == 0
    first = file.read_text()
    assert all(value_of(first, name) for name in OWN)
    assert main([str(file)]) == 0
    assert file.read_text() == first
    assert "nothing was missing" in capsys.readouterr().out


def test_each_secret_is_a_new_fernet_key():
    one, other = credentials.new_secret(), credentials.new_secret()
    assert one != other
    assert len(base64.urlsafe_b64decode(one)) == 32


def test_example_is_completed_in_place(tmp_path):
    file = tmp_path / ".env"
    file.write_text((ROOT / ".env.example").read_text())
    main([str(file)])
    lines = file.read_text().splitlines()
    assert len(lines) == len((ROOT / ".env.example").read_text().splitlines())
    for name in OWN:
        assert [line for line in lines if line.startswith(f"{name}=")] != [f"{name}="]


def test_file_is_private_and_no_value_is_printed(tmp_path, capsys):
    file = tmp_path / ".env"
    main([str(file), "--trial"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    printed = capsys.readouterr().out
    text = file.read_text()
    assert all(str(value_of(text, name)) not in printed for name in (*OWN, *OF_THE_TRIAL))


def test_rotation_replaces_only_the_named_secrets():
    text = with_values("", completed(""))
    assert set(completed(text, rotate=["POSTGRES_PASSWORD"])) == {"POSTGRES_PASSWORD"}


def test_secret_of_another_issuer_cannot_be_rotated(tmp_path, capsys):
    assert main([str(tmp_path / ".env"), "--rotate", "TMDB_API_KEY"]) == 1
    assert "get a new one from its issuer" in capsys.readouterr().err
    assert not (tmp_path / ".env").exists()


@pytest.mark.parametrize("before", ["NAME=old\n", "# NAME=\n", "OTHER=1\nNAME=\n"])
def test_value_replaces_its_old_line(before):
    assert re.findall(r"(?m)^.*NAME=.*$", with_values(before, {"NAME": "new"})) == ["NAME=new"]


def test_every_secret_that_the_compose_file_requires_is_generated():
    required = re.findall(
        r"\$\{(\w+):\?set \w+ in \.env, see", (ROOT / "docker-compose-airflow.yaml").read_text()
    )
    assert set(required) == set(OWN)
