"""Charts as Vega-Lite, which Streamlit ships and the browser draws.

The data stand inside the layers: what stands at the top of a specification, Streamlit turns into
Arrow, for which it loads pandas and pyarrow, 100 MB on a serving machine of 1 GiB.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ui.client.predictions import Forecast, Ratings
from ui.i18n.words import Words

Spec = dict[str, Any]

ACCENT: Final = "#0d9488"
DOWN: Final = "#b45309"
FAINT: Final = "#94a3b8"
# Of several lines that are not ours; each is seen on white and on black.
OTHERS: Final = ("#7c8798", "#b7791f", "#8b73d6", "#c2608f")
SCALE: Final = (0, 10)


def on_the_scale(words: Words, forecast: Forecast, ratings: Ratings | None) -> Spec:
    """The forecast and its interval, over how many films of the genre have which rating."""
    low, high = (min(max(each, SCALE[0]), SCALE[1]) for each in (forecast.low, forecast.high))
    rating = min(max(forecast.rating, SCALE[0]), SCALE[1])
    layers = [
        _layer(
            [{"low": low, "high": high}], _mark("rect", ACCENT, opacity=0.25), x="low", x2="high"
        ),
        _layer([{"at": rating}], _mark("rule", ACCENT, strokeWidth=3), x="at"),
    ]
    if ratings is not None:
        layers.insert(0, _histogram(words, ratings))
    return _chart(layers, 180)


def _histogram(words: Words, ratings: Ratings) -> Spec:
    bins = [
        {
            "from": ratings.lowest + at * ratings.step,
            "to": ratings.lowest + (at + 1) * ratings.step,
            "films": count,
            "none": 0,
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
    """Bars to the right of zero for what lifts the rating, to the left for what lowers it."""
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
    """Errors of the model, in colour, beside those of what it has to beat."""
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


def sizes(named: Sequence[tuple[str, float]]) -> Spec:
    """Plain bars."""
    bars = [{"name": name, "size": size} for name, size in named]
    x = {"field": "size", "type": "quantitative", "axis": _axis(".2f")}
    return _bars(bars, {"y": _names(), "x": x, "color": {"value": ACCENT}})


def over_time(
    lines: Mapping[str, Sequence[tuple[str, float]]],
    promoted: Sequence[tuple[str, float]] = (),
    rolled_back: Sequence[str] = (),
    **axis: Any,
) -> Spec:
    """RMSE over days or months, a line for each name; the first is ours.

    Args:
        lines: Pairs of a time in ISO 8601 and an RMSE, by the name of who forecast.
        promoted: Points of our line that went into service.
        rolled_back: Times at which an earlier version was taken back.
        axis: What else Vega-Lite is to know of the axis of time.
    """
    values = [
        {"at": at, "rmse": rmse, "name": name}
        for name, points in lines.items()
        for at, rmse in points
    ]
    at = {"field": "at", "type": "ordinal", "axis": {"title": None, "labelAngle": 0} | axis}
    rmse = {"field": "rmse", "type": "quantitative", "scale": {"zero": False}}
    place = {"x": at, "y": rmse | {"axis": {"title": "RMSE", "tickCount": 5}}}
    layers: list[Spec] = [
        {
            "data": {"values": values},
            "mark": {"type": "line", "point": {"size": 40}, "strokeWidth": 2.5, "tooltip": True},
            "encoding": place | _told_apart(list(lines)),
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
    return _chart(layers, 420)


def _told_apart(names: Sequence[str]) -> Spec:
    """Colours and dashes, ours the accent and unbroken; the names stand above the picture."""
    legend = {
        "title": None,
        "orient": "top",
        "columns": 1,
        "labelLimit": 320,
        "symbolType": "stroke",
        "symbolSize": 400,
    }
    colours = [ACCENT, *(OTHERS[at % len(OTHERS)] for at in range(len(names) - 1))]
    dashes = [[1, 0], *([4 + 2 * at, 3] for at in range(len(names) - 1))]

    def told_by(styles: Sequence[Any]) -> Spec:
        scale = {"domain": names, "range": styles}
        return {"field": "name", "type": "nominal", "scale": scale, "legend": legend}

    return {"color": told_by(colours), "strokeDash": told_by(dashes)}


def calibration(words: Words, points: Sequence[tuple[float, float]]) -> Spec:
    """Mean rating over mean forecast, beside the line where both are the same."""
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


def calibration_in_words(words: Words, points: Sequence[tuple[float, float]]) -> str:
    """The same picture for who cannot see it."""
    return words.all_of(
        [
            words(
                "model.calibration_point",
                forecast=words.number(forecast, "0.0"),
                rating=words.number(rating, "0.0"),
            )
            for forecast, rating in points
        ]
    )


def side_by_side(films: Sequence[tuple[str, float, float, float]]) -> Spec:
    """Films with their ratings and intervals, one above the other."""
    values = [
        {"name": name, "rating": rating, "low": low, "high": high}
        for name, rating, low, high in films
    ]
    bars = _layer(values, _mark("bar", ACCENT, opacity=0.3, height=12), x="low", x2="high")
    dots = _layer(values, _mark("point", ACCENT, filled=True, size=90, opacity=1), x="rating")
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


def _mark(kind: str, colour: str, **others: Any) -> Spec:
    return {"type": kind, "color": colour, **others}


def _axis(numbers: str) -> Spec:
    return {"title": None, "format": numbers, "tickCount": 5}


def _names() -> Spec:
    axis = {"title": None, "labelLimit": 150}
    return {"field": "name", "type": "nominal", "sort": None, "axis": axis}
