"""The time between being told to end and ending."""

import time


class Draining:
    """Whether the service is about to end.

    A load balancer sees it in /readyz and sends new requests elsewhere. Meanwhile everything is
    answered, and each answer closes its connection.
    """

    def __init__(self, seconds: float = 0) -> None:
        """Last for some seconds once begun."""
        self._seconds = seconds
        self._until: float | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the service was told to end."""
        return self._until is not None

    def begin(self) -> None:
        """Tell everyone from now on."""
        self._until = time.monotonic() + self._seconds

    def is_over(self) -> bool:
        """Whether it is time to end."""
        return self._until is not None and time.monotonic() >= self._until
