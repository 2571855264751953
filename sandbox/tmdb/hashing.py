"""Hashes and ids for invented things, the same ones in every process."""

from hashlib import blake2b

# Larger than every real TMDB id, so that an invented id never equals a real one.
FIRST_INVENTED_ID = 1 << 32


def stable_hash(*parts: object, size: int = 8) -> int:
    """Hash some values to a number of `size` bytes.

    Unlike Python's `hash`, it gives the same number in every process and on every platform.
    """
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=size).digest(), "big")


def invented_id(kind: str, name: str) -> int:
    """Return an id for a person, company or keyword that has only a name; always the same one."""
    return FIRST_INVENTED_ID + stable_hash(kind, name, size=5)
