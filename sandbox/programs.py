"""The programs that `make up` starts, their environment variables, and their configuration.

The program `supervisor` starts them. This module writes its configuration file.
"""

import json
import os
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from movierating.proxies import PROXY_VARIABLES, spare_local_addresses
from movierating.settings import (
    SECRET_NAME,
    USUAL_REQUESTS_PER_SECOND,
    ApiSettings,
    PipelineSettings,
    Settings,
)
from sandbox.s3.access_keys import READER
from sandbox.s3.access_keys import VARIABLES as S3_KEYS
from sandbox.s3.command import s3_url
from sandbox.state import FOLDER, HOST, LOGS, ROOT, Secrets

# The libraries of the pipeline's tasks whose import takes longest.
_LIBRARIES: Final = (
    "boto3",
    "lightgbm",
    "matplotlib.figure",
    "onnxmltools",
    "onnxruntime",
    "pandas",
    "pandera.pandas",
    "pyarrow.dataset",
    "requests",
    "scipy.stats",
    "skl2onnx",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "xgboost",
)
_RUN_AIRFLOW: Final = "from airflow.__main__ import main; main()"
BUCKET: Final = "movie-ratings"
_STAND_IN_PER_SECOND: Final = 1000  # more than one process can send
_SETTINGS: Final = frozenset(name.upper() for name in Settings.model_fields)
_OF_PIPELINE: Final = frozenset(name.upper() for name in PipelineSettings.model_fields)
_OF_API: Final = frozenset(name.upper() for name in ApiSettings.model_fields)
_OF_PAGE: Final = frozenset({"API_URL", "API_KEY"})
_UNSET: Final = " "  # counts as unset, and hides a value in .env, as an empty variable would not
AIRFLOW_USER: Final = "admin"
AIRFLOW_HOME: Final = FOLDER / "airflow"
AIRFLOW_PASSWORDS: Final = AIRFLOW_HOME / "passwords.json"
SUPERVISOR_CONFIG: Final = FOLDER / "supervisord.conf"
SUPERVISOR_PID: Final = FOLDER / "supervisord.pid"


@dataclass(frozen=True)
class Program:
    """A program that `supervisor` keeps running: if the program ends, it is started again.

    Attributes:
        name: The program's name, such as `api`.
        command: The program's command line.
        own: The names of the settings and secrets that the program gets. It gets no others.
        replaced: Variables that get the value of another variable.
        waits: Whether the program must be started later, because it needs Airflow's database. If
            not, `supervisor` starts it immediately.
    """

    name: str
    command: tuple[str, ...]
    own: frozenset[str]
    replaced: Mapping[str, str] = field(default_factory=dict)
    waits: bool = False

    def hidden(self, names: Iterable[str]) -> list[str]:
        """Return which of these environment variables the program must not get.

        They are the settings and secrets of other programs. Variables that are neither, such as
        PATH, are for every program.
        """
        return sorted(name for name in names if name not in self.own and self._is_foreign(name))

    def _is_foreign(self, name: str) -> bool:
        if name in _SETTINGS or name in READER:
            return True
        # Airflow runs the tasks, which may need any secret of the user.
        return not self.waits and (name.startswith("AIRFLOW") or bool(SECRET_NAME.search(name)))


def uses_stand_in_for_tmdb(settings: Settings) -> bool:
    """Return whether `make up` uses the local imitation of TMDB.

    It does, unless the setting TMDB_API_KEY has a value.
    """
    return settings.tmdb_api_key is None


def uses_stand_in_for_s3(settings: Settings) -> bool:
    """Return whether `make up` uses a local S3 server instead of Amazon's.

    It does, unless the setting S3_BUCKET_NAME has a value.
    """
    return settings.s3_bucket_name is None


def requests_per_second(settings: Settings) -> int:
    """Return the number of requests per second to TMDB, or to its local imitation.

    The imitation needs no protection, so `make up` is faster without TMDB's limit. A limit that the
    user has changed is kept.
    """
    limit = settings.tmdb_requests_per_second
    is_usual = limit == USUAL_REQUESTS_PER_SECOND
    return _STAND_IN_PER_SECOND if uses_stand_in_for_tmdb(settings) and is_usual else limit


def programs(settings: Settings, ports: list[int]) -> list[Program]:
    """Return the programs that `make up` starts, in the order of their start.

    Args:
        settings: The user's settings. They decide whether local programs replace TMDB and S3.
        ports: Two free ports: for the local imitation of TMDB, and for the local S3 server.
    """
    for_stand_in = dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), READER, strict=True))
    replaced = for_stand_in if uses_stand_in_for_s3(settings) else {}
    chosen = [
        Program("api", _api(settings), _OF_API, replaced),
        Program("page", _page(settings), _OF_PAGE),
        *(
            Program(f"airflow-{name}", command, _OF_PIPELINE, waits=True)
            for name, command in _airflow_commands().items()
        ),
    ]
    if uses_stand_in_for_tmdb(settings):
        chosen.insert(0, Program("tmdb", _tmdb(settings, ports[0]), frozenset()))
    if uses_stand_in_for_s3(settings):
        chosen.insert(0, Program("s3", _s3(ports[1]), frozenset(S3_KEYS)))
    return chosen


def environment(settings: Settings, ports: list[int], keys: Secrets) -> dict[str, str]:
    """Return the environment variables that all programs of `make up` get.

    They are the environment variables of this process, the settings of Airflow, and the addresses
    and keys of the programs that replace TMDB and S3.

    Args:
        settings: The user's settings.
        ports: Two free ports: for the local imitation of TMDB, and for the local S3 server.
        keys: The generated passwords and keys.
    """
    merged = _usable_variables() | _airflow_settings(settings, keys)
    merged |= {
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "2",  # otherwise glibc keeps tens of MB of memory per thread
        "ARROW_DEFAULT_MEMORY_POOL": "system",  # Arrow's own pool keeps 25 MB of freed memory
        "API_URL": f"http://{HOST}:{settings.api_port}",
        "DATA_DIR": _absolute(settings.data_dir),
    }
    if uses_stand_in_for_tmdb(settings):
        merged |= {
            "TMDB_BASE_URL": f"http://{HOST}:{ports[0]}/3",
            "TMDB_API_KEY": keys.tmdb_token,
            "TMDB_REQUESTS_PER_SECOND": str(requests_per_second(settings)),
            # The local imitation always fails for some films, which nobody needs to wait for.
            "TMDB_RETRY_SECONDS": "0.02",
        }
    if settings.tmdb_catalogue:
        merged["TMDB_CATALOGUE"] = settings.tmdb_catalogue
    if uses_stand_in_for_s3(settings):
        for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):  # the profile is for another S3
            merged.pop(name, None)
        merged |= {
            "AWS_ACCESS_KEY_ID": keys.s3_key,
            "AWS_SECRET_ACCESS_KEY": keys.s3_secret,
            "AWS_SESSION_TOKEN": _UNSET,
            "AWS_ENDPOINT_URL_S3": s3_url(ports[1]),
            "S3_BUCKET_NAME": BUCKET,
            READER[0]: keys.s3_reader_key,
            READER[1]: keys.s3_reader_secret,
        }
    if settings.api_key:
        merged["API_KEY"] = settings.api_key.get_secret_value()
    merged.setdefault("MODEL_POLL_SECONDS", "2")  # short, because `make up` waits for the new model
    return merged


def _usable_variables() -> dict[str, str]:
    """Return this process's environment variables, without a SOCKS proxy.

    Airflow's HTTP library fails for each request if a SOCKS proxy is set, even for local addresses.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not (name.lower() in PROXY_VARIABLES and value.startswith("socks"))
    }
    spare_local_addresses(kept)
    return kept


def airflow(*arguments: str, libraries: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the arguments for Python that start one of Airflow's programs.

    Args:
        arguments: The arguments for the program `airflow`.
        libraries: Modules that are imported before Airflow.
    """
    # At its start, Airflow creates millions of objects that stay. With its usual thresholds,
    # Python's garbage collector would spend a fifth of this time looking through them.
    imports = "".join(f"import {each}; " for each in libraries)
    program = f"import gc; gc.set_threshold(20_000, 10, 10); {imports}{_RUN_AIRFLOW}"
    return ("-c", program, *arguments)


def write_supervisor_config(
    chosen: list[Program], variables: Collection[str], socket_path: str
) -> None:
    """Write the configuration file of the program `supervisor`.

    The file contains no secrets, because the programs get secrets as environment variables. The
    file names the variables that a program does not get.

    Args:
        chosen: The programs that `supervisor` starts and restarts.
        variables: The names of the environment variables that `supervisor` gets.
        socket_path: The path of the Unix socket on which `supervisor` listens for commands.
    """
    sections: dict[str, Mapping[str, object]] = {
        "supervisord": {
            "nodaemon": "true",
            "logfile": LOGS / "supervisord.log",
            "pidfile": SUPERVISOR_PID,
            "directory": ROOT,
        },
        "unix_http_server": {"file": socket_path, "chmod": "0700"},
        "supervisorctl": {"serverurl": f"unix://{socket_path}"},
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        },
    }
    for program in chosen:
        sections[f"program:{program.name}"] = _section(program, variables)
    text = "\n".join(
        f"[{name}]\n" + "".join(f"{key} = {_escaped(value)}\n" for key, value in section.items())
        for name, section in sections.items()
    )
    SUPERVISOR_CONFIG.write_text(text)


def write_airflow_password(keys: Secrets) -> None:
    """Write the file from which Airflow reads the password of its only user."""
    AIRFLOW_HOME.mkdir(parents=True, exist_ok=True)
    AIRFLOW_PASSWORDS.touch(mode=0o600)
    AIRFLOW_PASSWORDS.write_text(json.dumps({AIRFLOW_USER: keys.airflow_password}))


def _absolute(data_dir: str) -> str:
    return data_dir if "://" in data_dir else str(Path(data_dir).absolute())


class _Expanded:
    """Variables with the value of another one of `supervisor`, which replaces %(ENV_NAME)s."""

    def __init__(self, replaced: Mapping[str, str]) -> None:
        self._replaced = replaced

    def __str__(self) -> str:
        return ",".join(f'{name}="%(ENV_{other})s"' for name, other in self._replaced.items())


def _escaped(value: object) -> str:
    return str(value) if isinstance(value, _Expanded) else str(value).replace("%", "%%")


def _section(program: Program, variables: Collection[str]) -> dict[str, object]:
    hiding = [part for name in program.hidden(variables) for part in ("-u", name)]
    return {
        "command": shlex.join(("env", *hiding, *program.command)),
        "environment": _Expanded(program.replaced),
        "autostart": str(not program.waits).lower(),
        "stdout_logfile": LOGS / f"{program.name}.log",
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": 1,
        "redirect_stderr": "true",
        "startsecs": 1,
        "startretries": 3,
        "stopwaitsecs": 8,  # shorter than the time after which `make down` kills processes
        "stopasgroup": "true",
        "killasgroup": "true",
    }


def _python(environment_name: str, module: str, *options: object) -> tuple[str, ...]:
    python = f"{ROOT}/.venv/{environment_name}/bin/python"
    return (python, "-m", module, *map(str, options))


def _airflow_commands() -> dict[str, tuple[str, ...]]:
    # Airflow's API server reads the log files itself, because they are on this machine. Each task
    # is a fork of the scheduler, and would need seconds for its own imports.
    scheduler = airflow("scheduler", "--skip-serve-logs", libraries=_LIBRARIES)
    commands = {
        "api-server": airflow("api-server"),
        "scheduler": scheduler,
        "dag-processor": airflow("dag-processor"),
    }
    python = f"{ROOT}/.venv/pipeline/bin/python"
    return {name: (python, *command) for name, command in commands.items()}


def _api(settings: Settings) -> tuple[str, ...]:
    return _python("api", "app.server", "--host", HOST, "--port", settings.api_port)


def _page(settings: Settings) -> tuple[str, ...]:
    return _python("ui", "ui.serve", "--host", HOST, "--port", settings.ui_port)


def _tmdb(settings: Settings, port: int) -> tuple[str, ...]:
    catalogue = settings.tmdb_catalogue
    options = ("--catalogue", catalogue) if catalogue else ()
    limit = ("--requests-per-second", 2 * _STAND_IN_PER_SECOND)
    return _python("sandbox", "sandbox.tmdb", "--port", port, *limit, *options)


def _s3(port: int) -> tuple[str, ...]:
    command = _python(
        "sandbox", "sandbox.s3", "--folder", FOLDER / "s3", "--port", port, "--bucket", BUCKET
    )
    return (f"TMPDIR={LOGS}", *command)  # the server also writes logs into TMPDIR


def _airflow_settings(settings: Settings, keys: Secrets) -> dict[str, str]:
    url = f"http://{HOST}:{settings.airflow_port}"
    wanted = {
        "CORE__DAGS_FOLDER": f"{ROOT}/dags",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "2",  # the memory of a small machine is enough for two tasks
        "CORE__DEFAULT_TIMEZONE": settings.pipeline_timezone,
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__FERNET_KEY": keys.fernet,
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{AIRFLOW_USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(AIRFLOW_PASSWORDS),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{AIRFLOW_HOME}/airflow.db",
        # `make up` has migrated the database before. Each of Airflow's programs would need a second
        # to check this.
        "DATABASE__CHECK_MIGRATIONS": "False",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",  # there are only four small DAG files
        # Changed files are read at once in any case. By default, Airflow also reads unchanged files
        # every 30 seconds.
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",  # half of the usual wait for the next task
        "API__HOST": HOST,
        "API__PORT": str(settings.airflow_port),
        "API__BASE_URL": url,
        "API__WORKERS": "1",
        "API__SECRET_KEY": keys.session,
        "API_AUTH__JWT_SECRET": keys.jwt,
        "LOGGING__BASE_LOG_FOLDER": f"{LOGS}/airflow",
    }
    return {
        "AIRFLOW_HOME": str(AIRFLOW_HOME),
        "AIRFLOW_METADATA_CONN": wanted["DATABASE__SQL_ALCHEMY_CONN"],  # for housekeeping
    } | {f"AIRFLOW__{name}": value for name, value in wanted.items()}
