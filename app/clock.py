"""The date of today, by which the API tells films to come from released ones."""

from datetime import UTC, date, datetime


def today() -> date:
    """Return the date in UTC; it does not depend on the time zone of the machine."""
    return datetime.now(UTC).date()
