"""Find, download and render Airflow's official Helm chart, which is not part of this repository.

`python -m tests.support.airflow_chart` downloads it; the variable AIRFLOW_CHART names another copy.
"""

import os
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
VERSION: Final = "1.22.0"
REPOSITORY: Final = "https://airflow.apache.org"
CHART: Final = ROOT / ".venv" / f"airflow-{VERSION}.tgz"
# Why a test is skipped; CI allows this.
ABSENT: Final = (
    "needs Airflow's Helm chart: type `.venv/dev/bin/python -m tests.support.airflow_chart`, "
    "or set AIRFLOW_CHART to its folder or .tgz file"
)
VALUES: Final = ROOT / "ops" / "kubernetes" / "airflow-values.yaml"


def chart_path() -> Path | None:
    """Return the path of the chart, a folder or a file; None if there is no chart here."""
    path = Path(os.environ.get("AIRFLOW_CHART") or CHART)
    return path if path.exists() else None


def rendered(path: Path, executor: str) -> list[dict[str, Any]]:
    """Render the chart with the project's values and this executor; return the manifests."""
    import helm_python

    values = deepcopy(yaml.safe_load(VALUES.read_text())) | {"executor": executor}
    with helm_python.Chart.load(str(path)) as chart:
        chart.validate_schema(values)
        texts = chart.render(values, name="training", namespace="movie-rating")
    found = [
        manifest
        for name, text in texts.items()
        if name.endswith(".yaml")
        for manifest in yaml.safe_load_all(text)
    ]
    return [each for each in found if each]


def main() -> None:
    """Download the chart from Airflow's own repository of charts."""
    import helm_python

    helm_python.pull("airflow", repo_url=REPOSITORY, version=VERSION, destination=CHART.parent)


if __name__ == "__main__":
    main()
