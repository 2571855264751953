from typing import Any

import pytest

from tests.support.stub_api import FORECAST, RATINGS
from ui.client.predictions import Forecast, RatingHistogram
from ui.i18n.words import Words
from ui.widgets import charts

KO = Words("ko")


every_chart = pytest.mark.parametrize(
    "spec",
    [
        charts.rating_scale(KO, Forecast.parse(FORECAST), RatingHistogram.parse(RATINGS)),
        charts.contributions([("people", 0.5), ("plot", -0.1)]),
        charts.errors([("ours", 0.6, True), ("mean", 0.8, False)]),
        charts.plain_bars([("people", 0.5)]),
        charts.calibration(KO, [(5.0, 5.1), (7.0, 6.9)]),
        charts.calibration(KO, []),
        charts.errors_over_time(
            {"ours": [("a", 0.6)], "mean": [], "genre": [], "old": [], "new": []},
            [("a", 0.6)],
            ["b"],
        ),
        charts.compared_films([("1. film", 6.0, 5.0, 7.0)]),
    ],
)
# The backgrounds of Streamlit's two themes, which .streamlit/config.toml does not change.
BACKGROUNDS = ("#ffffff", "#0e1117")
POINT = {charts.POINT_FILL, charts.POINT_LINE}


def values(spec: dict[str, Any], layer: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = spec["layer"][layer]["data"]["values"]
    return found


def test_rating_scale_shows_forecast_interval_and_histogram():
    spec = charts.rating_scale(KO, Forecast.parse(FORECAST), RatingHistogram.parse(RATINGS))
    assert sum(each["films"] for each in values(spec, 0)) == 1300
    assert (values(spec, 0)[0]["from"], values(spec, 0)[-1]["to"]) == (0, 10)
    assert values(spec, 1) == [{"low": 5.93, "high": 7.74}]
    assert values(spec, 2) == values(spec, 3) == values(spec, 4) == [{"at": 6.84}]


def test_rating_scale_needs_no_histogram():
    spec = charts.rating_scale(KO, Forecast.parse(FORECAST), None)
    assert values(spec, 0) == [{"low": 5.93, "high": 7.74}]


@every_chart
def test_data_are_inside_the_layers_so_that_streamlit_loads_no_pandas(spec: dict[str, Any]):
    assert "data" not in spec
    assert "datasets" not in spec
    assert all(layer["data"]["values"] is not None for layer in spec["layer"])


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour such as #0d9488, as WCAG defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(colour: str, other: str) -> float:
    darker, lighter = sorted([luminance(colour), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def colours_in(spec: Any) -> set[str]:
    """Return every colour in a part of a chart."""
    if isinstance(spec, dict):
        return set().union(*map(colours_in, spec.values()))
    if isinstance(spec, list | tuple):
        return set().union(*map(colours_in, spec))
    return {spec} if isinstance(spec, str) and spec.startswith("#") else set()


@every_chart
def test_every_mark_can_be_seen_in_both_themes(spec: dict[str, Any]):
    """The band of the interval had a contrast of 1.36:1, because it was translucent."""
    for layer in spec["layer"]:
        assert layer["mark"].get("opacity", 1) == 1
        for colour in colours_in(layer["mark"]) | colours_in(layer["encoding"]):
            if colour in POINT:
                continue
            assert min(contrast(colour, background) for background in BACKGROUNDS) >= 3


def test_mark_of_a_forecast_can_be_seen_on_everything_around_it():
    for behind in (*BACKGROUNDS, charts.ACCENT, charts.FAINT):
        assert max(contrast(colour, behind) for colour in POINT) >= 3
    assert contrast(*POINT) >= 3


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
