"""Test the alert rules and the dashboard with the real Prometheus programs and real metrics."""

import gzip
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from sandbox.s3.process import S3Server
from sandbox.state import free_ports
from tests.app.conftest import FILM
from tests.support.bundles import Packed, put_into_production
from tests.support.install_from_debian import program
from tests.support.live_service import LiveService, running_service

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "ops" / "prometheus"
RULES = yaml.safe_load((PROMETHEUS / "rules.yaml").read_text())
RULE_TESTS = ("rules_test.yaml", "rules_days_test.yaml")
DASHBOARD = json.loads((ROOT / "ops" / "grafana" / "dashboards" / "movierating.json").read_text())
NAME = re.compile(r"\b(?:airflow|movierating|process)[a-z0-9_:]*(?=[{\[) ]|$)")
OF_PROMETHEUS = {"up"}
# Prometheus appends a suffix to the name of an OpenTelemetry metric, by its kind and unit. A timer
# becomes a native histogram, which has no series for count and sum.
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "timer": ("_milliseconds",)}


def rules(kind: str) -> dict[str, dict[str, Any]]:
    every = [rule for group in RULES["groups"] for rule in group["rules"]]
    return {rule[kind]: rule for rule in every if kind in rule}


def queries() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def declared_by_airflow() -> set[str]:
    """Return the Prometheus names of all metrics that Airflow declares."""
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


def complaints(name: str, *arguments: str | Path) -> str:
    """Run a checker such as `promtool`; return its error messages, or an empty string if none."""
    tool = program(name)
    if tool is None:
        pytest.skip(f"needs {name}, which `make test` fetches from Debian")
    done = subprocess.run(
        [tool, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else f"{done.returncode}: {done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def service(
    s3_server: S3Server, packed: Packed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveService]:
    """Start the API with a model, and request one forecast, so that its metrics have values."""
    from movierating.registry.registry import Registry
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
    assert not complaints("promtool", "check", "config", "prometheus.yaml")
    assert not complaints("amtool", "check-config", "alertmanager.yaml")


def test_rules_pass_their_promtool_tests():
    assert not complaints("promtool", "test", "rules", *RULE_TESTS)


def test_each_alert_is_tested_and_has_a_section_in_the_runbook():
    files = [yaml.safe_load((PROMETHEUS / name).read_text()) for name in RULE_TESTS]
    spoken = {
        case["alertname"]
        for file in files
        for each in file["tests"]
        for case in each["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert spoken == set(rules("alert"))
    operations = (ROOT / "docs" / "operations.md").read_text()
    chapter = operations.split("\n## When an alert fires\n")[1].split("\n## ")[0]
    assert set(re.findall(r"(?m)^### (\w+)$", chapter)) == set(rules("alert"))


def test_rules_and_dashboard_use_existing_metrics(service: LiveService):
    there = measured_by(service) | declared_by_airflow() | set(rules("record")) | OF_PROMETHEUS
    asked = [
        *queries(),
        *(rule["expr"] for rule in (*rules("alert").values(), *rules("record").values())),
    ]
    names = {name for query in asked for name in NAME.findall(query)}
    assert names - there == set()
    assert any(name.startswith("airflow_") for name in names)


# A program that sends three metrics with Airflow's own code, as the scheduler does.
SCHEDULER = """
from airflow.observability.metrics import stats_utils
from airflow._shared.observability.metrics import stats
stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
stats.incr("scheduler_heartbeat", 1, 1)
tags = {"dag_id": "tmdb_movie_rating_pipeline", "task_id": "deploy_model_to_s3"}
stats.incr("ti.finish", tags={**tags, "state": "success"})
stats.timing("dagrun.duration.failed", 5000, tags={"dag_id": "tmdb_film_backfill"})
"""


@contextmanager
def receiver() -> Iterator[tuple[str, list[tuple[str, str, bytes]]]]:
    """Start an OpenTelemetry receiver that records all requests.

    Yields its address, and the list of requests: path, Authorization header and body.
    """
    received: list[tuple[str, str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            received.append((self.path, self.headers["Authorization"], body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any, **__: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/otlp", received
        server.shutdown()


@pytest.mark.airflow
def test_airflow_sends_its_metrics_with_a_password_to_an_opentelemetry_receiver(tmp_path: Path):
    with receiver() as (address, received):
        environment = {
            "AIRFLOW_HOME": str(tmp_path),
            "AIRFLOW__METRICS__OTEL_ON": "True",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_ENDPOINT": address,
            "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Basic%20c29tZW9uZTpzZWNyZXQ=",
        }
        done = subprocess.run(
            [sys.executable, "-c", SCHEDULER],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert {(path, password) for path, password, _ in received} == {
        ("/otlp/v1/metrics", "Basic c29tZW9uZTpzZWNyZXQ=")
    }
    sent = {
        metric.name: metric
        for _, _, body in received
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert sent["airflow.scheduler_heartbeat"].sum.is_monotonic  # so Prometheus adds _total
    finished = sent["airflow.ti.finish"].sum
    assert finished.is_monotonic
    (point,) = finished.data_points
    assert {each.key: each.value.string_value for each in point.attributes} == {
        "dag_id": "tmdb_movie_rating_pipeline",
        "task_id": "deploy_model_to_s3",
        "state": "success",
    }
    failed = sent["airflow.dagrun.duration.failed"]
    (point,) = failed.exponential_histogram.data_points  # so Prometheus makes a native histogram
    assert (failed.unit, point.count) == ("ms", 1)
    assert [each.value.string_value for each in point.attributes] == ["tmdb_film_backfill"]


@contextmanager
def running(name: str, *arguments: str, log: Path) -> Iterator[None]:
    """Run a Debian program such as `prometheus` during the block; write its output to `log`."""
    tool = program(name)
    if tool is None:
        pytest.skip(f"needs {name}, which `make test` fetches from Debian")
    with log.open("wb") as stream:
        command = [*as_if_installed(tool), tool, *arguments]
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
        try:
            yield
        finally:
            process.terminate()
            process.wait()


def as_if_installed(tool: Path) -> list[str | Path]:
    """Return the words to put before a command, so that it runs as an installed program does.

    Prometheus reads its templates from /usr/share. If the program is only unpacked, the words
    mount the program's own `share` folder there.
    """
    share = tool.parents[1] / "share"
    if share == Path("/usr/share"):
        return []
    script = 'mount --bind "$0" /usr/share && exec "$@"'
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", script, share]


@contextmanager
def running_prometheus(target: str, folder: Path, alertmanager: str | None = None) -> Iterator[str]:
    """Run Prometheus with the project's alert rules, and yield its address.

    It reads the metrics of `target` every second, and alerts fire without a delay.

    Args:
        target: Host and port of an API replica.
        folder: A folder for configuration, data and log.
        alertmanager: Host and port of an Alertmanager; None for none.
    """
    (port,) = free_ports(1)
    configuration = yaml.safe_load((PROMETHEUS / "prometheus.yaml").read_text())
    managers = [{"static_configs": [{"targets": [alertmanager]}]}] if alertmanager else []
    configuration["alerting"] = {"alertmanagers": managers}
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    replicas = configuration["scrape_configs"][0]
    del replicas["dns_sd_configs"]
    replicas["static_configs"] = [{"targets": [target]}]
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
    at_once = re.sub(r"\bfor: \w+", "for: 0s", (PROMETHEUS / "rules.yaml").read_text())
    (folder / "rules.yaml").write_text(at_once)
    arguments = (
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--rules.alert.resend-delay=1s",  # the first alert is lost if Alertmanager is not up yet
    )
    with running("prometheus", *arguments, log=folder / "prometheus.log"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def running_alertmanager(webhook: str, folder: Path) -> Iterator[str]:
    """Run Alertmanager with the project's routes; yield its host and port.

    It sends alerts to `webhook` immediately, without its usual waiting time."""
    (port,) = free_ports(1)
    (folder / "webhook").write_text(webhook)
    text = (PROMETHEUS / "alertmanager.yaml").read_text()
    text = text.replace("/run/secrets/alert_webhook_url", str(folder / "webhook"))
    text = text.replace("group_wait: 30s", "group_wait: 0s")
    (folder / "alertmanager.yaml").write_text(text)
    arguments = (
        f"--config.file={folder / 'alertmanager.yaml'}",
        f"--storage.path={folder / 'alerts'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    )
    with running("prometheus-alertmanager", *arguments, log=folder / "alertmanager.log"):
        yield f"127.0.0.1:{port}"


def answer(prometheus: str, query: str) -> list[Any]:
    try:
        found = requests.get(f"{prometheus}/api/v1/query", params={"query": query}, timeout=10)
    except requests.ConnectionError:
        return []
    if found.status_code == requests.codes.service_unavailable:  # Prometheus has just started
        return []
    assert found.ok, found.text
    result: list[Any] = found.json()["data"]["result"]
    return result


def test_dashboard_shows_a_running_service(service: LiveService, tmp_path: Path):
    of_the_service = [query for query in queries() if "airflow" not in query]
    # A rate needs two samples and an event between them, so requests are sent until it has a value.
    with running_prometheus(service.url.removeprefix("http://"), tmp_path) as prometheus:
        empty, deadline = of_the_service, time.monotonic() + 60
        while empty and time.monotonic() < deadline:
            requests.post(f"{service.url}/predict", json=FILM, timeout=10)
            time.sleep(0.5)
            empty = [query for query in empty if not answer(prometheus, query)]
    assert empty == []


def test_alert_reaches_the_webhook_in_slacks_format(tmp_path: Path):
    (nobody,) = free_ports(1)
    with (
        receiver() as (address, received),
        running_alertmanager(address, tmp_path) as alertmanager,
        running_prometheus(f"127.0.0.1:{nobody}", tmp_path, alertmanager),
    ):
        deadline = time.monotonic() + 60
        while not received and time.monotonic() < deadline:
            time.sleep(0.2)
    (said,) = json.loads(received[0][2])["attachments"]
    assert said["title"] == "FIRING: ServiceDown"
    assert said["text"] == "No replica of the API answers.\ndocs/operations.md, ServiceDown"
