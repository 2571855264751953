"""Alert rules and dashboard: valid, really run, and about measurements that are there."""

import importlib.util
import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from sandbox.state import free_ports
from tests.app.conftest import FILM
from tests.bundles import put_into_production
from tests.install_prometheus import program
from tests.live_service import LiveService, running_service

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "ops" / "prometheus"
RULES = yaml.safe_load((PROMETHEUS / "rules.yaml").read_text())
DASHBOARD = json.loads((ROOT / "ops" / "grafana" / "dashboards" / "movierating.json").read_text())
NAME = re.compile(r"\b(?:airflow|movierating|process)[a-z0-9_:]*(?=[{\[) ]|$)")
OF_PROMETHEUS = {"up"}
# How OpenTelemetry's names come out in Prometheus: dots, the unit, the kind.
SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "timer": ("_milliseconds_count", "_milliseconds_sum", "_milliseconds_bucket"),
}


def rules(kind: str) -> dict[str, dict[str, Any]]:
    every = [rule for group in RULES["groups"] for rule in group["rules"]]
    return {rule[kind]: rule for rule in every if kind in rule}


def queries() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def declared_by_airflow() -> set[str]:
    """Every measurement that Airflow says it sends, as Prometheus names it."""
    found = importlib.util.find_spec("airflow")
    assert found
    assert found.origin
    folder = Path(found.origin).parent / "_shared" / "observability" / "metrics"
    declared = yaml.safe_load((folder / "metrics_template.yaml").read_text())["metrics"]
    return {
        f"airflow_{re.sub('[^a-z0-9]+', '_', each['name'].lower())}{suffix}"
        for each in declared
        for suffix in SUFFIXES[each["type"]]
    }


def checked(name: str, *arguments: str | Path) -> None:
    tool = program(name)
    if tool is None:
        pytest.skip(f"needs {name}, which `make test` fetches from Debian")
    done = subprocess.run(
        [tool, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def service(s3_server, packed, tmp_path_factory) -> Iterator[LiveService]:
    """The service with a model, after one forecast of each contract's kind."""
    from movierating.registry import Registry
    from movierating.s3 import open_bucket

    settings = s3_server.settings(s3_server.new_bucket(), model_poll_seconds=1)
    put_into_production(Registry(open_bucket(settings)), packed)
    with running_service(settings, tmp_path_factory.mktemp("service")) as running:
        requests.post(f"{running.url}/predict", json=FILM, timeout=10).raise_for_status()
        yield running


def measured_by(service: LiveService) -> set[str]:
    text = requests.get(f"{service.url}/metrics", timeout=10).text
    families = text_string_to_metric_families(text)
    return {sample.name for family in families for sample in family.samples}


def test_rules_and_configuration_are_valid():
    checked("promtool", "check", "config", "prometheus.yaml")
    checked("amtool", "check-config", "alertmanager.yaml")


def test_each_alert_speaks_when_it_should_and_is_silent_otherwise():
    checked("promtool", "test", "rules", "rules_test.yaml")


def test_each_alert_is_tested_and_tells_what_to_do():
    tests = yaml.safe_load((PROMETHEUS / "rules_test.yaml").read_text())["tests"]
    spoken = {
        case["alertname"]
        for each in tests
        for case in each["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert spoken == set(rules("alert"))
    operations = (ROOT / "docs" / "operations.md").read_text()
    for name, rule in rules("alert").items():
        assert {"summary", "action"} <= set(rule["annotations"]), name
        for heading in re.findall(r'operations.md, "(.+?)"', rule["annotations"]["action"]):
            assert f"# {heading}\n" in operations


def test_rules_and_dashboard_ask_for_measurements_that_are_there(service: LiveService):
    there = measured_by(service) | declared_by_airflow() | set(rules("record")) | OF_PROMETHEUS
    asked = [
        *queries(),
        *(rule["expr"] for rule in (*rules("alert").values(), *rules("record").values())),
    ]
    names = {name for query in asked for name in NAME.findall(query)}
    assert names - there == set()
    assert any(name.startswith("airflow_") for name in names)


@contextmanager
def running_prometheus(target: str, folder: Path) -> Iterator[str]:
    """Prometheus with our rules, asking one replica every second."""
    (port,) = free_ports(1)
    configuration = yaml.safe_load((PROMETHEUS / "prometheus.yaml").read_text())
    del configuration["alerting"]
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    replicas = configuration["scrape_configs"][0]
    del replicas["dns_sd_configs"]
    replicas["static_configs"] = [{"targets": [target]}]
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
    (folder / "rules.yaml").write_text((PROMETHEUS / "rules.yaml").read_text())
    tool = program("prometheus")
    if tool is None:
        pytest.skip("needs prometheus, which `make test` fetches from Debian")
    command = [
        str(tool),
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (
        (folder / "prometheus.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as process,
    ):
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def answer(prometheus: str, query: str) -> list[Any]:
    try:
        found = requests.get(f"{prometheus}/api/v1/query", params={"query": query}, timeout=10)
    except requests.ConnectionError:
        return []
    if found.status_code == requests.codes.service_unavailable:  # it has just been started
        return []
    assert found.ok, found.text
    result: list[Any] = found.json()["data"]["result"]
    return result


def test_dashboard_shows_the_service_that_runs(service: LiveService, tmp_path: Path):
    of_the_service = [query for query in queries() if "airflow" not in query]
    # Rates need two readings, and something that happens between them.
    with running_prometheus(service.url.removeprefix("http://"), tmp_path) as prometheus:
        empty, deadline = of_the_service, time.monotonic() + 60
        while empty and time.monotonic() < deadline:
            requests.post(f"{service.url}/predict", json=FILM, timeout=10)
            time.sleep(0.5)
            empty = [query for query in empty if not answer(prometheus, query)]
    # Failures of the pipeline come from Airflow, by a rule of ours.
    assert [query for query in empty if "dag_failures" not in query] == []
