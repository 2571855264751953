from benchmarks.load import Measured
from benchmarks.serving import Round, summary


def rounds(*per_second: float) -> list[Round]:
    return [Round(Measured(100, each, 1000 / each, 2000 / each), 1e6 / each) for each in per_second]


def test_ratio_to_the_bare_endpoint_is_the_median_over_rounds():
    done = {
        "bare": rounds(1000, 2000, 4000),
        "old": rounds(10, 40, 40),
        "get": rounds(600, 1000, 3000),
    }
    figures = summary(done)
    assert figures["get_ratio"] == 0.6
    assert figures["get_ratio_from_to"] == [0.5, 0.75]
    assert figures["old_get_ratio"] == 0.01


def test_every_target_has_latencies_and_processor_time():
    figures = summary({"bare": rounds(1000), "old": rounds(100), "get": rounds(500)})
    assert (figures["old_p50_ms"], figures["get_p99_ms"]) == (10.0, 4.0)
    assert (figures["bare_per_second"], figures["get_cpu_us"]) == (1000, 2000)
