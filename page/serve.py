"""`python -m page.serve` is `streamlit run app.py`, ready before the first visitor comes.

Streamlit imports what a page needs when the page is first opened; whoever opens it would wait.
Options of `streamlit run` may follow.
"""

import sys
from importlib import import_module
from pkgutil import iter_modules

from streamlit.web import cli

from page.words import FOLDER, LANGUAGES, Words

_NOT_YET = frozenset({"pdf", "serve"})  # 20 MB, only for who wants one; and this


def main() -> None:
    """Warm up, and serve the page until told to end."""
    warm()
    cli.main(["run", str(FOLDER.parent / "app.py"), *sys.argv[1:]])


def warm() -> None:
    """Import the parts of the page, and read its texts and the names of languages."""
    for module in iter_modules([str(FOLDER)]):
        if module.name not in _NOT_YET:
            import_module(f"page.{module.name}")
    for code in LANGUAGES:
        words = Words(code)
        words("page.title")
        words.language(code)


if __name__ == "__main__":
    main()
