"""Keep responses of the API for as long as the API allows, for all visitors together."""

import re
import time
from threading import Lock
from typing import Final

import requests

_MAX_AGE: Final = re.compile(r"\bmax-age=(\d+)")
_MOST: Final = 200

_kept: dict[str, tuple[float, requests.Response]] = {}
_lock = Lock()


def kept(url: str) -> requests.Response | None:
    """Return the response of an earlier request for this address, if it is still fresh."""
    with _lock:
        until, response = _kept.get(url, (0.0, None))
    return response if time.monotonic() < until else None


def keep(url: str, response: requests.Response) -> None:
    """Keep a response for as long as its header `Cache-Control` allows."""
    allowed = _MAX_AGE.search(response.headers.get("Cache-Control", ""))
    if not (response.ok and allowed):
        return
    with _lock:
        if len(_kept) >= _MOST:
            _kept.clear()
        _kept[url] = (time.monotonic() + int(allowed[1]), response)
