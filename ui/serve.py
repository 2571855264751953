"""Serve the UI: `python -m ui.serve`.

This command loads the code of all pages before the first visitor comes. `streamlit run app.py`
shows the same pages, but it loads a page only when a visitor opens it, and it sends files more
slowly. It also shows its message about an unknown address only in English.
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
from streamlit.runtime import get_instance

from ui.i18n.words import LANGUAGES, Words
from ui.server.addresses import UnknownAddressRedirect
from ui.server.static_files import StaticFiles

_SCRIPT: Final = Path(__file__).parents[1] / "app.py"
# The PDF module needs 20 MB of memory, so it is imported on demand. `ui.serve` is this module.
_NOT_PRELOADED: Final = frozenset({"ui.widgets.pdf", "ui.serve"})

parser = argparse.ArgumentParser(prog="python -m ui.serve", description=__doc__)
parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
parser.add_argument("--port", type=int, default=8501, help="default: %(default)s")


def main() -> None:
    """Load the UI's code and texts, then serve it until the process is stopped."""
    options = parser.parse_args()
    warm_up()
    app = st.App(
        _SCRIPT,
        lifespan=_draw_once,
        middleware=[Middleware(UnknownAddressRedirect), Middleware(StaticFiles)],
    )
    # Not `app.run`: it opens its own socket, which sends a file's body only after the client has
    # acknowledged the headers. This makes every file slower.
    print(f"the page: http://{options.host}:{options.port}", flush=True)  # noqa: T201 - its log
    uvicorn.run(app, host=options.host, port=options.port, log_config=None)


def warm_up() -> None:
    """Import the modules of the UI, and load the texts and Babel's language names."""
    for module in walk_packages([str(Path(__file__).parent)], "ui."):
        if module.name not in _NOT_PRELOADED:
            import_module(module.name)
    # The files with texts and language names are loaded at their first use, so use them once.
    for code in LANGUAGES:
        words = Words(code)
        words("page.title")
        words.language(code)


@asynccontextmanager
async def _draw_once(_: st.App) -> AsyncIterator[None]:
    """Run `app.py` once at the start, so that Streamlit's modules are loaded before a visit."""
    first_run = asyncio.create_task(get_instance().does_script_run_without_error())
    yield
    first_run.cancel()


if __name__ == "__main__":
    main()
