import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml

from tests.support.install_from_debian import CLOUD_INIT_SCHEMA

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "ops" / "terraform"
TEXT = "\n".join(path.read_text() for path in sorted(FOLDER.glob("*.tf")))
SCRIPT = (FOLDER / "cloud-init.yaml").read_text()
GIVEN = {
    "repository": "https://git.example/films.git",
    "revision": "v1",
    "region": "ap-northeast-2",
    "bucket": "some-bucket",
    "public_address": "films.example",
    "agent_version": "3.3.1.0",
    "agent_sha256": "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",  # of HELLO
}
HELLO = "hello\n"
each_instance = pytest.mark.parametrize("instance", ["training", "serving"])


def parsed() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for path in sorted(FOLDER.glob("*.tf")):
        with path.open() as file:
            for kind, blocks in hcl2.load(file).items():
                if isinstance(blocks, list):
                    found.setdefault(kind, []).extend(blocks)
    return found


def named(kind: str) -> set[str]:
    return {
        f"{first}.{second}".replace('"', "")
        for block in parsed()[kind]
        for first, seconds in block.items()
        if isinstance(seconds, dict)
        for second in seconds
        if not second.startswith("__")
    }


def test_every_referenced_variable_and_resource_is_declared():
    variables = {name.strip('"') for block in parsed()["variable"] for name in block}
    assert set(re.findall(r"\bvar\.(\w+)", TEXT)) == variables - {"repository"} | {"repository"}
    data = set(re.findall(r"\bdata\.(\w+\.\w+)", TEXT))
    assert data == named("data")
    resources = set(re.findall(r"(?<![\w.\"])(aws_\w+\.\w+)\b", TEXT))
    assert resources <= named("resource")


def cloud_config(instance: str) -> str:
    """Fill in the cloud-init file as Terraform does for the machine of an instance."""
    (machines,) = [block["machines"] for block in parsed()["locals"] if "machines" in block]
    own = {key: str(value).strip('"') for key, value in machines[instance].items()}
    values = GIVEN | own | {"name": instance}
    return re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], SCRIPT)


def test_two_machines_two_roles_and_a_bucket_are_created():
    assert {"aws_s3_bucket.models", "aws_iam_role.machine", "aws_instance.machine"} <= named(
        "resource"
    )
    assert set(re.findall(r"(?m)^    (\w+) += \{ type", TEXT)) == {"training", "serving"}


@each_instance
def test_role_has_the_documented_policy(instance: str):
    assert "docs/policies/${each.key}.json" in TEXT
    policy = (ROOT / "docs" / "policies" / f"{instance}.json").read_text()
    assert json.loads(policy.replace("BUCKET", "some-bucket"))["Statement"]


def test_bucket_is_private_protected_and_versioned():
    for line in ("block_public_policy     = true", "prevent_destroy = true", 'status = "Enabled"'):
        assert line in TEXT


def test_only_the_ports_of_the_proxy_are_open():
    assert re.findall(r"ingress_rule", TEXT) == ["ingress_rule"]
    assert 'toset(["80", "443"])' in TEXT


def test_terraform_fills_in_every_variable_of_the_cloud_init_file():
    given = set(re.findall(r"(?m)^    (\w+) += ", TEXT.split("templatefile(")[1].split("})")[0]))
    asked = set(re.findall(r"\$\{(\w+)\}", SCRIPT))
    assert asked == given
    assert SCRIPT.startswith("#cloud-config\n")


@each_instance
def test_machine_gets_a_valid_cloud_init_file(instance: str, tmp_path: Path):
    if not CLOUD_INIT_SCHEMA.exists():
        pytest.skip("needs cloud-init's schema, which `make test` fetches from Debian")
    (tmp_path / "user-data.yaml").write_text(cloud_config(instance))
    program = str(Path(sys.executable).with_name("check-jsonschema"))
    command = [program, "--schemafile", str(CLOUD_INIT_SCHEMA), str(tmp_path / "user-data.yaml")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


# A fake `aws`, `docker-compose` and `git`: each records its arguments. `aws` prints a setting, and
# `git rev-parse` prints a commit.
STUB = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/$(basename "$0").calls"
case "$(basename "$0") $1" in
  "aws ssm") echo TMDB_API_KEY=theirs ;;
  "git rev-parse") echo abc ;;
esac
"""


@each_instance
def test_machine_fetches_its_settings_and_starts_its_instance(instance: str, tmp_path: Path):
    project, programs = tmp_path / "project", tmp_path / "bin"
    project.mkdir()
    programs.mkdir()
    for name in ("aws", "docker-compose", "git"):
        (programs / name).write_text(STUB)
        (programs / name).chmod(0o755)
    (file,) = yaml.safe_load(cloud_config(instance))["write_files"]
    script = file["content"].replace("/opt/movie-rating", str(project))
    environment = {"PATH": f"{programs}:/usr/bin:/bin"}
    subprocess.run(["sh", "-c", script], env=environment, check=True)
    settings = (project / ".env").read_text().splitlines()
    assert {"S3_BUCKET_NAME=some-bucket", "GIT_COMMIT=abc", "TMDB_API_KEY=theirs"} <= set(settings)
    assert (project / ".env").stat().st_mode & 0o077 == 0
    assert (project / "proxy_users").exists() is (instance == "serving")
    compose = (programs / "docker-compose.calls").read_text()
    file_name = {
        "training": "docker-compose-airflow.yaml",
        "serving": "docker-compose-fastapi.yaml",
    }
    assert compose.startswith(f"-p {instance} -f {file_name[instance]} up -d --build")


@each_instance
@pytest.mark.parametrize(("content", "installed"), [(HELLO, True), ("altered\n", False)])
def test_machine_installs_only_the_agent_with_the_given_hash(
    instance: str, content: str, installed: bool, tmp_path: Path
):
    commands = yaml.safe_load(cloud_config(instance))["runcmd"]
    fetch, check = [each for each in commands if "agent.deb" in str(each)]
    assert GIVEN["agent_version"] in fetch[-1]
    (tmp_path / "agent.deb").write_text(content)
    (tmp_path / "dpkg").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/installed\n')
    (tmp_path / "dpkg").chmod(0o755)
    command = [part.replace("/root/", f"{tmp_path}/") for part in check]
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    ended = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert (ended.returncode == 0) is installed
    assert (tmp_path / "installed").exists() is installed


def test_containers_reach_the_keys_of_the_role_only_if_they_need_them():
    assert "hop_limit = contains(var.keys_in_settings, each.key) ? 1 : 2" in TEXT
    assert 'http_tokens                 = "required"' in TEXT


def test_no_secret_is_in_the_terraform_files():
    assert not re.search(r"(?i)(password|secret_key|api_key)\s*=", TEXT)
    assert "--with-decryption" in SCRIPT
