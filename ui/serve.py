"""Serve the UI (the web pages of this project): `python -m ui.serve`.

This command loads the code of all pages before the first visitor comes. The pages also work with
`streamlit run app.py`, but that has three disadvantages. It loads a page only when a visitor opens
it. It sends files more slowly. For an unknown address, it shows a message in English only.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Final

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from streamlit.file_util import get_static_dir
from streamlit.runtime import get_instance

from ui.client.feeds import fetch_feed
from ui.i18n.words import LANGUAGES, Words
from ui.server.addresses import UnknownAddressRedirect
from ui.server.documents import Documents, Preview
from ui.server.feeds import Feeds
from ui.server.security_headers import SecurityHeaders
from ui.server.static_files import StaticFiles, document_with_preloads
from ui.widgets import previews

_SCRIPT: Final = Path(__file__).parents[1] / "app.py"
FINISH_SECONDS: Final = 5  # for requests in progress, and for the connections of open pages
# Load balancers keep a connection for 60 s. If the server closed it first, a request that is on its
# way would be lost.
KEEP_ALIVE_SECONDS: Final = 75
# The PDF module needs 20 MB of memory, so it is imported on demand. `ui.serve` is this module.
_NOT_PRELOADED: Final = frozenset({"ui.widgets.pdf", "ui.serve"})

parser = argparse.ArgumentParser(prog="python -m ui.serve", description=__doc__)
parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
parser.add_argument("--port", type=int, default=8501, help="default: %(default)s")


def main() -> None:
    """Load the code and the texts of the UI, then serve the UI until the process is stopped."""
    options = parser.parse_args()
    warm_up()
    app = st.App(
        _SCRIPT,
        lifespan=_draw_once,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(Feeds, fetch=fetch_feed),
            Middleware(UnknownAddressRedirect),
            Middleware(StaticFiles),
            Middleware(
                Documents,
                document=document_with_preloads(Path(get_static_dir())),
                describe=previews.describe,
                plain=_plain_preview(),
            ),
        ],
    )
    # Not `app.run`: it opens its own socket, which sends a file's body only after the client has
    # acknowledged the headers. This makes every file slower.
    print(f"the page: http://{options.host}:{options.port}", flush=True)  # noqa: T201 - its log
    uvicorn.run(
        app,
        host=options.host,
        port=options.port,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=FINISH_SECONDS,
        server_header=False,
        proxy_headers=False,  # the API decides whom to believe, so pass on what was received
    )


def warm_up() -> None:
    """Import the UI's modules, and load its texts and the names of languages.

    Otherwise the first visitor would have to wait for this.
    """
    for module in walk_packages([str(Path(__file__).parent)], "ui."):
        if module.name not in _NOT_PRELOADED:
            import_module(module.name)
    # The files with texts and language names are loaded at their first use, so use them once.
    for code in LANGUAGES:
        words = Words(code)
        words("page.title")
        words.language(code)


def _plain_preview() -> Preview:
    words = Words(next(iter(LANGUAGES)))
    return Preview(words.code, words("page.title"), words("page.lead"))


@asynccontextmanager
async def _draw_once(_: st.App) -> AsyncIterator[None]:
    """Run the script `app.py` once at the start of the server.

    This loads Streamlit's modules before the first visitor comes.
    """
    first_run = asyncio.create_task(get_instance().does_script_run_without_error())
    yield
    first_run.cancel()


if __name__ == "__main__":
    main()
