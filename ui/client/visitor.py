"""What requests to the API say about the visitor for whom the UI sends them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

# The name in Streamlit's session under which the visitor's consent is stored.
CONSENT: Final = "translate"
_ADDRESS: Final[ContextVar[str]] = ContextVar("address", default="")


@contextmanager
def acting_for(address: str) -> Iterator[None]:
    """Send requests for the visitor with this address, outside of Streamlit's sessions."""
    token = _ADDRESS.set(address)
    try:
        yield
    finally:
        _ADDRESS.reset(token)


def consent_to_translation() -> dict[str, str]:
    """Return the query parameter that allows or refuses the translation of plots.

    Every request with facts about a film has it. Without the visitor's consent it refuses, so no
    page can forget to ask.
    """
    with_visitor = get_script_run_ctx(suppress_warning=True) is not None
    is_allowed = with_visitor and st.session_state.get(CONSENT) is True
    return {CONSENT: str(is_allowed).lower()}


def forwarded_for() -> dict[str, str]:
    """Return the header `X-Forwarded-For` of a request to the API, as a proxy would send it.

    It lists the addresses that proxies before the UI report, and the address that has connected to
    the UI. The API believes it only if it trusts the address of the UI. Then its rate limit counts
    each visitor separately.
    """
    if get_script_run_ctx(suppress_warning=True) is None:  # no session, such as at the start
        address = _ADDRESS.get()
        return {"X-Forwarded-For": address} if address else {}
    reported = st.context.headers.get("X-Forwarded-For", "").strip()
    connected = st.context.ip_address
    # Streamlit's AppTest has no connection, and gives an object that is no text.
    addresses = [each for each in (reported, connected) if each and isinstance(each, str)]
    return {"X-Forwarded-For": ", ".join(addresses)} if addresses else {}
