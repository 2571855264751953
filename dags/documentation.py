"""The texts about DAGs and tasks that Airflow's pages show."""

from inspect import cleandoc
from pathlib import Path
from typing import Any, Final

_FOLDER: Final = Path(__file__).parent / "about"


def about(dag_id: str) -> str:
    """Read a DAG's description in Markdown: inputs, outputs, repetition, what to do on failure."""
    return (_FOLDER / f"{dag_id}.md").read_text(encoding="utf-8")


def with_clean_docs(dag: Any) -> Any:
    """Remove the indentation from the tasks' docstrings, and return the DAG.

    Airflow shows a task's docstring as Markdown, and Markdown shows indented lines as code.
    """
    for task in dag.tasks:
        if task.doc_md and not task.is_mapped:
            task.doc_md = cleandoc(task.doc_md)
    return dag
