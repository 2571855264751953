"""The errors that are meant for a person."""

from typing import ClassVar


class ExplainedError(Exception):
    """Says in one sentence what is wrong and what to change; never carries a secret.

    Entry points show the sentence without a traceback. `retryable` tells the scheduler whether
    waiting may help.
    """

    retryable: ClassVar[bool] = False
