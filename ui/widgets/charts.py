"""The charts of the UI, as specifications in the language Vega-Lite.

To save memory, each specification has its data inside the layers of the chart. If the data were at
the top level, Streamlit would convert them with pandas and pyarrow. These two libraries need 100 MB
of memory, and the serving machine has only 1 GiB.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ui.client.predictions import Forecast, RatingHistogram
from ui.i18n.words import Words

Spec = dict[str, Any]

# Each colour has a contrast of 3:1 or more with the background of the light and of the dark theme.
# So marks that matter are opaque: one that lets the background through is harder to see.
ACCENT: Final = "#0d9488"
DOWN: Final = "#b45309"
FAINT: Final = "#7c8798"
# The mark of a forecast is in both colours, and one of them is visible on every background.
POINT_FILL: Final = "#ffffff"
POINT_LINE: Final = "#111827"
BASELINE_COLOURS: Final = ("#7c8798", "#b7791f", "#8b73d6", "#c2608f")
SCALE: Final = (0, 10)
# The lower and the upper end of the interval's band, as parts of the histogram's height.
_BAND: Final = (-0.22, -0.04)


def rating_scale(words: Words, forecast: Forecast, ratings: RatingHistogram | None) -> Spec:
    """Create the chart of one forecast: the forecast rating and its interval on a scale.

    Above the interval is a histogram of other films' ratings, if `ratings` is given.
    """
    # An interval can extend beyond the scale, so end it at the scale's ends.
    low, high = (min(max(each, SCALE[0]), SCALE[1]) for each in (forecast.low, forecast.high))
    rating = min(max(forecast.rating, SCALE[0]), SCALE[1])
    highest = (max(ratings.counts, default=0) if ratings else 0) or 1

    # The band is below the histogram and not in front of it, so it is opaque and hides nothing.
    def height(part: float) -> Spec:
        scale = {"domain": [_BAND[0] * highest, highest], "nice": False}
        return {"datum": part * highest, "type": "quantitative", "axis": None, "scale": scale}

    band = _layer([{"low": low, "high": high}], _mark("rect", ACCENT), x="low", x2="high")
    band["encoding"] |= {"y": height(_BAND[0]), "y2": {"datum": _BAND[1] * highest}}
    # A dark line with a white edge is visible on every background, also on the histogram.
    edge, line = (
        _layer([{"at": rating}], _mark("rule", colour, strokeWidth=width), x="at")
        for colour, width in ((POINT_FILL, 7), (POINT_LINE, 3))
    )
    point = _layer([{"at": rating}], _point(size=150), x="at")
    point["encoding"]["y"] = height(sum(_BAND) / 2)
    layers = [band, edge, line, point]
    if ratings is not None:
        layers.insert(0, _histogram(words, ratings))
    return _chart(layers, 210)


def _histogram(words: Words, ratings: RatingHistogram) -> Spec:
    bins = [
        {
            "from": ratings.lowest + at * ratings.step,
            "to": ratings.lowest + (at + 1) * ratings.step,
            "films": count,
            "none": 0,  # the lower end of the bar
        }
        for at, count in enumerate(ratings.counts)
    ]
    layer = _layer(bins, _mark("rect", FAINT, tooltip=True, binSpacing=1), x="from", x2="to")
    films = {"field": "films", "type": "quantitative", "axis": None}
    layer["encoding"] |= {
        "y": films,
        "y2": {"field": "none"},
        "tooltip": [
            {"field": "from", "title": words("picture.from"), "format": ".1f"},
            {"field": "to", "title": words("picture.to"), "format": ".1f"},
            {"field": "films", "title": words("picture.films"), "format": ","},
        ],
    }
    return layer


def contributions(named: Sequence[tuple[str, float]]) -> Spec:
    """Create the bar chart of the reasons for a forecast.

    A bar goes to the right if the fact raises the forecast, and to the left if it lowers it.

    Args:
        named: Pairs of a reason's name and its contribution to the forecast, in rating points.
    """
    bars = [{"name": name, "points": points, "up": points >= 0} for name, points in named]
    encoding = {
        "y": _names(),
        "x": {"field": "points", "type": "quantitative", "axis": _axis("+.2f")},
        "color": {
            "field": "up",
            "type": "nominal",
            "scale": {"domain": [True, False], "range": [ACCENT, DOWN]},
            "legend": None,
        },
    }
    return _bars(bars, encoding)


def errors(named: Sequence[tuple[str, float, bool]]) -> Spec:
    """Create the bar chart that compares the model's RMSE with those of the baselines.

    Args:
        named: For each bar, the name, the RMSE, and whether it is the model's (not a baseline's).
            The model's bars have another colour.
    """
    bars = [{"name": name, "rmse": rmse, "ours": ours} for name, rmse, ours in named]
    encoding = {
        "y": _names(),
        "x": {"field": "rmse", "type": "quantitative", "axis": _axis(".2f")},
        "color": {
            "field": "ours",
            "type": "nominal",
            "scale": {"domain": [True, False], "range": [ACCENT, FAINT]},
            "legend": None,
        },
    }
    return _bars(bars, encoding)


def plain_bars(named: Sequence[tuple[str, float]]) -> Spec:
    """Create a bar chart of values that are never negative, such as the importance of facts.

    Args:
        named: Pairs of a bar's name and its value.
    """
    bars = [{"name": name, "size": size} for name, size in named]
    x = {"field": "size", "type": "quantitative", "axis": _axis(".2f")}
    return _bars(bars, {"y": _names(), "x": x, "color": {"value": ACCENT}})


def errors_over_time(
    lines: Mapping[str, Sequence[tuple[str, float]]],
    promoted: Sequence[tuple[str, float]] = (),
    rolled_back: Sequence[str] = (),
    **axis: Any,
) -> Spec:
    """Create the line chart of RMSE over days or months, with a line for the model and baselines.

    Args:
        lines: By the line's name, its points: pairs of a time in ISO 8601 and an RMSE. The first
            line is the model's.
        promoted: The points of the model's line that get a triangle, because this version was put
            into production.
        rolled_back: The times of rollbacks to an earlier version. They get a vertical line.
        axis: More properties of the time axis, as Vega-Lite defines them.
    """
    values = [
        {"at": at, "rmse": rmse, "name": name}
        for name, points in lines.items()
        for at, rmse in points
    ]
    # Ordinal: the points have equal distances, however long the time between two runs is.
    at = {"field": "at", "type": "ordinal", "axis": {"title": None, "labelAngle": 0} | axis}
    # The axis need not start at 0, because the differences between the errors are small.
    rmse = {"field": "rmse", "type": "quantitative", "scale": {"zero": False}}
    place = {"x": at, "y": rmse | {"axis": {"title": "RMSE", "tickCount": 5}}}
    layers: list[Spec] = [
        {
            "data": {"values": values},
            "mark": {"type": "line", "point": {"size": 40}, "strokeWidth": 2.5, "tooltip": True},
            "encoding": place | _line_styles(list(lines)),
        },
        {
            "data": {"values": [{"at": moment, "rmse": error} for moment, error in promoted]},
            "mark": _mark("point", ACCENT, shape="triangle-up", filled=True, size=190, opacity=1),
            "encoding": place,
        },
        {
            "data": {"values": [{"at": moment} for moment in rolled_back]},
            "mark": _mark("rule", DOWN, strokeWidth=2, strokeDash=[6, 4]),
            "encoding": {"x": at},
        },
    ]
    # Screen readers would announce an empty layer as a picture without a text.
    layers = [layer for layer in layers if layer["data"]["values"]]
    return _chart(layers, 420)


def _line_styles(names: Sequence[str]) -> Spec:
    """Choose a colour and a dash pattern for each line of a chart.

    The dash patterns help people who cannot see the difference between the colours. The first line
    is solid.
    """
    legend = {
        "title": None,
        "orient": "top",
        "columns": 1,
        "labelLimit": 320,
        "symbolType": "stroke",
        "symbolSize": 400,
    }
    colours = [
        ACCENT,
        *(BASELINE_COLOURS[at % len(BASELINE_COLOURS)] for at in range(len(names) - 1)),
    ]
    # [1, 0] is a solid line; the others have dashes of different lengths.
    dashes = [[1, 0], *([4 + 2 * at, 3] for at in range(len(names) - 1))]

    # Both channels have the same field and legend, so Vega-Lite draws only one legend.
    def channel(styles: Sequence[Any]) -> Spec:
        scale = {"domain": names, "range": styles}
        return {"field": "name", "type": "nominal", "scale": scale, "legend": legend}

    return {"color": channel(colours), "strokeDash": channel(dashes)}


def calibration(words: Words, points: Sequence[tuple[float, float]]) -> Spec:
    """Create the chart of the calibration: mean ratings against mean forecasts.

    A second line shows where both are equal.

    Args:
        words: The texts in the visitor's language.
        points: Pairs of mean forecast and mean rating, for groups of films.
    """
    values = [{"forecast": forecast, "rating": rating} for forecast, rating in points]
    ends = [min(map(min, points), default=0), max(map(max, points), default=10)]
    line = [{"forecast": end, "rating": end} for end in ends]
    encoding = {
        name: {
            "field": name,
            "type": "quantitative",
            "scale": {"zero": False},
            "axis": {"title": words(f"picture.{name}")},
        }
        for name in ("forecast", "rating")
    }
    axes = {"x": encoding["forecast"], "y": encoding["rating"]}
    layers = [
        {"data": {"values": line}, "mark": _mark("line", FAINT), "encoding": axes},
        {
            "data": {"values": values},
            "mark": _mark("line", ACCENT, point={"filled": True, "size": 60, "color": ACCENT}),
            "encoding": axes,
        },
    ]
    return {"layer": layers, "height": 260}


def calibration_text(words: Words, points: Sequence[tuple[float, float]]) -> str:
    """Return the content of the calibration chart as a text for screen readers."""
    return words.joined(
        [
            words(
                "model.calibration_point",
                forecast=words.number(forecast, "0.0"),
                rating=words.number(rating, "0.0"),
            )
            for forecast, rating in points
        ]
    )


def compared_films(films: Sequence[tuple[str, float, float, float]]) -> Spec:
    """Create the chart that compares films: one row per film, with its forecast and interval.

    Args:
        films: For each film, its name, its forecast rating, and the lower and the upper end of the
            interval.
    """
    values = [
        {"name": name, "rating": rating, "low": low, "high": high}
        for name, rating, low, high in films
    ]
    bars = _layer(values, _mark("bar", ACCENT, height=12), x="low", x2="high")
    dots = _layer(values, _point(size=90), x="rating")
    for layer in (bars, dots):
        layer["encoding"]["y"] = _names()
    return _chart([bars, dots], {"step": 28})


def _chart(layers: list[Spec], height: Any) -> Spec:
    return {"layer": layers, "height": height, "config": {"view": {"stroke": None}}}


def _bars(values: list[Spec], encoding: Spec) -> Spec:
    layer = {
        "data": {"values": values},
        "mark": {"type": "bar", "cornerRadiusEnd": 3},
        "encoding": encoding,
    }
    return _chart([layer], {"step": 26})


def _layer(values: list[Spec], mark: Spec, x: str, x2: str | None = None) -> Spec:
    axis = {"title": None, "values": list(range(SCALE[0], SCALE[1] + 1)), "grid": False}
    encoding: Spec = {
        "x": {"field": x, "type": "quantitative", "scale": {"domain": SCALE}, "axis": axis}
    }
    if x2:
        encoding["x2"] = {"field": x2}
    return {"data": {"values": values}, "mark": mark, "encoding": encoding}


def _mark(kind: str, colour: str, **properties: Any) -> Spec:
    return {"type": kind, "color": colour, **properties}


def _point(size: int) -> Spec:
    """Create the mark of a forecast on top of its band."""
    line = {"fill": POINT_FILL, "stroke": POINT_LINE, "strokeWidth": 2}
    return {"type": "point", "size": size, "opacity": 1} | line


def _axis(number_format: str) -> Spec:
    return {"title": None, "format": number_format, "tickCount": 5}


def _names() -> Spec:
    # "sort": None keeps the order of the data; by default Vega-Lite sorts by name.
    axis = {"title": None, "labelLimit": 150}
    return {"field": "name", "type": "nominal", "sort": None, "axis": axis}
