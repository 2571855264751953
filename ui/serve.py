"""The page as a process: `python -m ui.serve`, ready before the first visitor comes.

`streamlit run app.py` shows the same page, but imports its parts when it is first opened, is slower
to serve its files, and speaks English of an address where there is none.
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
from ui.server.addresses import KnownAddresses
from ui.server.static_files import WholeFiles

_SCRIPT: Final = Path(__file__).parents[1] / "app.py"
# The PDF takes 20 MB and is imported when somebody wants one; the other is this module.
_NOT_YET: Final = frozenset({"ui.widgets.pdf", "ui.serve"})

parser = argparse.ArgumentParser(prog="python -m ui.serve", description=__doc__)
parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
parser.add_argument("--port", type=int, default=8501, help="default: %(default)s")


def main() -> None:
    """Warm up, and serve the page until told to end."""
    options = parser.parse_args()
    warm()
    app = st.App(
        _SCRIPT,
        lifespan=_rehearsed,
        middleware=[Middleware(KnownAddresses), Middleware(WholeFiles)],
    )
    # Not `app.run`: its socket keeps the body of a file until its head has been acknowledged.
    print(f"the page: http://{options.host}:{options.port}", flush=True)  # noqa: T201 - its log
    uvicorn.run(app, host=options.host, port=options.port, log_config=None)


def warm() -> None:
    """Import the parts of the page, and read its texts and the names of languages."""
    for module in walk_packages([str(Path(__file__).parent)], "ui."):
        if module.name not in _NOT_YET:
            import_module(module.name)
    for code in LANGUAGES:
        words = Words(code)
        words("page.title")
        words.language(code)


@asynccontextmanager
async def _rehearsed(_: st.App) -> AsyncIterator[None]:
    """Draw the page once for nobody, so that Streamlit has loaded what it draws with."""
    rehearsal = asyncio.create_task(get_instance().does_script_run_without_error())
    yield
    rehearsal.cancel()


if __name__ == "__main__":
    main()
