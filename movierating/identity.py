"""Names that are safe in a path or an S3 key, and the digest that identifies content."""

import hashlib
from typing import Annotated, Final

from pydantic import StringConstraints

# No slash and no leading dot: such a name cannot lead out of its folder.
PLAIN_NAME: Final = r"^[0-9A-Za-z][0-9A-Za-z._-]*$"
PlainName = Annotated[str, StringConstraints(pattern=PLAIN_NAME)]


def sha256(raw: bytes) -> str:
    """Return the SHA-256 of some bytes, in hexadecimal digits."""
    return hashlib.sha256(raw).hexdigest()
