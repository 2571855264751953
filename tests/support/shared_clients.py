"""Let the buckets that tests open share boto3's clients, which take long to create."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from movierating import s3, s3_client
from movierating.settings import SharedSettings


@contextmanager
def shared_clients(url: str) -> Iterator[None]:
    """During the block, create only one client for all buckets of a server with the same keys.

    A client with keys depends on nothing else, except on the module's own constants and on some
    variables of the environment. Creating one takes longer than most requests of the tests.

    Args:
        url: The server's address. Clients of other addresses are not shared.
    """
    clients: dict[Any, Any] = {}

    def shared(settings: SharedSettings) -> Any:
        if settings.aws_endpoint_url_s3 != url or not settings.aws_access_key_id:
            return s3_client.s3_client(settings)
        key = (
            *(getattr(settings, name) for name in SharedSettings.model_fields if "aws" in name),
            id(s3_client._CONFIG),
            s3_client._RESPONSE_SECONDS,
            *(entry for entry in sorted(os.environ.items()) if _concerns_clients(entry[0])),
        )
        if key not in clients:
            clients[key] = s3_client.s3_client(settings)
        return clients[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(s3, "s3_client", shared)
        yield


def _concerns_clients(variable: str) -> bool:
    return variable.startswith("AWS_") or variable.lower().endswith("_proxy")
