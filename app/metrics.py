"""The API's metrics for Prometheus."""

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
# Upper limits of the histogram's bins: every half rating point from 0.5 to 9.5.
_RATINGS: Final = tuple(half / 2 for half in range(1, 20))
# A caller can send any word as the HTTP method. Other words share the label `other`, because each
# label value becomes a time series of its own.
_METHODS: Final = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"})


class Metrics:
    """The metrics of one application, in a separate Prometheus registry."""

    def __init__(self, follower: Follower) -> None:
        """Create all metrics with the value zero.

        The metrics about the model read their values from `follower`, the model follower.
        """
        # Otherwise the library adds a series with the creation time to each counter, which nobody
        # needs.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._registry.register(_ModelCollector(follower))
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "movierating_http_requests",
            "Answered requests.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "movierating_http_request_duration_seconds",
            "Time from the start of a request to the end of its response.",
            ("route",),
            buckets=_LATENCY_SECONDS,
            registry=self._registry,
        )
        self._ratings = Histogram(
            "movierating_predicted_rating",
            "Forecast ratings, 0 to 10.",
            ("contract",),
            buckets=_RATINGS,
            registry=self._registry,
        )
        self._predictions = Counter(
            "movierating_predictions",
            "Films forecast, by contract: facts, or the old codes.",
            ("contract",),
            registry=self._registry,
        )
        # Finding a counter by its labels is slower than increasing it, so the result is cached. The
        # caches remain small, because there are few routes and statuses.
        self._requests_series = cache(self._requests.labels)
        self._seconds_series = cache(self._seconds.labels)
        self._predictions_series = cache(self._predictions.labels)
        self._ratings_series = cache(self._ratings.labels)

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request, and record how long it took.

        Args:
            method: The HTTP method as sent; unknown methods are counted as `other`.
            route: The template of the path, such as `/v1/predict`.
            status: HTTP status of the response.
            seconds: Time until the end of the response.
        """
        known = method if method in _METHODS else "other"
        self._requests_series(known, route, str(status)).inc()
        self._seconds_series(route).observe(seconds)

    def count_forecast(self, rating: float, contract: Literal["facts", "codes"]) -> None:
        """Count one forecast, and record its rating.

        Args:
            rating: The forecast rating.
            contract: "facts" for `POST /predict`, "codes" for the old contract (`GET /predict`).
        """
        self._predictions_series(contract).inc()
        self._ratings_series(contract).observe(rating)

    def exposition(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self._registry)


class _ModelCollector(Collector):
    """Metrics of the model in service, computed each time that Prometheus reads the metrics.

    If they were stored instead, the values of a replaced version would remain among the metrics.
    """

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "movierating_registry_failed_polls",
            "Polls after which the service did not run the version in production.",
            value=self._follower.failed_polls,
        )
        if self._follower.last_success is not None:
            yield GaugeMetricFamily(
                "movierating_registry_last_success_timestamp_seconds",
                "Time of the last poll after which the service ran the version in production.",
                value=self._follower.last_success,
            )
        yield from self._version_metrics()

    def _version_metrics(self) -> Iterator[Metric]:
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
