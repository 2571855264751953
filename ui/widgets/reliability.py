"""Say how good forecasts of such films have been, and which fact would narrow the interval."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from ui.client.api import ApiError, Facts, fetch
from ui.client.model import Evidence, Model
from ui.client.predictions import Forecast
from ui.client.reliability import Narrowing, Reliability
from ui.i18n.words import Words
from ui.widgets import form_state
from ui.widgets.markdown import plain

_FORM_FIELDS: Final = frozenset({"overview", "genres", "language", "runtime"})
_MORE_FIELDS: Final = frozenset(form_state.FIELDS) - _FORM_FIELDS
_SMALLEST_BIAS: Final = 0.05  # rating points; a smaller one is called none
_SMALLEST_NARROWING: Final = 0.02
_NAMED_FACTS: Final = 3


@dataclass(frozen=True)
class Background:
    """What the API knows about the model that made a forecast.

    Attributes:
        model: The description of the model; None if it is not available.
        evidence: The errors of the model by kind of film; None if they are not available.
    """

    model: Model | None = None
    evidence: Evidence | None = None


def background_of(forecast: Forecast) -> Background:
    """Request the description of the model that made the forecast, and its errors, from the API.

    Both are None if the API does not answer, or if it uses another model version by now.
    """
    try:
        model = fetch(Model.parse, "/version")
        if model.version != forecast.version:  # it was kept from before the model was swapped
            model = fetch(Model.parse, "/version", fresh=True)
    except ApiError:
        return Background()
    # The service may have swapped its model between the two requests.
    if model.version != forecast.version:
        return Background()
    try:
        return Background(model, fetch(Evidence.parse, "/evidence"))
    except ApiError:
        return Background(model)


def weak_kinds(
    words: Words, forecast: Forecast, shown: Callable[[str], str] = plain
) -> Iterator[str]:
    """Yield one sentence for each kind of film, such as its language, with unreliable forecasts."""
    for each in forecast.unreliable:
        values = _values(words, each, shown)
        parts = []
        if each.biased:
            parts.append(_bias(words, each))
        if each.badly_covered:
            parts.append(words("reliability.covered", **values))
        if parts:
            yield words("reliability.weak", findings=words.joined(parts), **values)


def track_record(
    words: Words,
    facts: Facts,
    forecast: Forecast,
    background: Background,
    shown: Callable[[str], str] = plain,
) -> list[str]:
    """Return sentences about the errors of earlier forecasts of such films, in Markdown.

    Args:
        words: The texts in the visitor's language.
        facts: The facts about the film.
        forecast: The forecast.
        background: What is known about the model.
        shown: Converts a name to the form in which it is shown.
    """
    lines = []
    model, evidence = background.model, background.evidence
    if model is not None:
        known, errors = ("all", model.full) if knows_most(forecast) else ("form", model.form)
        values = {
            "rmse": words.number(errors.rmse, "0.00"),
            "mean_rmse": words.number(model.baselines["mean"].rmse, "0.00"),
            "films": words.count("films", errors.films),
        }
        lines.append(words(f"reliability.{known}", **values))
        if _FORM_FIELDS & {*forecast.missing}:
            lines.append(words("reliability.knows_less"))
    if evidence is not None:
        kinds = {("language", facts.get("language")), *_main_genre(facts)}
        for each in evidence.reliability:
            if (each.kind, each.name) in kinds:
                findings = [
                    _bias(words, each),
                    words("reliability.covered", **_values(words, each, shown)),
                ]
                values = _values(words, each, shown) | {"findings": words.joined(findings)}
                lines.append(words("reliability.kind", **values))
    return lines


def sharper(words: Words, forecast: Forecast, background: Background) -> list[str]:
    """Return one sentence for each missing fact that would narrow the interval, the best first.

    The narrowing was measured on the hold-out films that have the fact. Their intervals with and
    without it were compared, with about as many other facts as this forecast knows.
    """
    if background.evidence is None:
        return []

    def points(each: Narrowing) -> float:
        return each.beside_all if knows_most(forecast) else each.beside_form

    useful = [
        each
        for each in background.evidence.narrowing
        if each.field in forecast.missing and points(each) >= _SMALLEST_NARROWING
    ]
    return [
        words(
            "reliability.narrower",
            name=words.name("fields", each.field),
            points=words.number(points(each), "0.00"),
            films=words.count("films", each.films),
        )
        for each in sorted(useful, key=points, reverse=True)[:_NAMED_FACTS]
    ]


def knows_most(forecast: Forecast) -> bool:
    """Return whether the forecast knows more than half of the facts beyond the four main ones."""
    return 2 * len(_MORE_FIELDS - {*forecast.missing}) > len(_MORE_FIELDS)


def _main_genre(facts: Facts) -> set[tuple[str, str]]:
    return {("genre", genre) for genre in (facts.get("genres") or [])[:1]}


def _bias(words: Words, kind: Reliability) -> str:
    if abs(kind.bias) < _SMALLEST_BIAS:
        return words("reliability.even")
    direction = "high" if kind.bias > 0 else "low"
    return words(f"reliability.{direction}", points=words.number(abs(kind.bias), "0.00"))


def _values(words: Words, kind: Reliability, shown: Callable[[str], str]) -> dict[str, str]:
    name = words.language(kind.name) if kind.kind == "language" else words.name("genres", kind.name)
    return {
        "kind": words(f"reliability.of_{kind.kind}", name=shown(name)),
        "films": words.count("films", kind.films),
        "coverage": words.percent(kind.coverage),
    }
