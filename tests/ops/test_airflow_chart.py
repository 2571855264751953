"""Test the values for Airflow's official Helm chart by rendering the chart with them."""

import importlib
import os
import re
from itertools import chain
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.support.airflow_chart import ABSENT, VALUES, VERSION, chart_path, rendered

EXECUTORS = ("CeleryExecutor", "KubernetesExecutor")
IMAGE = "registry.example/movie-rating-pipeline:1.0.0"
# The programs of our image that containers may start; /entrypoint is `env`.
PROGRAMS = {"airflow", "bash", "sh"}


@pytest.fixture(scope="module")
def chart() -> Path:
    path = chart_path()
    if path is None:
        pytest.skip(ABSENT)
    return path


@pytest.fixture(scope="module", params=EXECUTORS)
def executor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def manifests(chart: Path, executor: str) -> list[dict[str, Any]]:
    return rendered(chart, executor)


@pytest.fixture(scope="module")
def settings(manifests: list[dict[str, Any]]) -> dict[str, str]:
    (found,) = [each["data"] for each in manifests if each["metadata"]["name"] == "training-config"]
    return dict(found)


@pytest.fixture(scope="module")
def pod_of_a_task(
    manifests: list[dict[str, Any]], settings: dict[str, str], executor: str
) -> dict[str, Any]:
    """Return the pod in which a task runs: a worker's, or the one that the executor starts."""
    if executor == "KubernetesExecutor":
        return dict(yaml.safe_load(settings["pod_template_file.yaml"]))
    (worker,) = [each for each in manifests if each["metadata"]["name"] == "training-worker"
                 and each["kind"] == "Deployment"]  # fmt: skip
    return dict(worker["spec"]["template"])


def pods(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each["spec"]["template"] for each in manifests if "template" in each.get("spec", {})]


def containers(pods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lists = [pod["spec"].get(key) for pod in pods for key in ("containers", "initContainers")]
    return list(chain.from_iterable(each or () for each in lists))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", ["1.31", "1.37"])
def test_every_manifest_is_valid(
    manifests: list[dict[str, Any]], pod_of_a_task: dict[str, Any], version: str
):
    assert {"Deployment", "Job", "ConfigMap", "ServiceAccount"} <= {
        each["kind"] for each in manifests
    }
    pod = {"apiVersion": "v1", "kind": "Pod"} | pod_of_a_task
    for manifest in (*manifests, pod):
        assert kubernetes_validate.validate(manifest, version, strict=True) == version


def test_containers_start_only_programs_of_the_image(manifests: list[dict[str, Any]]):
    ours = [each for each in containers(pods(manifests)) if each["image"] == IMAGE]
    assert len(ours) >= 6
    for container in ours:
        words = [*(container.get("command") or ()), *(container.get("args") or ())]
        assert words[0] in PROGRAMS, container["name"]
        # `airflow users` is a command of an auth manager that the image does not contain.
        assert not re.search(r"/clean-logs|airflow users", " ".join(words)), container["name"]


def test_every_secret_is_created_by_the_chart_or_named_in_the_values(
    manifests: list[dict[str, Any]], pod_of_a_task: dict[str, Any]
):
    created = {each["metadata"]["name"] for each in manifests if each["kind"] == "Secret"}
    head = VALUES.read_text().partition("airflowVersion")[0]
    for container in containers([*pods(manifests), pod_of_a_task]):
        references = [
            *(each["valueFrom"]["secretKeyRef"] for each in container.get("env") or ()
              if "secretKeyRef" in each.get("valueFrom", {})),
            *(each["secretRef"] for each in container.get("envFrom") or ()),
        ]  # fmt: skip
        for each in references:
            assert each["name"] in created or each["name"] in head, each
            assert each.get("key", "") in head or each["name"] in created, each


def test_task_gets_the_settings_the_role_and_its_memory(
    manifests: list[dict[str, Any]], pod_of_a_task: dict[str, Any]
):
    task = pod_of_a_task["spec"]["containers"][0]
    names = {each["name"] for each in task["env"]}
    given = {each["name"] for each in yaml.safe_load(VALUES.read_text())["env"]}
    assert given | {"AIRFLOW_METADATA_CONN"} <= names
    assert task["envFrom"] == [{"secretRef": {"name": "movie-rating-training"}}]
    assert task["resources"]["limits"]["memory"] == "1Gi"
    account = pod_of_a_task["spec"]["serviceAccountName"]
    (found,) = [
        each
        for each in manifests
        if each["kind"] == "ServiceAccount" and each["metadata"]["name"] == account
    ]
    assert found["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]


def test_logs_are_in_the_charts_volume(pod_of_a_task: dict[str, Any]):
    task = pod_of_a_task["spec"]["containers"][0]
    (folder,) = [each["value"] for each in task["env"] if each["name"].endswith("BASE_LOG_FOLDER")]
    assert folder in {each["mountPath"] for each in task["volumeMounts"]}


def test_executor_decides_what_runs(
    manifests: list[dict[str, Any]], settings: dict[str, str], executor: str
):
    assert f"\nexecutor = {executor}\n" in settings["airflow.cfg"]
    assert "\nworker_concurrency = 1\n" in settings["airflow.cfg"]
    running = {(each["kind"], each["metadata"]["name"]) for each in manifests}
    with_celery = {("Deployment", "training-worker"), ("StatefulSet", "training-redis")}
    assert bool(running & with_celery) == (executor == "CeleryExecutor")
    (binding,) = [each for each in manifests
                  if each["metadata"]["name"] == "training-pod-launcher-rolebinding"]  # fmt: skip
    launchers = {each["name"] for each in binding["subjects"]}
    assert (executor == "CeleryExecutor") or "training-airflow-scheduler" in launchers


def test_chart_of_the_tests_is_the_one_that_the_values_name():
    assert f"--version {VERSION} " in VALUES.read_text()
    assert os.environ.get("AIRFLOW_CHART") or VERSION in str(chart_path() or VERSION)


@pytest.mark.airflow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pod_that_the_executor_makes_of_the_template_is_valid(chart: Path):
    from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator

    template = next(
        each["data"]["pod_template_file.yaml"]
        for each in rendered(chart, "KubernetesExecutor")
        if "pod_template_file.yaml" in each.get("data", {})
    )
    pod = PodGenerator.construct_pod(
        dag_id="tmdb_film_backfill",
        task_id="fill_slice",
        map_index=3,
        run_id="manual__2026-11-30T00:00:00+00:00",
        try_number=1,
        date=None,
        pod_id="fill-slice-1",
        namespace="movie-rating",
        scheduler_job_id="1",
        kube_image=IMAGE,
        args=["python", "-m", "airflow.sdk.execution_time.execute_workload"],
        pod_override_object=None,
        base_worker_pod=PodGenerator.deserialize_model_dict(yaml.safe_load(template)),
    )
    made = PodGenerator.serialize_pod(pod)
    assert kubernetes_validate.validate(made, "1.37", strict=True) == "1.37"
    (task,) = made["spec"]["containers"]
    assert task["image"] == IMAGE
    assert task["envFrom"] == [{"secretRef": {"name": "movie-rating-training"}}]


@pytest.mark.airflow
@pytest.mark.parametrize("name", EXECUTORS)
def test_executor_is_installed(name: str):
    from airflow.executors.executor_loader import ExecutorLoader

    module, _, executor = ExecutorLoader.executors[name].rpartition(".")
    assert hasattr(importlib.import_module(module), executor)
    lock = (VALUES.parents[2] / "requirements" / "pipeline.txt").read_text()
    assert (
        f"\napache-airflow-providers-{module.split('.executors')[0][18:].replace('.', '-')}=="
        in lock
    )
