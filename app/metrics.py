"""What the service measures of itself, in the form of Prometheus."""

import time
from collections.abc import Iterator
from functools import cache
from typing import Final, Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from app.background.model_follower import Follower

_LATENCY_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_RATINGS: Final = tuple(half / 2 for half in range(1, 20))
# Anyone can send any word as a method, and each would be a time series.
_METHODS: Final = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"})


class Metrics:
    """Counts of one application; each has a registry of its own."""

    def __init__(self, follower: Follower) -> None:
        """Count from zero, and tell of the follower's versions."""
        # It would be one more series for each, which nobody reads.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._registry.register(_OfTheModel(follower))
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "movierating_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "movierating_http_request_duration_seconds",
            "Time from a request to the end of its answer.",
            ("route",),
            buckets=_LATENCY_SECONDS,
            registry=self._registry,
        )
        self._ratings = Histogram(
            "movierating_predicted_rating",
            "Forecast ratings, 0 to 10; the count is that of the predictions.",
            ("contract",),
            buckets=_RATINGS,
            registry=self._registry,
        )
        self._predictions = Counter(
            "movierating_predictions",
            "Films forecast, by the contract they came in.",
            ("contract",),
            registry=self._registry,
        )
        # Finding a series takes longer than counting; there are few, by routes and statuses.
        self._requests_of = cache(self._requests.labels)
        self._seconds_of = cache(self._seconds.labels)
        self._predictions_of = cache(self._predictions.labels)
        self._ratings_of = cache(self._ratings.labels)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request under the template of its route."""
        known = method if method in _METHODS else "other"
        self._requests_of(known, route, str(status)).inc()
        self._seconds_of(route).observe(seconds)

    def predicted(self, rating: float, contract: Literal["facts", "codes"]) -> None:
        """Count a forecast."""
        self._predictions_of(contract).inc()
        self._ratings_of(contract).observe(rating)

    def exposition(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)


class _OfTheModel(Collector):
    """Reads the follower when it is asked, so that nothing outlives a version."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "movierating_registry_failed_polls",
            "Polls after which the service did not run what is in production.",
            value=self._follower.failed_polls,
        )
        if self._follower.last_success is not None:
            yield GaugeMetricFamily(
                "movierating_registry_last_success_timestamp_seconds",
                "When the service last made sure that it runs what is in production.",
                value=self._follower.last_success,
            )
        yield from self._version()

    def _version(self) -> Iterator[Metric]:
        served = self._follower.served
        yield GaugeMetricFamily(
            "movierating_model_ready", "Whether a verified model is in service.", value=bool(served)
        )
        if served is None:
            return
        info = GaugeMetricFamily(
            "movierating_model_info",
            "The version in service.",
            labels=("version", "run_date", "commit", "loaded_from"),
        )
        manifest = served.bundle.manifest
        facts = (manifest.version, str(manifest.run_date), manifest.commit, served.loaded_from)
        info.add_metric(facts, 1)
        yield info
        yield GaugeMetricFamily(
            "movierating_model_age_seconds",
            "Time since the model in service was trained.",
            value=max(time.time() - manifest.created_at.timestamp(), 0),
        )
