"""Request the API's feeds: Atom for readers of feeds, iCalendar for calendars."""

from typing import Final

from ui.client.api import ApiError, fetch_text

_UNREADABLE: Final = 502  # a gateway got no usable answer


def fetch_feed(path: str, params: dict[str, str]) -> tuple[int, str]:
    """Request a feed from the API.

    Args:
        path: The feed's path at the API, such as `/forecasts.ics`.
        params: The query parameters.

    Returns:
        The HTTP status 200 and the feed; or the status of an error and one sentence about it.
    """
    try:
        return 200, fetch_text(path, params)
    except ApiError as error:
        # The API's sentence says which parameter is wrong. Other details are not for visitors.
        if error.kind == "refused":
            return error.status or _UNREADABLE, "; ".join(message for _, message in error.errors)
        return _UNREADABLE, "The forecasts cannot be read right now; please try again later."
