"""Write a feed as a calendar (iCalendar, RFC 5545): an all-day event on each film's release."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from app.feeds.entries import Feed, FeedEntry

MEDIA_TYPE: Final = "text/calendar"
_LINE_BYTES: Final = 75
_CONTINUES: Final = re.compile(b"[\x80-\xbf]")  # a byte in UTF-8 that continues a character
_HEAD: Final = (
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Movie rating forecasts//Film forecasts//EN",
    "METHOD:PUBLISH",
    "REFRESH-INTERVAL;VALUE=DURATION:P1D",
    "X-PUBLISHED-TTL:P1D",
)
# A calendar needs a component. An empty one gets the time zone that it does not use.
_NO_EVENT: Final = (
    "BEGIN:VTIMEZONE",
    "TZID:Etc/UTC",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0000",
    "END:STANDARD",
    "END:VTIMEZONE",
)


def write(feed: Feed) -> bytes:
    """Return the feed as a calendar in UTF-8."""
    lines = [folded for line in _lines(feed) for folded in _folded(line)]
    return b"".join(line + b"\r\n" for line in lines)


def _lines(feed: Feed) -> Iterator[str]:
    yield from _HEAD
    yield f"NAME:{_escaped(feed.name)}"
    yield f"X-WR-CALNAME:{_escaped(feed.name)}"  # what most calendars read instead
    yield f"DESCRIPTION:{_escaped(feed.about)}"
    for entry in feed.entries:
        yield from _event(entry)
    if not feed.entries:
        yield from _NO_EVENT
    yield "END:VCALENDAR"


def _event(entry: FeedEntry) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{entry.uid}"
    yield f"DTSTAMP:{_moment(entry.updated)}"
    yield f"LAST-MODIFIED:{_moment(entry.updated)}"
    yield f"DTSTART;VALUE=DATE:{entry.opens:%Y%m%d}"
    yield f"SUMMARY:{_escaped(entry.title)}"
    yield f"DESCRIPTION:{_escaped(entry.text)}"
    if entry.link:
        yield f"URL:{entry.link}"
    yield "TRANSP:TRANSPARENT"  # the visitor is not busy on that day
    yield "END:VEVENT"


def _escaped(text: str) -> str:
    for special in "\\;,":
        text = text.replace(special, f"\\{special}")
    return "\\n".join(text.splitlines())


def _folded(line: str) -> Iterator[bytes]:
    """Cut a line into lines of at most 75 bytes, never within a character."""
    rest = line.encode()
    start = b""
    while len(start) + len(rest) > _LINE_BYTES:
        end = _LINE_BYTES - len(start)
        while _CONTINUES.match(rest, end):
            end -= 1
        yield start + rest[:end]
        start, rest = b" ", rest[end:]
    yield start + rest


def _moment(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"
