"""Keys of callers, of which the service knows hashes alone: `python -m app.keys` makes one."""

import argparse
import hashlib
import secrets
import sys
from typing import Final

HEADER: Final = "X-API-Key"

parser = argparse.ArgumentParser(
    prog="python -m app.keys", description="Make a key for a caller, and its hash for the service."
)


def new_key() -> str:
    """A key that nobody can guess."""
    return secrets.token_urlsafe(32)


def hash_of(key: str) -> str:
    """What API_KEY_HASHES holds of a key; no salt, since keys are random and long."""
    return hashlib.sha256(key.encode()).hexdigest()


def main(argv: list[str] | None = None) -> int:
    """Print a new key and its hash."""
    parser.parse_args(argv)
    key = new_key()
    sys.stdout.write(
        f"key, for the caller's header {HEADER}, shown this once:\n  {key}\n"
        f"hash, for API_KEY_HASHES in .env:\n  {hash_of(key)}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
