"""Write a feed in the format Atom (RFC 4287)."""

from datetime import datetime
from typing import Final
from xml.etree import ElementTree as ET

from app.feeds.entries import Feed, FeedEntry

MEDIA_TYPE: Final = "application/atom+xml"
_NAMESPACE: Final = "http://www.w3.org/2005/Atom"
_AUTHOR: Final = "Movie rating forecasts"

ET.register_namespace("", _NAMESPACE)


def write(feed: Feed) -> bytes:
    """Return the feed as an XML document in UTF-8."""
    root = ET.Element(f"{{{_NAMESPACE}}}feed")
    _add(root, "id", feed.uid.urn)
    _add(root, "title", feed.name)
    _add(root, "subtitle", feed.about)
    _add(root, "updated", _moment(feed.updated))
    # Relative, because the service does not know its public address, and does not trust the
    # address that a request names.
    _add(root, "link", rel="self", type=MEDIA_TYPE, href=feed.address)
    _add(_add(root, "author"), "name", _AUTHOR)
    for entry in feed.entries:
        _add_entry(_add(root, "entry"), entry)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add_entry(element: ET.Element, entry: FeedEntry) -> None:
    _add(element, "id", entry.uid.urn)
    _add(element, "title", entry.title)
    _add(element, "updated", _moment(entry.updated))
    _add(element, "content", f"Opens on {entry.opens}.\n{entry.text}", type="text")
    if entry.link:
        _add(element, "link", rel="alternate", href=entry.link)


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, f"{{{_NAMESPACE}}}{name}", attributes)
    element.text = text or None
    return element


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
