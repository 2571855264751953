"""Create API keys: `python -m app.keys`. The service stores only their hashes."""

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
    """Create a random API key of 256 bits, as text that is safe in URLs."""
    return secrets.token_urlsafe(32)


def hash_of(key: str) -> str:
    """Return the SHA-256 of an API key in hexadecimal, for the setting `API_KEY_HASHES`.

    A salt or a slow hash would not make this safer, because keys are long and random.
    """
    return hashlib.sha256(key.encode()).hexdigest()


def main(argv: list[str] | None = None) -> int:
    """Print a new API key and its hash."""
    parser.parse_args(argv)
    key = new_key()
    sys.stdout.write(
        f"key, for the caller's header {HEADER}; it is shown only now:\n  {key}\n"
        f"hash, for API_KEY_HASHES in .env:\n  {hash_of(key)}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
