"""Command-line arguments for the browser Chromium (as packaged by Debian).

They are used by tests, by benchmarks, and by the command that takes the pictures in the docs.
"""

from typing import Final

# As root, Chromium starts only without its own sandbox. Most other options prevent connections to
# Google.
ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
