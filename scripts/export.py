"""Write *Coming soon* and *Track record* as HTML files that any web server can show."""

import argparse
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

import jinja2

from movierating.errors import ExplainedError
from movierating.ledger.ledger import TRACK_RECORD_KEY, UPCOMING_KEY, ForecastLedger
from movierating.ledger.records import Part, TrackRecord, Upcoming
from movierating.posters import poster_base_url
from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.runtime.cli import run
from scripts.runtime.storage import write_bytes

logger = logging.getLogger(__name__)

COMING_SOON: Final = "coming_soon.html"
TRACK_RECORD: Final = "track_record.html"
_CURVE: Final = (720, 240)  # width and height, SVG units
_TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
)
_View = TypeVar("_View", Upcoming, TrackRecord)


class NothingForecastError(ExplainedError, RuntimeError):
    """The ledger has nothing to show yet."""


def export(folder: Path, settings: PipelineSettings) -> None:
    """Write both pages, each complete in itself, from what the ledger shows.

    Posters are TMDB's, by their address there, and only where TMDB_API_KEY is set.

    Raises:
        NothingForecastError: Nothing was forecast or scored yet.
        LedgerError: A view is not readable.
        DataFileError: The folder cannot be written.
    """
    ledger = ForecastLedger(open_bucket(settings))
    upcoming = _view(ledger, UPCOMING_KEY, Upcoming)
    record = _view(ledger, TRACK_RECORD_KEY, TrackRecord)
    page = coming_soon_page(upcoming, poster_base_url(settings, 92))
    write_bytes(folder / COMING_SOON, page.encode())
    write_bytes(folder / TRACK_RECORD, track_record_page(record).encode())
    logger.info("%s and %s are in %s", COMING_SOON, TRACK_RECORD, folder)


def coming_soon_page(upcoming: Upcoming, posters: str | None) -> str:
    """The films to come, by release date; with posters from an address, or without."""
    return _TEMPLATES.get_template(COMING_SOON).render(upcoming=upcoming, posters=posters)


def track_record_page(record: TrackRecord) -> str:
    """How forecasts came out: over time, by part, and the extremes on both ends."""
    months = [part for part in record.parts if part.kind == "month"]
    return _TEMPLATES.get_template(TRACK_RECORD).render(
        record=record,
        months=months,
        kinds={
            kind: [part for part in record.parts if part.kind == kind]
            for kind in dict.fromkeys(part.kind for part in record.parts)
            if kind != "month"
        },
        lines=list(curves(months)),
        size=_CURVE,
    )


def curves(months: Sequence[Part]) -> Iterator[tuple[str, str]]:
    """RMSE by month as points of an SVG polyline: ours, then each baseline's."""
    if not months:
        return
    series = {"forecast": [part.figures.rmse for part in months]} | {
        name: [part.figures.baselines.get(name, 0.0) for part in months]
        for name in months[0].figures.baselines
    }
    width, height = _CURVE
    top = max(max(each) for each in series.values()) or 1.0
    step = width / max(len(months) - 1, 1)
    for name, values in series.items():
        points = (
            f"{at * step:.1f},{height * (1 - value / top):.1f}" for at, value in enumerate(values)
        )
        yield name, " ".join(points)


def _view(ledger: ForecastLedger, key: str, kind: type[_View]) -> _View:
    view = ledger.shown(key, kind)
    if view is None:
        raise NothingForecastError(f"{key} is missing; run forecast and score first")
    return view


def main(argv: list[str] | None = None) -> int:
    """Export from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--folder", type=Path, default=Path("site"), help="where to (default: %(default)s)"
    )
    folder = parser.parse_args(argv).folder
    return run(lambda: export(folder, pipeline_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
