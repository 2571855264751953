"""Arguments of Debian's Chromium for the tests, the benchmarks and the pictures in the docs."""

from typing import Final

# No browser sandbox, because this may run as root; the rest keeps the browser from calling home.
ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
