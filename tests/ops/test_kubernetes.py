import importlib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from app.main import create_app
from movierating.settings import Settings
from sandbox.airflow import TMDB_POOL

FOLDER = Path(__file__).parents[2] / "ops" / "kubernetes"
SERVING = list(yaml.safe_load_all((FOLDER / "serving.yaml").read_text()))
VALUES = yaml.safe_load((FOLDER / "airflow-values.yaml").read_text())
OLDEST, NEWEST = "1.31", "1.37"
DEPLOYMENTS = [each for each in SERVING if each["kind"] == "Deployment"]


def name(each: dict[str, Any]) -> str:
    return f"{each['kind']}-{each['metadata']['name']}"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("manifest", SERVING, ids=name)
def test_manifest_is_valid(manifest: dict[str, Any], version: str):
    assert kubernetes_validate.validate(manifest, version, strict=True) == version


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_manifest_with_a_misspelt_field_is_refused(version: str):
    misspelt = DEPLOYMENTS[0] | {"spec": DEPLOYMENTS[0]["spec"] | {"replicass": 2}}
    with pytest.raises(kubernetes_validate.ValidationError, match="replicass"):
        kubernetes_validate.validate(misspelt, version, strict=True)


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name)
def test_container_is_restricted_as_in_compose(deployment: dict[str, Any]):
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["limits"]["memory"]
    assert not container["image"].endswith(":latest")
    assert ":" in container["image"]


def test_probes_and_rollout_keep_replicas_available():
    (api,) = [each for each in DEPLOYMENTS if each["metadata"]["name"] == "api"]
    (container,) = api["spec"]["template"]["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert api["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert "replicas" not in api["spec"]  # otherwise each apply would override the autoscaler


def test_every_selector_matches_a_deployment():
    labels = [each["spec"]["template"]["metadata"]["labels"] for each in DEPLOYMENTS]
    for each in SERVING:
        wanted = each.get("spec", {}).get("selector", {})
        wanted = wanted.get("matchLabels", wanted)
        assert not wanted or any(wanted.items() <= found.items() for found in labels), name(each)


def test_ingress_routes_to_both_services_with_tls():
    (ingress,) = [each for each in SERVING if each["kind"] == "Ingress"]
    services = {each["metadata"]["name"] for each in SERVING if each["kind"] == "Service"}
    paths = ingress["spec"]["rules"][0]["http"]["paths"]
    assert {path["backend"]["service"]["name"] for path in paths} == services
    assert ingress["spec"]["tls"][0]["hosts"] == [ingress["spec"]["rules"][0]["host"]]


def test_ingress_routes_every_path_of_the_api():
    (ingress,) = [each for each in SERVING if each["kind"] == "Ingress"]
    led = [
        (each["path"], each["pathType"])
        for each in ingress["spec"]["rules"][0]["http"]["paths"]
        if each["backend"]["service"]["name"] == "api"
    ]
    documented = create_app(Settings(s3_bucket_name="none")).openapi()["paths"]
    inner = {"/metrics", "/livez", "/readyz"}  # only used inside the cluster
    for path in {each.removeprefix("/v1") for each in documented} | set(documented):
        if path.removeprefix("/v1") not in inner:
            assert any(_leads(way, kind, path) for way, kind in led), path


@pytest.mark.parametrize("path", ["/metrics", "/v1/metrics"])
def test_ingress_does_not_lead_to_the_metrics(path: str):
    (ingress,) = [each for each in SERVING if each["kind"] == "Ingress"]
    for each in ingress["spec"]["rules"][0]["http"]["paths"]:
        if each["backend"]["service"]["name"] == "api":
            assert not _leads(each["path"], each["pathType"], path)


def test_network_policy_lets_the_ui_reach_only_the_api_and_names():
    (policy,) = [each["spec"] for each in SERVING if name(each) == "NetworkPolicy-ui"]
    assert policy["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "ui"}
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    reached = [
        (list(way["to"][0]), [each["port"] for each in way["ports"]]) for way in policy["egress"]
    ]
    assert reached == [(["podSelector"], [8000]), (["namespaceSelector"], [53, 53])]
    (source,) = [source for way in policy["ingress"] for source in way["from"]]
    assert source["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "ingress-nginx"
    }


def _leads(way: str, kind: str, path: str) -> bool:
    return path == way or (kind == "Prefix" and path.startswith(f"{way}/"))


def test_no_file_contains_a_secret():
    assert [each for each in SERVING if each["kind"] == "Secret"] == []
    given = {each["name"] for each in VALUES["env"]}
    assert not {each for each in given if each.endswith(("_KEY", "_SECRET", "_PASSWORD", "_URL"))}


def test_chart_creates_the_pool_that_the_tasks_need():
    script = VALUES["migrateDatabaseJob"]["args"][-1]
    slots = Settings.model_fields["tmdb_requests_per_second"].default
    assert f'airflow pools set {TMDB_POOL} "${{TMDB_REQUESTS_PER_SECOND:-{slots}}}" ' in script
    assert "airflow db migrate" in script


@pytest.mark.airflow
def test_auth_manager_of_the_chart_is_installed_in_the_image():
    module, _, name = VALUES["config"]["core"]["auth_manager"].rpartition(".")
    assert getattr(importlib.import_module(module), name)
    assert VALUES["createUserJob"]["enabled"] is False


def test_chart_and_image_have_the_same_airflow_version():
    lock = (FOLDER.parents[1] / "requirements" / "pipeline.txt").read_text()
    assert f"\napache-airflow=={VALUES['airflowVersion']} " in lock


def test_workers_of_airflow_share_no_disk():
    assert VALUES["executor"] == "CeleryExecutor"
    assert VALUES["workers"]["celery"]["persistence"]["enabled"] is False
    settings = {each["name"]: each["value"] for each in VALUES["env"]}
    assert settings["DATA_DIR"].startswith("s3://")
    assert int(settings["COLLECT_WORKERS"]) == VALUES["workers"]["celery"]["replicas"]


def test_worker_runs_one_task_at_a_time_as_in_compose():
    compose = yaml.safe_load((FOLDER.parents[1] / "docker-compose-airflow.yaml").read_text())
    settings = compose["services"]["airflow-worker"]["environment"]
    assert settings["AIRFLOW__CELERY__WORKER_CONCURRENCY"] == "1"
    assert VALUES["config"]["celery"]["worker_concurrency"] == 1


def test_both_executors_run_tasks_with_the_same_role_and_memory():
    celery, kubernetes = VALUES["workers"]["celery"], VALUES["workers"]["kubernetes"]
    assert kubernetes["serviceAccount"] == celery["serviceAccount"]
    assert kubernetes["resources"] == celery["resources"]


def test_old_logs_are_deleted_by_a_program_of_the_image():
    parts = (VALUES["workers"]["celery"], VALUES["scheduler"], VALUES["dagProcessor"])
    for part in parts:
        assert part["logGroomerSidecar"]["args"][-1].startswith("while true; do find ")


def test_tasks_know_airflows_database_for_housekeeping_and_the_pool():
    assert {
        "envName": "AIRFLOW_METADATA_CONN",
        "secretName": VALUES["data"]["metadataSecretName"],
        "secretKey": "connection",
    } in VALUES["secret"]
