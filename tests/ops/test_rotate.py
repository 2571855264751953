from pathlib import Path

import pytest

from ops.credentials import OWN, completed, with_values
from ops.project import EngineError, Project, settings_in
from ops.rotate import rotate

# A fake `docker-compose`: it records its standard input in the file `typed`. The command for the
# database fails as long as the file `broken` exists.
COMPOSE = """#!/bin/sh
here=$(dirname "$0")
case " $* " in
  *" run --rm "*) cat >> "$here/typed" ;;
  *" exec "*) [ ! -e "$here/broken" ] || exit 1; cat >> "$here/typed" ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Create a Docker Compose project with secrets; its fake `docker-compose` starts nothing."""
    (tmp_path / "docker-compose").write_text(COMPOSE)
    (tmp_path / "docker-compose").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody")
    file = tmp_path / ".env"
    file.write_text(with_values("TMDB_API_KEY=theirs\n", completed("")))
    return Project("some", ("docker-compose-airflow.yaml",), file)


def test_rotation_replaces_our_secrets_and_keeps_the_rest(project: Project):
    old = project.settings()
    rotate(project)
    fresh = project.settings()
    assert {name for name in old if fresh[name] != old[name]} == set(OWN)
    assert list(project.env_file.parent.glob("*.rotating")) == []


def test_interrupted_rotation_continues_with_the_same_secrets(project: Project):
    old, folder = project.settings(), project.env_file.parent
    (folder / "broken").touch()
    with pytest.raises(EngineError):
        rotate(project)
    assert project.settings() == old
    kept = settings_in(folder / ".env.rotating")
    (folder / "broken").unlink()
    rotate(project)
    assert {name: project.settings()[name] for name in OWN} == kept
    fernet = "AIRFLOW__CORE__FERNET_KEY"
    keys = f"{kept[fernet]},{old[fernet]}"
    assert (folder / "typed").read_text().splitlines()[:2] == [keys, keys]
