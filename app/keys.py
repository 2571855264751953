"""API keys, of which the service stores only hashes: `python -m app.keys` creates one."""

import argparse
import hashlib
import secrets
import sys
from typing import Final

HEADER: Final = "X-API-Key"

parser = argparse.ArgumentParser(
    prog="python -m app.keys",
    description="Create a key for a caller, and its hash for the service.",
)


def new_key() -> str:
    """Create a random key of 256 bits."""
    return secrets.token_urlsafe(32)


def hash_of(key: str) -> str:
    """Return the hash that API_KEY_HASHES holds: SHA-256, in hexadecimal.

    A salt or a slow hash would add nothing, because keys are long and random.
    """
    return hashlib.sha256(key.encode()).hexdigest()


def main(argv: list[str] | None = None) -> int:
    """Print a new key and its hash."""
    parser.parse_args(argv)
    key = new_key()
    sys.stdout.write(
        f"key, for the caller's header {HEADER}; it is shown only now:\n  {key}\n"
        f"hash, for API_KEY_HASHES in .env:\n  {hash_of(key)}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
