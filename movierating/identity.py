"""A type for names that are safe in a path or S3 key, and the SHA-256 that identifies content."""

import hashlib
from pathlib import Path
from typing import Annotated, Final

from pydantic import StringConstraints

# Without a slash or a leading dot, a name cannot point outside its folder.
PLAIN_NAME: Final = r"^[0-9A-Za-z][0-9A-Za-z._-]*$"
PlainName = Annotated[str, StringConstraints(pattern=PLAIN_NAME)]


def sha256(raw: bytes) -> str:
    """Return the SHA-256 of the bytes as hexadecimal text."""
    return hashlib.sha256(raw).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content as hexadecimal text; read it in small parts."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
