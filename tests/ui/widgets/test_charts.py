from typing import Any

import pytest

from tests.support.stub_api import FORECAST, RATINGS
from ui.client.predictions import Forecast, RatingHistogram
from ui.i18n.words import Words
from ui.widgets import charts

KO = Words("ko")


def values(spec: dict[str, Any], layer: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = spec["layer"][layer]["data"]["values"]
    return found


def test_rating_scale_shows_forecast_interval_and_histogram():
    spec = charts.rating_scale(KO, Forecast.parse(FORECAST), RatingHistogram.parse(RATINGS))
    assert sum(each["films"] for each in values(spec, 0)) == 1300
    assert (values(spec, 0)[0]["from"], values(spec, 0)[-1]["to"]) == (0, 10)
    assert values(spec, 1) == [{"low": 5.93, "high": 7.74}]
    assert values(spec, 2) == [{"at": 6.84}]


def test_rating_scale_needs_no_histogram():
    spec = charts.rating_scale(KO, Forecast.parse(FORECAST), None)
    assert len(spec["layer"]) == 2


@pytest.mark.parametrize(
    "spec",
    [
        charts.rating_scale(KO, Forecast.parse(FORECAST), RatingHistogram.parse(RATINGS)),
        charts.contributions([("people", 0.5), ("plot", -0.1)]),
        charts.errors([("ours", 0.6, True), ("mean", 0.8, False)]),
        charts.plain_bars([("people", 0.5)]),
        charts.calibration(KO, [(5.0, 5.1), (7.0, 6.9)]),
        charts.calibration(KO, []),
        charts.errors_over_time({"ours": [("2026-11-23", 0.6)], "mean": []}),
        charts.compared_films([("1. film", 6.0, 5.0, 7.0)]),
    ],
)
def test_data_are_inside_the_layers_so_that_streamlit_loads_no_pandas(spec: dict[str, Any]):
    assert "data" not in spec
    assert "datasets" not in spec
    assert all(layer["data"]["values"] is not None for layer in spec["layer"])


def test_contributions_that_raise_and_lower_the_rating_are_marked():
    bars = values(charts.contributions([("people", 0.5), ("plot", -0.1)]), 0)
    assert [bar["up"] for bar in bars] == [True, False]


def test_calibration_text_names_every_point():
    text = charts.calibration_text(Words("en"), [(5.0, 5.12), (7.0, 6.9)])
    assert "forecast 5.0, rating 5.1" in text
    assert "forecast 7.0, rating 6.9" in text


def test_errors_over_time_have_one_line_per_predictor_ours_first():
    spec = charts.errors_over_time({"ours": [("2026-11", 0.6)], "mean": [("2026-11", 0.8)]})
    assert [(each["name"], each["rmse"]) for each in values(spec, 0)] == [
        ("ours", 0.6),
        ("mean", 0.8),
    ]


def test_every_line_has_its_own_colour_and_dashes_and_ours_is_the_accent():
    lines = {name: [("2026-11-23", 0.6)] for name in ("ours", "mean", "genre mean", "old")}
    encoding = charts.errors_over_time(lines)["layer"][0]["encoding"]
    for channel in ("color", "strokeDash"):
        assert encoding[channel]["scale"]["domain"] == list(lines)
        styles = [str(style) for style in encoding[channel]["scale"]["range"]]
        assert len(set(styles)) == len(lines)
    assert encoding["color"]["scale"]["range"][0] == charts.ACCENT


def test_promotions_and_rollbacks_are_marked_over_the_lines():
    spec = charts.errors_over_time({"ours": [("a", 0.6), ("b", 0.5)]}, [("b", 0.5)], ["c"])
    assert values(spec, 1) == [{"at": "b", "rmse": 0.5}]
    assert values(spec, 2) == [{"at": "c"}]


def test_chart_without_promotions_and_rollbacks_has_only_the_lines():
    assert len(charts.errors_over_time({"ours": [("a", 0.6)]})["layer"]) == 1
