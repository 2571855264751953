import json
import re
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "ops" / "terraform"
TEXT = "\n".join(path.read_text() for path in sorted(FOLDER.glob("*.tf")))
SCRIPT = (FOLDER / "cloud-init.yaml").read_text()


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


def test_what_is_referred_to_is_declared():
    variables = {name.strip('"') for block in parsed()["variable"] for name in block}
    assert set(re.findall(r"\bvar\.(\w+)", TEXT)) == variables - {"repository"} | {"repository"}
    data = set(re.findall(r"\bdata\.(\w+\.\w+)", TEXT))
    assert data == named("data")
    resources = set(re.findall(r"(?<![\w.\"])(aws_\w+\.\w+)\b", TEXT))
    assert resources <= named("resource")


def test_two_machines_two_roles_and_a_bucket_are_made():
    assert {"aws_s3_bucket.models", "aws_iam_role.machine", "aws_instance.machine"} <= named(
        "resource"
    )
    assert set(re.findall(r"(?m)^    (\w+) += \{ type", TEXT)) == {"training", "serving"}


@pytest.mark.parametrize("instance", ["training", "serving"])
def test_role_has_the_documented_policy(instance: str):
    assert "docs/policies/${each.key}.json" in TEXT
    policy = (ROOT / "docs" / "policies" / f"{instance}.json").read_text()
    assert json.loads(policy.replace("BUCKET", "some-bucket"))["Statement"]


def test_bucket_is_closed_kept_and_versioned():
    for line in ("block_public_policy     = true", "prevent_destroy = true", 'status = "Enabled"'):
        assert line in TEXT


def test_only_the_proxys_ports_are_open_and_no_ssh():
    assert re.findall(r"ingress_rule", TEXT) == ["ingress_rule"]
    assert 'toset(["80", "443"])' in TEXT


def test_machine_gets_every_name_its_script_asks_for():
    given = set(re.findall(r"(?m)^    (\w+) += ", TEXT.split("templatefile(")[1].split("})")[0]))
    asked = set(re.findall(r"\$\{(\w+)\}", SCRIPT))
    assert asked == given
    document = yaml.safe_load(re.sub(r"\$\{\w+\}", "x", SCRIPT))
    assert SCRIPT.startswith("#cloud-config\n")
    assert {"docker.io", "docker-compose"} <= set(document["packages"])


def test_no_secret_is_known_to_terraform():
    assert not re.search(r"(?i)(password|secret_key|api_key)\s*=", TEXT)
    assert "--with-decryption" in SCRIPT
