"""Write the pages *Coming soon* and *Track record* as HTML files for any web server."""

import argparse
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

import jinja2

from movierating.errors import ExplainedError
from movierating.ledger.ledger import TRACK_RECORD_KEY, UPCOMING_KEY, ForecastLedger
from movierating.ledger.records import SubgroupFigures, TrackRecord, Upcoming
from movierating.posters import poster_base_url
from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.runtime.cli import run
from scripts.runtime.storage import write_bytes

logger = logging.getLogger(__name__)

COMING_SOON: Final = "coming_soon.html"
TRACK_RECORD: Final = "track_record.html"
_CHART_SIZE: Final = (720, 240)  # width and height, SVG units
_POSTER_PIXELS: Final = 92  # width; one of the sizes that TMDB offers
_TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,  # titles come from TMDB, where anyone can write them
    undefined=jinja2.StrictUndefined,  # a misspelt name is an error, not an empty cell
)
_View = TypeVar("_View", Upcoming, TrackRecord)


class NothingForecastError(ExplainedError, RuntimeError):
    """The ledger has no forecasts or scores to export yet."""


def export(folder: Path, settings: PipelineSettings) -> None:
    """Write each page to one file, from the views (the summaries stored in the ledger).

    The page *Coming soon* loads posters from TMDB, but only if TMDB_API_KEY is set during the
    export, because TMDB's terms require a key.

    Raises:
        NothingForecastError: The views do not exist, because no forecast or score was made yet.
        LedgerError: A view cannot be read.
        DataFileError: The folder cannot be written.
    """
    ledger = ForecastLedger(open_bucket(settings))
    upcoming = _view(ledger, UPCOMING_KEY, Upcoming)
    record = _view(ledger, TRACK_RECORD_KEY, TrackRecord)
    posters = poster_base_url(settings, _POSTER_PIXELS) if settings.tmdb_api_key else None
    page = coming_soon_page(upcoming, posters)
    write_bytes(folder / COMING_SOON, page.encode())
    write_bytes(folder / TRACK_RECORD, track_record_page(record).encode())
    logger.info("wrote %s and %s to %s", COMING_SOON, TRACK_RECORD, folder)


def coming_soon_page(upcoming: Upcoming, posters: str | None) -> str:
    """Render the page *Coming soon* as HTML: the upcoming films by release date.

    Args:
        upcoming: The view that lists the upcoming films with their forecasts.
        posters: Base URL of the posters; None leaves them out.
    """
    return _TEMPLATES.get_template(COMING_SOON).render(upcoming=upcoming, posters=posters)


def track_record_page(record: TrackRecord) -> str:
    """Render the page *Track record* as HTML.

    It shows the forecast errors by month and by subgroup, and the best and the worst forecasts.
    """
    months = [each for each in record.parts if each.kind == "month"]
    return _TEMPLATES.get_template(TRACK_RECORD).render(
        record=record,
        months=months,
        kinds={
            kind: [each for each in record.parts if each.kind == kind]
            for kind in dict.fromkeys(each.kind for each in record.parts)
            if kind != "month"
        },
        lines=list(curves(months)),
        size=_CHART_SIZE,
    )


def curves(months: Sequence[SubgroupFigures]) -> Iterator[tuple[str, str]]:
    """Convert the RMSE of each month to curves, as points of SVG polylines.

    Yields:
        The name and the points of one curve: first for the model's forecasts, then for each
        baseline.
    """
    if not months:
        return
    series = {"forecast": [month.figures.rmse for month in months]} | {
        name: [month.figures.baselines.get(name, 0.0) for month in months]
        for name in months[0].figures.baselines
    }
    width, height = _CHART_SIZE
    top = max(max(values) for values in series.values()) or 1.0
    step = width / max(len(months) - 1, 1)
    for name, values in series.items():
        points = (
            f"{at * step:.1f},{height * (1 - value / top):.1f}" for at, value in enumerate(values)
        )
        yield name, " ".join(points)


def _view(ledger: ForecastLedger, key: str, kind: type[_View]) -> _View:
    view = ledger.read_view(key, kind)
    if view is None:
        raise NothingForecastError(f"{key} is missing; run forecast and score first")
    return view


def main(argv: list[str] | None = None) -> int:
    """Export both pages from the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("site"),
        help="folder for the pages (default: %(default)s)",
    )
    folder = parser.parse_args(argv).folder
    return run(lambda: export(folder, pipeline_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
