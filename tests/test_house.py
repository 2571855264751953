"""Test the repository's rules: where modules are, who may import what, lock files, documents."""

import importlib
import json
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = ("movierating", "scripts", "app", "dags")
MIRRORED = (*FLOORS, "ui")
NOT_SERVED = {
    "airflow",
    "lightgbm",
    "pandas",
    "scripts",
    "sklearn",
    "streamlit",
    "wandb",
    "xgboost",
}
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
TOOLS = {"uv", "generators"}  # programs with environments of their own, which no code imports
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "README.ko.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
MODEL_CACHE = "app/model/"  # not in git: the API creates it
PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+)(?: ; (.+?))? \\$", re.MULTILINE)


def pins(lock: Path) -> dict[tuple[str, str], set[str]]:
    """Read a lock file: the hashes of each package, by its name and version."""
    text = lock.read_text(encoding="utf-8")
    begins = list(PIN.finditer(text))
    ends = [*(match.start() for match in begins[1:]), len(text)]
    return {
        (match[1], match[2]): set(
            re.findall(r"--hash=(sha256:[0-9a-f]{64})", text[match.end() : end])
        )
        for match, end in zip(begins, ends, strict=True)
    }


def committed(pattern: str) -> list[Path]:
    """List the files in the repository that match a pattern, including new ones not ignored."""
    command = ["git", "ls-files", "-co", "--exclude-standard", pattern]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("needs a git checkout")
    return [path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file()]


def test_import_of_app_finds_the_api_package_and_not_app_py():
    assert (ROOT / "app" / "__init__.py").is_file()
    assert (ROOT / "app.py").is_file()
    assert importlib.import_module("app").__path__


def test_test_folders_are_no_packages():
    assert list((ROOT / "tests").rglob("__init__.py")) == []


@pytest.mark.parametrize("floor", MIRRORED)
def test_tests_mirror_the_code(floor: str):
    tests, code = ROOT / "tests" / floor, ROOT / floor
    tested = {
        path.relative_to(tests).with_name(path.name.removeprefix("test_"))
        for path in tests.rglob("test_*.py")
        if not path.name.startswith("test_all_")  # tests what holds for each file of the folder
    }
    assert tested
    assert tested <= {path.relative_to(code) for path in code.rglob("*.py")}


def test_every_module_falls_under_a_contract():
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    folders = {path.relative_to(ROOT).parts[0] for path in committed("*.py")} - {"app.py"}
    assert set(rules["root_packages"]) == folders
    layered = [rule for rule in rules["contracts"] if rule.get("exhaustive")]
    ruled = {name for rule in layered for name in rule["containers"]}
    # `docs` and `tests` have no layers, only single scripts and tests.
    assert {name.partition(".")[0] for name in ruled} == folders - {"docs", "tests"}


@pytest.mark.parametrize("environment", ["dev", "api"])
def test_api_imports_no_training_library(environment: str):
    python = ROOT / ".venv" / environment / "bin" / "python"
    if environment == "dev":
        python = Path(sys.executable)
    elif not python.exists():
        pytest.skip("needs the environment of the service, which `make install` makes")
    code = """
import pkgutil, sys
import app.main, movierating
for module in pkgutil.walk_packages(movierating.__path__, "movierating."):
    __import__(module.name)
import onnxruntime
print(*{name.partition(".")[0] for name in sys.modules})
"""
    result = subprocess.run(
        [python, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    imported = set(result.stdout.split())
    assert {"app", "movierating", "onnxruntime"} <= imported
    assert not imported & NOT_SERVED


def test_ui_imports_none_of_our_other_packages():
    for source in (ROOT / "app.py", *(ROOT / "ui").rglob("*.py")):
        imports = re.findall(r"^\s*(?:from|import) (\w+)", source.read_text(), re.MULTILINE)
        assert not {*FLOORS, "sandbox"} & set(imports), source


def test_ui_does_not_load_pandas_pyarrow_or_altair():
    code = """
import sys
import tomllib
from ui.pages import compare, forecast, model
from ui.widgets import charts, file_preview, form, result, results_csv, table
print(*{name.partition(".")[0] for name in sys.modules})
"""
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert {"ui", "streamlit"} <= set(result.stdout.split())
    assert not {"altair", "pandas", "pyarrow"} & set(result.stdout.split())


@pytest.mark.parametrize(
    "lock", [lock for lock in LOCKS if lock.stem not in TOOLS], ids=lambda lock: lock.stem
)
def test_lock_file_agrees_with_the_common_one(lock: Path):
    joint = pins(ROOT / "requirements.txt")
    names = {name for name, _ in joint}
    of_ours = {pin: hashes for pin, hashes in pins(lock).items() if pin[0] in names}
    assert of_ours
    assert {pin: joint.get(pin) for pin in of_ours} == of_ours


@pytest.mark.parametrize("lock", [*LOCKS, ROOT / "requirements.txt"], ids=lambda lock: lock.stem)
def test_lock_file_has_hashes_and_no_urls(lock: Path):
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    assert " @ " not in text
    assert not re.search(r"^\s*-(?!-hash)", text, re.MULTILINE)
    found = pins(lock)
    assert found
    assert len(re.findall(r"^[a-z0-9]", text, re.MULTILINE)) == len(PIN.findall(text))
    assert all(found.values())


def test_npm_lock_file_has_hashes_and_no_registry():
    packages = json.loads((ROOT / "requirements" / "npm" / "package-lock.json").read_text())
    named = {name: each for name, each in packages["packages"].items() if name}
    assert named
    assert [name for name, each in named.items() if "resolved" in each] == []
    assert all(each["integrity"].startswith("sha512-") for each in named.values())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_of_the_documents_exist(document: Path):
    text = document.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text()
    targets = [
        name.replace("%", "*") for name in re.findall(r"^([\w%-]+):", makefile, re.MULTILINE)
    ]
    for command in re.findall(r"(?:^|`)make ([\w-]+)", text, re.MULTILINE):
        assert any(fnmatch(command, target) for target in targets), command
        if command.startswith("bench-") and command != "bench-NAME":
            assert (ROOT / "benchmarks" / f"{command.removeprefix('bench-')}.py").is_file(), command
    for module in re.findall(r"python3? -m ((?:scripts|sandbox)(?:\.\w+)*)", text):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_are_not_broken(document: Path):
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s#]+)", text)
    broken = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_the_documents_name_exist(document: Path):
    text = document.read_text(encoding="utf-8")
    folders = "app|benchmarks|dags|docs|movierating|ops|sandbox|scripts|tests|ui"
    named = set(re.findall(rf"`((?:{folders})/[\w./-]+)`", text)) - {MODEL_CACHE}
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_all_files_state_the_same_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    named = {
        "app/main.py": r'^ +version="(.+)",$',
        "CHANGELOG.md": r"^## ([\d.]+) - ",
        "ops/kubernetes/airflow-values.yaml": r"^defaultAirflowTag: (.+)$",
        "ops/kubernetes/serving.yaml": r"/movie-rating-\w+:(.+)$",
    }
    for name, pattern in named.items():
        found = re.findall(pattern, (ROOT / name).read_text(), re.MULTILINE)
        newest = found[:1] if name == "CHANGELOG.md" else found
        assert set(newest) == {version}, name


def test_first_commands_in_the_readme_are_make_up_and_make_test():
    commands = re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert commands[:2] == ["up", "test"]


def test_changelog_has_versions():
    assert "## " in (ROOT / "CHANGELOG.md").read_text()


def test_files_and_names_in_the_recipes_of_contributing_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    recipes = text[text.index("\n## Add a fact") :]
    code = "\n".join(path.read_text() for path in committed("*.py"))
    names = re.findall(r"`([\w./]+)`", recipes)
    paths = [name for name in names if "/" in name]
    assert paths
    assert [path for path in paths if not (ROOT / path).is_file()] == []
    words = {name for name in names if "/" not in name and "." not in name}
    assert {word for word in words if not re.search(rf"\b{word}\b", code)} <= {"pipeline"}
