import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
import yaml

from movierating.settings import SECRET_NAME, Settings
from sandbox.state import free_ports
from tests.support.recording_proxy import recording_proxy

ROOT = Path(__file__).parents[1]
AIRFLOW = "docker-compose-airflow.yaml"
FASTAPI = "docker-compose-fastapi.yaml"
TRIAL = "docker-compose-trial.yaml"
MONITORING = "docker-compose-monitoring.yaml"
FILES = (AIRFLOW, FASTAPI, TRIAL, MONITORING)
MACHINE_MB = {AIRFLOW: 2048, FASTAPI: 1024}
CODE = {
    "api": {"app", "movierating"},
    "ui": {".streamlit", "app.py", "ui"},
    "pipeline": {"airflow_local_settings", "dags", "movierating", "scripts"},
    "sandbox": {"movierating", "sandbox"},
}
BASE = "python:3.11-slim-bookworm"
LARGEST_API_MB = 220  # in addition to the base image
# Settings that no container gets. The first two are for commands that people run; the port inside a
# container is fixed in its image.
OF_NO_CONTAINER = {"TUNE_MINUTES", "TMDB_CATALOGUE", "API_PORT", "AWS_PROFILE"}
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?::(?P<mark>[-?])(?P<rest>[^}]*))?\}")


class Variable(NamedTuple):
    """A variable that a compose file reads from `.env`, written as `${NAME:-rest}` or similar.

    Attributes:
        name: The variable's name, such as `API_PORT`.
        mark: `-` if `rest` is a default, `?` if it is an error message, None if there is no `rest`.
        rest: The default value or the error message.
    """

    name: str
    mark: str | None
    rest: str | None


class Stage(NamedTuple):
    """A stage in the Dockerfile: the image or stage it starts from, and its instructions."""

    parent: str
    instructions: list[tuple[str, str]]


def mounted_files(file: str) -> list[str]:
    """Return the paths in the repository that a compose file mounts into containers."""
    mounts = [mount for service in services(file).values() for mount in service.get("volumes", ())]
    sources = [mount.partition(":")[0] for mount in mounts if isinstance(mount, str)]
    return [source for source in sources if source.startswith("./")]


def services(file: str) -> dict[str, dict[str, Any]]:
    document = yaml.safe_load((ROOT / file).read_text())
    parsed: dict[str, dict[str, Any]] = document["services"]
    return parsed


# Services without an image only change a service from another file, so they are left out.
SERVICES = [
    pytest.param(service, id=name)
    for file in FILES
    for name, service in services(file).items()
    if "image" in service
]
PUBLIC = [
    service for service in services(FASTAPI).values() if "public" in service.get("profiles", [])
]
both_files = pytest.mark.parametrize("file", [AIRFLOW, FASTAPI])
each_file = pytest.mark.parametrize("file", FILES)
each_service = pytest.mark.parametrize("service", SERVICES)
each_target = pytest.mark.parametrize("target", sorted(CODE))


def variables(file: str) -> list[Variable]:
    """Return all variables of a compose file: `${NAME}`, and environment names without a value."""
    written = [Variable(*match.groups()) for match in VARIABLE.finditer((ROOT / file).read_text())]
    alone = [
        Variable(name, None, None)
        for service in services(file).values()
        for name, value in service.get("environment", {}).items()
        if value is None
    ]
    return written + alone


def stages() -> dict[str, Stage]:
    """Parse the Dockerfile: its stages by name."""
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", (ROOT / "Dockerfile").read_text()))
    found: dict[str, Stage] = {}
    for line in filter(None, map(str.strip, joined.splitlines())):
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            parent, _, name = rest.split()
            found[name] = Stage(parent, [])
        else:
            found[name].instructions.append((instruction, rest.strip()))
    return found


def lineage(target: str) -> list[tuple[str, str]]:
    """Return all Dockerfile instructions that build an image, those of its first stage first."""
    found = stages()
    if target not in found:
        return []
    return [*lineage(found[target].parent), *found[target].instructions]


def copied(instructions: list[tuple[str, str]], from_stage: str | None = None) -> set[str]:
    """Return the source paths of the COPY instructions.

    Args:
        instructions: Name and arguments of each Dockerfile instruction.
        from_stage: Copies from this build stage are wanted; None for copies from the repository."""
    copies = [rest.split() for instruction, rest in instructions if instruction == "COPY"]
    wanted = f"--from={from_stage}" if from_stage else None
    return {
        source
        for words in copies
        if (words[0] if words[0].startswith("--") else None) == wanted
        for source in words[1 if wanted else 0 : -1]
    }


def built_here(service: dict[str, Any]) -> bool:
    return str(service["image"]).startswith("movie-rating-")


def megabytes(limit: str) -> int:
    assert limit.endswith("m"), limit
    return int(limit.removesuffix("m"))


@each_file
def test_every_variable_of_a_compose_file_is_in_env_example(file: str):
    explained = set(re.findall(r"(?m)^(?:# )?(\w+)=", (ROOT / ".env.example").read_text()))
    assert {variable.name for variable in variables(file)} <= explained


def settings_asked_for(*folders: str) -> set[str]:
    """Find the settings that the code in some folders reads; return their environment variables."""
    text = "\n".join(path.read_text() for name in folders for path in (ROOT / name).rglob("*.py"))
    forms = (r"settings(?:\(\))?\.(\w+)", r"\brequire\(\"(\w+)\"\)")
    asked = {name for form in forms for name in re.findall(form, text)}
    return {name.upper() for name in asked & set(Settings.model_fields)}


@pytest.mark.parametrize("file", [*FILES, "tests/ops/docker-compose-outside.yaml"])
def test_every_file_that_a_compose_file_mounts_exists(file: str):
    # Docker would create an empty folder in place of a missing file.
    for path in mounted_files(file):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize(
    ("file", "name", "folders"),
    [
        (AIRFLOW, "airflow-scheduler", ("dags", "scripts", "movierating")),
        (AIRFLOW, "airflow-worker", ("dags", "scripts", "movierating")),
        (FASTAPI, "api", ("app", "movierating")),
    ],
)
def test_container_gets_every_setting_that_its_code_reads(
    file: str, name: str, folders: tuple[str, ...]
):
    asked = settings_asked_for(*folders)
    assert "S3_BUCKET_NAME" in asked
    given = set(services(file)[name]["environment"])
    assert asked - given == OF_NO_CONTAINER & asked


@both_files
def test_compose_file_and_code_have_the_same_defaults(file: str):
    defaults = Settings()
    written = {
        variable.name: variable.rest
        for variable in variables(file)
        if variable.mark == "-" and variable.name.lower() in Settings.model_fields
    }
    assert written == {name: str(getattr(defaults, name.lower())) for name in written}


@both_files
def test_compose_error_names_the_missing_variable(file: str):
    required = [variable for variable in variables(file) if variable.mark == "?"]
    assert required
    for variable in required:
        assert f"set {variable.name} in .env" in (variable.rest or "")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (
            "api",
            {
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_SESSION_TOKEN",
                "TMDB_API_KEY",
            },
        ),
        ("ui", {"API_KEY"}),
        ("proxy", set()),
    ],
)
def test_service_gets_only_the_secrets_that_it_uses(name: str, wanted: set[str]):
    given = services(FASTAPI)[name]["environment"]
    assert {each for each in given if SECRET_NAME.search(each)} == wanted


def test_api_of_the_trial_gets_keys_that_may_only_read():
    given = services(TRIAL)["api"]["environment"]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert given[name].startswith(f"${{{name.replace('AWS', 'S3_READER')}:?")


@each_service
def test_no_secret_is_in_a_compose_file(service: dict[str, Any]):
    for name, value in service.get("environment", {}).items():
        if SECRET_NAME.search(name) and value is not None:
            match = VARIABLE.fullmatch(value)
            assert match, f"{name} has a value of its own"
            assert match["mark"] == "?", f"{name} has a default"


@both_files
def test_memory_limits_of_an_instance_fit_its_machine(file: str):
    limits = [
        megabytes(service["mem_limit"])
        for service in services(file).values()
        if service.get("profiles") != ["celery"]  # Celery workers are meant for larger machines
    ]
    assert sum(limits) < MACHINE_MB[file]


def test_memory_limits_fit_the_machine_with_two_replicas_and_the_proxy():
    limits = {name: megabytes(each["mem_limit"]) for name, each in services(FASTAPI).items()}
    assert sum(limits.values()) + limits["api"] < MACHINE_MB[FASTAPI]


@each_service
def test_only_the_proxy_has_ports_open_to_other_machines(service: dict[str, Any]):
    if service not in PUBLIC:
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_public_service_is_the_proxy_with_tls_and_passwords():
    (proxy,) = PUBLIC
    assert proxy["image"].startswith("caddy:")
    rules = (ROOT / "ops" / "caddy" / "Caddyfile").read_text()
    assert "basic_auth @guarded" in rules
    assert "auto_https off" not in rules


@each_service
def test_service_restarts_rotates_its_log_and_gains_no_privileges(service: dict[str, Any]):
    assert service["restart"] in {"unless-stopped", "no"}
    assert {"max-size", "max-file"} <= set(service["logging"]["options"])
    # Our images contain an init process, so that they work with engines that provide none.
    assert service.get("init", False) is not built_here(service)
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@each_service
def test_our_images_run_on_a_read_only_file_system(service: dict[str, Any]):
    assert service["read_only"] or not built_here(service)


@both_files
def test_service_starts_only_after_the_services_it_needs(file: str):
    every = services(file)
    waits = {
        (name, needed): how["condition"]
        for name, service in every.items()
        for needed, how in service.get("depends_on", {}).items()
    }
    first = {"postgres", "redis", "api"}
    assert {name for name, _ in waits} == set(every) - first
    for (_, needed), condition in waits.items():
        once = every[needed]["restart"] == "no"
        assert condition == ("service_completed_successfully" if once else "service_healthy")


@each_target
def test_image_contains_only_the_code_that_it_may_import(target: str):
    assert copied(lineage(target)) == CODE[target]


@each_target
def test_image_contains_the_packages_of_its_lock_file(target: str):
    assert copied(lineage(target), from_stage=f"{target}-packages") == {"/opt/venv"}
    installing = stages()[f"{target}-packages"].instructions
    assert copied(installing) == {f"requirements/{target}.txt"}
    assert any("--require-hashes" in rest for name, rest in installing if name == "RUN")


@each_target
def test_image_does_not_run_as_root_and_has_a_health_check(target: str):
    instructions = dict(lineage(target))  # the last instruction of a kind overrides earlier ones
    assert instructions["USER"] == "1000:1000"
    health = instructions["HEALTHCHECK"]
    compile(json.loads(health[health.index("[") :])[2], "<health check>", "exec")


@each_target
def test_first_process_of_an_image_is_an_init(target: str):
    assert dict(lineage(target))["ENTRYPOINT"] == '["tini", "--"]'


def test_dockerfile_passes_its_linter():
    program = Path(sys.executable).with_name("hadolint")
    command = [str(program), "Dockerfile"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.stdout == ""
    assert found.returncode == 0


def test_compose_files_follow_the_specification():
    program = Path(sys.executable).with_name("check-jsonschema")
    command = [str(program), "--builtin-schema", "vendor.compose-spec", *FILES]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(
    "files",
    [(AIRFLOW,), (FASTAPI,), (FASTAPI, MONITORING), (AIRFLOW, FASTAPI, TRIAL)],
    ids=" ".join,
)
def test_current_compose_accepts_the_files_and_their_memory_limits(
    files: tuple[str, ...], tmp_path: Path
):
    wanted = {each.name for file in files for each in variables(file) if each.mark == "?"}
    (tmp_path / ".env").write_text("".join(f"{name}=x\n" for name in wanted | {"S3_BUCKET_NAME"}))
    options = ["--env-file", str(tmp_path / ".env"), "--profile", "celery", "--profile", "public"]
    options += [part for file in files for part in ("--file", file)]
    program = Path(sys.executable).with_name("docker-compose")
    read = subprocess.run(
        [str(program), *options, "config", "--format", "json"],
        cwd=ROOT,
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.returncode == 0, read.stderr
    assert read.stderr == ""
    limits = {
        name: int(service["mem_limit"]) // 2**20
        for name, service in json.loads(read.stdout)["services"].items()
    }
    assert limits == {
        name: megabytes(service["mem_limit"])
        for file in files
        for name, service in services(file).items()
        if "mem_limit" in service
    }


@each_file
def test_compose_files_use_only_features_of_compose_1_29(file: str):
    document = yaml.safe_load((ROOT / file).read_text())
    assert "name" not in document
    assert all("file" in secret for secret in document.get("secrets", {}).values())
    for service in document["services"].values():
        assert not {"env_file", "develop", "annotations", "post_start"} & set(service)


@each_service
def test_every_foreign_image_has_a_version(service: dict[str, Any]):
    name, _, tag = service["image"].partition(":")
    assert built_here(service) or (tag and tag != "latest"), name
    version, _, digest = tag.partition("@")
    if version.count(".") == 2:  # such a tag does not move to newer builds
        assert re.fullmatch("sha256:[0-9a-f]{64}", digest), name


def test_base_image_has_a_version():
    assert f"\nFROM {BASE} AS base\n" in (ROOT / "Dockerfile").read_text()


def test_every_service_of_a_trial_is_only_in_the_network_of_its_instance():
    trial = services(TRIAL)
    for file, network in ((AIRFLOW, "training"), (FASTAPI, "serving")):
        assert {name for name in services(file) if trial[name]["networks"] != [network]} == set()
    both = [name for name, each in trial.items() if len(each["networks"]) > 1]
    assert both == ["s3"]


def test_dockerfile_uses_no_feature_of_buildkit():
    text = (ROOT / "Dockerfile").read_text()
    assert not re.search(r"(?m)^# *syntax=|--mount=|<<\w|COPY +--(link|parents|exclude)", text)


def test_docker_build_context_has_only_the_files_that_images_need():
    first, *others = (
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    )
    assert first == "*"
    let_in = {line.removeprefix("!") for line in others if line.startswith("!")}
    assert let_in == set().union(*CODE.values()) | {"requirements"}
    assert "app/model" in others


@pytest.mark.parametrize("lock", [*sorted(CODE), "uv"])
def test_every_package_in_a_lock_file_has_hashes_and_no_url(lock: str):
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    packages = re.sub(r"\\\n", " ", text).splitlines()
    assert packages
    assert [line for line in packages if "--hash=sha256:" not in line] == []
    assert "://" not in text


def test_pipeline_image_contains_the_driver_for_airflows_database():
    environment = services(AIRFLOW)["airflow-scheduler"]["environment"]
    address = environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    driver = re.match(r"postgresql\+(\w+)://", address)
    assert driver
    assert f"\n{driver[1]}==" in (ROOT / "requirements" / "pipeline.txt").read_text()


def docker(*arguments: str) -> str:
    answer = subprocess.run(
        ["docker", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr[-2000:]
    return answer.stdout.strip()


def skip_without_engine() -> None:
    asked = ["docker", "version"]
    try:
        answers = subprocess.run(asked, capture_output=True, timeout=30, check=False).returncode
    except (OSError, subprocess.TimeoutExpired):
        answers = 1
    if answers != 0:
        pytest.skip("needs a Docker engine, and none answers to `docker version`")


@pytest.fixture(scope="module")
def api_container() -> Iterator[str]:
    """Build the API's image, and start it as the compose file does, with an unreachable S3.

    Yields the container's id.
    """
    skip_without_engine()
    image = "movie-rating-api:test"
    build = ["--target", "api", "--build-arg", "GIT_COMMIT=of-this-test", "--tag", image]
    docker("build", "--network", "host", *build, ".")
    guarded = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--memory", "320m"]
    guarded += ["--volume", "/srv/app/model"]
    away = ["--env", "S3_BUCKET_NAME=none", "--env", "AWS_ENDPOINT_URL_S3=http://127.0.0.1:9"]
    keys = ["--env", "AWS_ACCESS_KEY_ID=nobody", "--env", "AWS_SECRET_ACCESS_KEY=nothing"]
    container = docker(
        "run", "--detach", "--publish", "127.0.0.1::8000", *guarded, *away, *keys, image
    )
    yield container
    docker("rm", "--force", "--volumes", container)
    docker("rmi", image)


def healthy(container: str, within_seconds: float = 60) -> bool:
    until = time.monotonic() + within_seconds
    while time.monotonic() < until:
        if docker("inspect", "--format", "{{.State.Health.Status}}", container) == "healthy":
            return True
        time.sleep(1)
    return False


@pytest.mark.containers
@pytest.mark.timeout(900)
def test_image_builds_with_buildkit_too():
    skip_without_engine()
    clients = [folder for folder in os.get_exec_path() if Path(folder, "docker").exists()]
    build = ["build", "--quiet", "--network", "host", "--target", "ui", "."]
    answers = [
        subprocess.run(
            [Path(folder, "docker"), *build],
            cwd=ROOT,
            env=os.environ | {"DOCKER_BUILDKIT": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        for folder in clients
    ]
    able = [answer for answer in answers if "buildx component is missing" not in answer.stderr]
    if not able:
        pytest.skip("needs a client with BuildKit")
    assert able[0].returncode == 0, able[0].stderr[-2000:]
    image = able[0].stdout.strip()
    assert docker("inspect", "--format", "{{.Config.User}}", image) == "1000:1000"


@pytest.mark.containers
@pytest.mark.timeout(900)  # the first build downloads every package
def test_api_image_starts_without_s3_and_reports_that_it_has_no_model(api_container: str):
    assert healthy(api_container), docker("logs", api_container)
    address = docker("port", api_container, "8000/tcp")
    assert requests.get(f"http://{address}/livez", timeout=10).status_code == 200
    ready = requests.get(f"http://{address}/readyz", timeout=10)
    assert ready.status_code == 503
    assert "S3 cannot be reached" in ready.text


@pytest.mark.containers
@pytest.mark.timeout(900)
def test_api_image_does_not_run_as_root_and_has_no_training_code(api_container: str):
    assert docker("exec", api_container, "id", "--user") == "1000"
    assert docker("exec", api_container, "printenv", "GIT_COMMIT") == "of-this-test"
    looked_for = "airflow", "pandas", "sklearn", "scripts", "dags", "sandbox", "streamlit"
    search = "import importlib.util as u, sys; print([n for n in sys.argv[1:] if u.find_spec(n)])"
    assert docker("exec", api_container, "python", "-c", search, *looked_for) == "[]"


@pytest.mark.containers
@pytest.mark.timeout(900)
def test_api_image_is_small_and_its_first_process_is_an_init(api_container: str):
    image = docker("inspect", "--format", "{{.Image}}", api_container)
    sizes = [int(docker("inspect", "--format", "{{.Size}}", each)) for each in (image, BASE)]
    assert (sizes[0] - sizes[1]) / 1e6 < LARGEST_API_MB
    assert docker("exec", api_container, "cat", "/proc/1/comm") == "tini"


@pytest.mark.containers
@pytest.mark.timeout(900)
def test_api_image_can_write_only_to_its_cache_and_tmp(api_container: str):
    script = "touch /srv/app/model/it /tmp/it && ! touch /srv/it 2>/dev/null && echo well"
    assert docker("exec", api_container, "sh", "-c", script) == "well"


@pytest.mark.containers
@pytest.mark.timeout(900)
def test_api_image_reads_languages_and_countries_as_without_a_container(api_container: str):
    program = (
        "from movierating.films.countries import country_code\n"
        "from movierating.films.languages import language_code\n"
        "texts = 'Korean', '광둥어', 'kr', 'br', 'pt-BR', 'fil', '대한민국', 'South Korea', 'uk'\n"
        "print([(language_code(each), country_code(each)) for each in texts])"
    )
    here = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert docker("exec", api_container, "python", "-c", program) == here.stdout.strip()


@pytest.mark.parametrize("file", [AIRFLOW, FASTAPI])
def test_requests_between_containers_go_round_the_proxy(file: str):
    for service in services(file).values():
        environment = service.get("environment", {})
        if "HTTP_PROXY" in environment:
            assert environment["NO_PROXY"] == environment["no_proxy"]
            assert {"127.0.0.1", "::1"} <= set(environment["NO_PROXY"].split(","))
    called = re.findall(r"//(?:\w+@)?([a-z][\w-]+)[:/]", (ROOT / file).read_text())
    listed = next(
        service["environment"]["NO_PROXY"].split(",")
        for service in services(file).values()
        if "NO_PROXY" in service.get("environment", {})
    )
    assert set(called) & set(services(file)) <= set(listed)


@each_target
def test_health_check_of_an_image_goes_round_the_proxy(target: str):
    """The image's own check is run, with a proxy and an address that do not answer."""
    (check,) = [rest for name, rest in lineage(target) if name == "HEALTHCHECK"]
    program = json.loads(check[check.index("[") :])
    code = re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{free_ports(1)[0]}", program[-1])
    with recording_proxy() as proxy:
        result = subprocess.run(
            [sys.executable, "-c", code],
            env={"http_proxy": proxy.url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert "Connection refused" in result.stderr
    assert proxy.seen == []
