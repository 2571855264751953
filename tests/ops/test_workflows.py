"""Test that the GitHub workflows match the Makefile and the Dockerfile."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"


def jobs(name: str) -> dict[str, Any]:
    loaded = yaml.safe_load((WORKFLOWS / name).read_text())
    return dict(loaded["jobs"])


def test_ci_runs_only_commands_of_the_makefile():
    runs = [step.get("run", "") for job in jobs("ci.yaml").values() for step in job["steps"]]
    made = {run.removeprefix("make ") for run in runs if run.startswith("make ")}
    assert made == {"client", "lint", "test", "test-containers"}
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert made <= set(targets)


def test_release_builds_each_image_that_is_deployed():
    built = jobs("release.yaml")["images"]["strategy"]["matrix"]["target"]
    stages = re.findall(r"^FROM runtime AS (\w+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert set(built) == set(stages) - {"sandbox"}
