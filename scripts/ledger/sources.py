"""Open the forecast ledger for the films of one source, such as TMDB.

The ledger has the forecasts of all models that were ever in production. After a change of the
source, the forecasts and scores of the earlier source's films stay there, but nothing reads them.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Final

from movierating.ledger.ledger import UPCOMING_KEY, ForecastLedger
from movierating.ledger.records import Upcoming
from movierating.registry.reading import RegistryReader
from movierating.s3 import Bucket
from movierating.s3_errors import PreconditionFailedError
from scripts.ledger.track_record import write_track_record

SOURCES_KEY: Final = "forecasts/sources.json"


def production_source(registry: RegistryReader) -> str | None:
    """Return the name of the source of the films that the model in production was trained on.

    Returns:
        The name; None if nothing is in production, or if the manifest cannot be read.
    """
    current = registry.production()
    return registry.source(current.pointer.version) if current else None


def open_ledger(bucket: Bucket, source: str | None) -> ForecastLedger:
    """Open the ledger with only the records of films from `source`; None opens all records."""
    return ForecastLedger(bucket, source, _sources_of_old_versions(bucket))


def replace_views(ledger: ForecastLedger, day: date, min_votes: int) -> None:
    """Remove the films of another source from the two views; the next forecasts fill the views.

    Args:
        ledger: The ledger, opened for the source of the model that is now in production.
        day: The date to put on the views.
        min_votes: Scores whose rating has fewer votes are left out of the track record.
    """
    if ledger.read_view(UPCOMING_KEY, Upcoming):
        ledger.write_view(UPCOMING_KEY, Upcoming(as_of=day, source=ledger.source, films=()))
        write_track_record(ledger, ledger.scores(), day, min_votes)


def _sources_of_old_versions(bucket: Bucket) -> Mapping[str, str]:
    """Return the source of each model version that existed when this function was first called.

    Records that version 1.0.0 of this code wrote name a model version, but no source. Model
    versions are deleted after a while, so the first call stores their sources. If a model version
    had been deleted before that call, its records count as records of the requested source, because
    version 1.0.0 of this code never replaced a model by one of another source.
    """
    blob = bucket.get(SOURCES_KEY)
    if blob is not None:
        known: dict[str, str] = json.loads(blob.raw)
        return known
    registry = RegistryReader(bucket)
    found = {
        each.version: source
        for each in registry.versions()
        if each.complete and (source := registry.source(each.version))
    }
    with suppress(PreconditionFailedError):  # another run has stored the same
        bucket.create(SOURCES_KEY, json.dumps(found, indent=2).encode())
    return found
