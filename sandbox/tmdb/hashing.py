"""Compute hashes, and ids for invented people, companies and keywords.

The results are the same in every process and on every machine.
"""

from hashlib import blake2b

# Larger than every real TMDB id, so that an invented id never equals a real one.
FIRST_INVENTED_ID = 1 << 32


def stable_hash(*parts: object, size: int = 8) -> int:
    """Return a hash of some values: a whole number of `size` bytes.

    Python's own `hash` gives another number in each process. This function always gives the same.
    """
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=size).digest(), "big")


def invented_id(kind: str, name: str) -> int:
    """Invent an id for a person, company or keyword that has only a name.

    The same kind and name always get the same id.
    """
    return FIRST_INVENTED_ID + stable_hash(kind, name, size=5)
