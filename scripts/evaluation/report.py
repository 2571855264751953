"""Write the texts about a trained model: its report, its model card, and the scores for the UI."""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import jinja2
import numpy as np
from markdown_it import MarkdownIt

from movierating.model.distribution_scores import ChanceScores, DistributionScores
from movierating.registry.evidence import Evidence, SubgroupReliability
from movierating.registry.manifest import Manifest, Scores
from scripts.evaluation.diagnostics import Diagnosis

if TYPE_CHECKING:
    from matplotlib.axes import Axes  # its import takes a second, and only the pictures need it

# What can begin something in Markdown. Names from outside must be shown as they are: an image in a
# name would be requested by everybody who reads the text. `ui.widgets.markdown` has the same rule.
_SPECIAL: Final = re.compile(
    r"(?P<sign>[\\`*_\[\]~|$@]"  # code, emphasis, links, images, tables, formulas, addresses
    r"|<(?=[A-Za-z/!?])|&(?=[#A-Za-z])"  # HTML and its entities
    r"|:(?=[A-Za-z/])|(?<=[wW]{3})\."  # directives, icons and addresses
    r"|^[#+>=-]|(?<=^\d)[.)]|(?<=^\d\d)[.)]|(?<=^\d{3})[.)]|(?<=^\d{4})[.)])"  # headings, lists
)
_TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=jinja2.select_autoescape(["html"]),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
)
_TEMPLATES.filters["plain"] = lambda text: _SPECIAL.sub(r"\\\g<sign>", " ".join(str(text).split()))
_MARKDOWN: Final = MarkdownIt("js-default")  # supports tables, escapes HTML in names
_WEAKEST: Final = 5  # the model card lists this many subgroups, those with the largest RMSE


@dataclass(frozen=True)
class Report:
    """The report on a model in two formats.

    Attributes:
        title: Title of both formats.
        text: The report in Markdown, without pictures.
        page: The report as one HTML page. It contains its pictures, and loads no other file.
    """

    title: str
    text: str
    page: str


def report(manifest: Manifest, diagnosis: Diagnosis, champion: Manifest | None) -> Report:
    """Write the report on the model that a run trained.

    Args:
        manifest: The manifest of the new model.
        diagnosis: The measurements of the new model on the hold-out films.
        champion: The manifest of the model in production, to compare with; None if there is none.
    """
    title = f"Model of {manifest.run_date}"
    typical, large = np.quantile(np.abs(diagnosis.errors), (0.5, 0.9))
    text = _TEMPLATES.get_template("report.md").render(
        manifest=manifest,
        diagnosis=diagnosis,
        rows=_rows(manifest),
        typical=typical,
        large=large,
        champion=champion,
        distribution=_chance_rows(diagnosis),
        unreliable=_unreliable(diagnosis),
        changes=list(_changes(manifest, champion)) if champion else [],
    )
    page = _TEMPLATES.get_template("report.html").render(
        title=title, text=_MARKDOWN.render(text), picture=_picture(diagnosis)
    )
    return Report(title, text, page)


def model_card(manifest: Manifest, diagnosis: Diagnosis) -> str:
    """Write the model card (a short description of the model) in Markdown."""
    weakest = sorted(diagnosis.subgroups, key=lambda each: -each.scores.rmse)[:_WEAKEST]
    return _TEMPLATES.get_template("model_card.md").render(
        manifest=manifest,
        rows=_rows(manifest),
        weakest=weakest,
        distribution=_chance_rows(diagnosis),
        unreliable=_unreliable(diagnosis),
    )


def evidence(diagnosis: Diagnosis) -> Evidence:
    """Return the values about the model's errors that the UI shows.

    The values are rounded, so that a second training on the same films writes an identical file.

    Args:
        diagnosis: The errors of the model on the hold-out films.
    """
    return Evidence.model_validate(
        {
            "slices": [
                asdict(each)
                | {"scores": _rounded(each.scores), "coverage": round(each.coverage, 3)}
                for each in diagnosis.subgroups
            ],
            "calibration": [
                {
                    "forecast": round(each.forecast, 3),
                    "rating": round(each.rating, 3),
                    "films": each.films,
                }
                for each in diagnosis.calibration
            ],
            "importance": {group: round(size, 3) for group, size in diagnosis.importance.items()},
            "distribution": diagnosis.distribution,
            "reliability": diagnosis.reliability,
            "narrowing": diagnosis.narrowing,
        }
    )


def _rounded(scores: Scores) -> dict[str, float]:
    return {name: round(value, 3) for name, value in scores.model_dump().items()}


def _rows(manifest: Manifest) -> list[tuple[str, Scores]]:
    ours = [
        ("all facts", manifest.metrics["holdout"]),
        ("the form's fields", manifest.metrics["form"]),
    ]
    return ours + [(name.replace("_", " "), each) for name, each in manifest.baselines.items()]


def _chance_rows(
    diagnosis: Diagnosis,
) -> list[tuple[str, DistributionScores, ChanceScores]]:
    """List the scores of the probabilities by known facts and by rating."""
    names = {"all_facts": "all facts", "form": "the form's fields"}
    return [
        (names[known], scores, chance)
        for known, scores in diagnosis.distribution.items()
        for chance in scores.at_least
    ]


def _unreliable(diagnosis: Diagnosis) -> list[SubgroupReliability]:
    return [each for each in diagnosis.reliability if each.biased or each.badly_covered]


def _changes(ours: Manifest, theirs: Manifest) -> Iterator[tuple[str, object, object]]:
    def facts(manifest: Manifest, other: Manifest) -> dict[str, object]:
        return {
            "RMSE": f"{manifest.metrics['holdout'].rmse:.3f}",
            "RMSE with the form's fields": f"{manifest.metrics['form'].rmse:.3f}",
            "family": manifest.model_type,
            "run": manifest.run_date,
            "split": manifest.split.split_date,
            "training films": manifest.split.train_films,
            "features": len(manifest.features),
            "features only here": ", ".join(sorted(set(manifest.features) - set(other.features))),
        }

    now, before = facts(ours, theirs), facts(theirs, ours)
    yield from ((name, now[name], before[name]) for name in now)


def _picture(diagnosis: Diagnosis) -> str:
    def calibration(axes: "Axes") -> None:
        forecast = [each.forecast for each in diagnosis.calibration]
        axes.plot(forecast, forecast, color="grey", linewidth=1)
        axes.plot(forecast, [each.rating for each in diagnosis.calibration], marker="o")
        axes.set(title="Calibration", xlabel="forecast", ylabel="mean rating")

    def errors(axes: "Axes") -> None:
        axes.hist(diagnosis.errors, bins=40)
        axes.set(title="Errors", xlabel="forecast minus rating", ylabel="films")

    def curve(axes: "Axes") -> None:
        counts, rmse = zip(*diagnosis.curve, strict=True)
        axes.plot(counts, rmse, marker="o")
        axes.set(title="Learning curve", xlabel="training films", ylabel="RMSE")

    return _svg([calibration, errors, curve])


def _svg(drawings: Sequence[Callable[["Axes"], None]]) -> str:
    """Draw diagrams side by side, and return them as SVG text.

    The text has no date and no random ids, so the same diagrams always give the same text.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "report", "svg.fonttype": "none"}):
        figure = Figure(figsize=(4 * len(drawings), 3.2), layout="constrained")
        for axes, draw in zip(figure.subplots(1, len(drawings)), drawings, strict=True):
            draw(axes)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
