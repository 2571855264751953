"""Try DAGs with Airflow's `dag.test()`, in a process of their own and without other processes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.parallel import made_once
from tests.support.webhook import SECRET_PATH

ROOT: Final = Path(__file__).parents[2]
_DATABASE: Final = "airflow.db"


def try_dags(code: str, folder: Path, factory: pytest.TempPathFactory, **settings: str) -> Any:
    """Run Python code that tries DAGs; return its last line of output, parsed as JSON.

    Args:
        code: The Python code.
        folder: An empty folder, which becomes Airflow's home.
        factory: Makes the folder for the empty database that all tests copy.
        settings: Further environment variables, such as the pipeline's settings.
    """
    migrated = made_once(
        factory, "airflow_database", lambda home: _run(home, "-m", "airflow", "db", "migrate")
    )
    shutil.copy(migrated / _DATABASE, folder / _DATABASE)
    return json.loads(_run(folder, "-c", code, **settings).splitlines()[-1])


def _run(home: Path, *arguments: str, **settings: str) -> str:
    environment = os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "PYTHONPATH": str(ROOT),
        "DATA_DIR": str(home / "data"),
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=home,
        env=environment | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert SECRET_PATH not in done.stdout + done.stderr
    return done.stdout
