"""Names that may become part of a path or a key, and the digest that identifies content."""

import hashlib
from typing import Annotated, Final

from pydantic import StringConstraints

PLAIN_NAME: Final = r"^[0-9A-Za-z][0-9A-Za-z._-]*$"
PlainName = Annotated[str, StringConstraints(pattern=PLAIN_NAME)]


def sha256(raw: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal digits."""
    return hashlib.sha256(raw).hexdigest()
