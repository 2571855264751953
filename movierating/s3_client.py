"""Create boto3 sessions for S3: credentials, region, time limits, and what to do on a redirect."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.configprovider import ConstantProvider
from botocore.exceptions import BotoCoreError, ProfileNotFound
from botocore.httpsession import ProxyConfiguration
from botocore.loaders import Loader, create_loader
from botocore.session import Session as BotocoreSession

from movierating.proxies import proxy_for, spare_local_addresses
from movierating.settings import SettingsError, SharedSettings
from movierating.time_limits import limited_pools

DEFAULT_REGION: Final = "ap-northeast-2"
# boto3's defaults wait a minute per attempt. An unreachable S3 should be reported sooner, and a
# short outage should not fail a step.
_CONFIG: Final = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 4},
)
# By default, boto3 adds checksum headers to each request, which some stores refuse. The project
# does not need them: the signature covers the content, and the registry has hashes of its own.
# The variables of AWS with these names still decide.
_CHECKSUMS: Final = ("request_checksum_calculation", "response_checksum_validation")
# The settings decide about the profile. boto3 would take an empty AWS_PROFILE for a profile's name.
_NO_PROFILE: Final = {"profile": (None, None, None, None)}
_RESPONSE_SECONDS: Final = 120.0  # the largest objects have some tens of MB
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class RedirectedError(RuntimeError):
    """The server redirects a request to another address, as S3 itself never does.

    Attributes:
        target: The scheme and host of that address; None if the server names none.
    """

    def __init__(self, target: str | None) -> None:
        super().__init__(target)
        self.target = target


class _Proxies(ProxyConfiguration):
    """Chooses the proxies for boto3, because boto3 ignores ALL_PROXY and some forms of NO_PROXY."""

    def proxy_url_for(self, url: str) -> Any:
        """Return the address of the proxy for a request; None for a request without a proxy."""
        proxy = proxy_for(url)
        return proxy.url if proxy else None


class LimitedSession(boto3.Session):
    """A boto3 session whose clients limit the time of a response, and report redirects."""

    def client(self, *arguments: Any, **options: Any) -> Any:
        """Create a client; `resource` creates one with this method too."""
        client: Any = super().client(*arguments, **options)
        # boto3 has no setting for the connections' class. Its clients look it up in this table.
        http = client._endpoint.http_session
        http._proxy_config = _Proxies()
        pools = http._pool_classes_by_scheme
        pools.update(limited_pools(_RESPONSE_SECONDS, pools))
        # boto3 asks for the region of a redirected bucket. If this question is redirected too, it
        # asks again, and again. So this handler must come first.
        client.meta.events.register_first("needs-retry.s3", _refuse_redirect)
        return client


def s3_session(settings: SharedSettings) -> LimitedSession:
    """Create a session with the credentials and the region of the settings.

    Without keys in the settings, boto3 finds credentials as it always does: in a profile, by single
    sign-on, by a web identity, or by the role of a container or a machine.

    Raises:
        SettingsError: The keys are incomplete, or the profile does not exist.
    """
    spare_local_addresses()  # boto3 asks a local address for the role
    keys, loader = _keys(settings), _service_descriptions()
    core = BotocoreSession(_NO_PROFILE, profile=None if keys else settings.aws_profile)
    core.register_component("data_loader", loader)
    core.set_default_client_config(_CONFIG)
    for name in _CHECKSUMS:
        provider = core.get_component("config_store").get_config_provider(name)
        provider.set_default_provider(ConstantProvider("when_required"))
    with setup_errors():
        region = settings.aws_default_region or core.get_config_variable("region")
        session = LimitedSession(
            botocore_session=core, region_name=region or DEFAULT_REGION, **keys
        )
    loader.search_paths[:] = dict.fromkeys(loader.search_paths)  # each session adds the same path
    return session


def s3_client(settings: SharedSettings) -> Any:
    """Create a client with its own session.

    Raises:
        SettingsError: A setting for S3 is missing or invalid.
    """
    session = s3_session(settings)
    with setup_errors():
        return session.client("s3", endpoint_url=settings.aws_endpoint_url_s3)


@cache
def _service_descriptions() -> Loader:
    """Create the reader of boto3's files about AWS's services, which keeps what it has read.

    All sessions share it, because reading takes most of the time that a new client needs.
    """
    return create_loader()


@contextmanager
def setup_errors() -> Iterator[None]:
    """Translate the errors of boto3 when it creates a session or client.

    Raises:
        SettingsError: A setting for S3 is invalid; the message names it.
    """
    try:
        yield
    except ProfileNotFound:
        raise SettingsError(
            "AWS_PROFILE names no profile of this machine; change it, or run `aws configure`"
        ) from None
    except ValueError:
        raise SettingsError(
            "AWS_ENDPOINT_URL_S3 is not an address or AWS_DEFAULT_REGION is not a region; change it"
        ) from None
    except BotoCoreError as error:
        raise SettingsError(
            f"boto3 refuses a setting ({type(error).__name__}); check the variables that begin "
            "with AWS_, and the file ~/.aws/config"
        ) from None


def _keys(settings: SharedSettings) -> dict[str, str]:
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    secrets = {name: getattr(settings, name) for name in names}
    keys = {name: value.get_secret_value() for name, value in secrets.items() if value}
    if keys and not {"aws_access_key_id", "aws_secret_access_key"} <= keys.keys():
        token = ", and unset AWS_SESSION_TOKEN" if settings.aws_session_token else ""
        raise SettingsError(
            f"set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither{token}"
        )
    return keys


def _refuse_redirect(response: Any = None, **_: Any) -> None:
    """Raise an error for a redirect, unless S3 names the region where the bucket is.

    boto3 calls this with each response, and repeats the request for the other region itself.
    """
    if response is None or response[0].status_code not in _REDIRECTS:
        return
    answer, parsed = response
    if "x-amz-bucket-region" in answer.headers or parsed.get("Error", {}).get("Region"):
        return
    target = urlsplit(answer.headers.get("Location", ""))
    # Not the whole address: it may contain a signature.
    raise RedirectedError(f"{target.scheme}://{target.hostname}" if target.hostname else None)
