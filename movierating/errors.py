"""The base class for errors whose message is written for a person to read."""

from typing import ClassVar


class ExplainedError(Exception):
    """An error whose message says in one sentence what is wrong and what to change.

    The message never contains a secret. Entry points show it without a traceback.

    Attributes:
        retryable: Whether the same call may succeed later; the scheduler then tries it again.
    """

    retryable: ClassVar[bool] = False
