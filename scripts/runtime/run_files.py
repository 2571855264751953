"""Paths of one run's files: each step writes its result there, and the next step reads it."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from movierating.films.source import describe
from scripts.runtime.storage import DataFileError, DataPath


@dataclass(frozen=True)
class RunFiles:
    """Paths of the files of one pipeline run; each file name contains the run date.

    Attributes:
        folder: The working folder of the pipeline.
    """

    folder: DataPath
    run_date: date

    @property
    def collected(self) -> DataPath:
        """The films that this run fetched, as CSV."""
        return self.folder / f"movies_{self.run_date}.csv"

    @property
    def collect_report(self) -> DataPath:
        """The report of the collect step, as JSON.

        It contains the source of the films, the limit on their number (`COLLECT_MAX_FILMS`), and
        the faults found in TMDB's records.
        """
        return self.folder / f"movies_{self.run_date}.json"

    @property
    def cleaned(self) -> DataPath:
        """The films that a model can be trained on (the cleaned file), as CSV."""
        return self.folder / f"movies_cleaned_{self.run_date}.csv"

    @property
    def preprocess_report(self) -> DataPath:
        """The source of the films, and how many of them preprocessing dropped, by reason."""
        return self.folder / f"preprocess_{self.run_date}.json"

    @property
    def codes(self) -> DataPath:
        """The tables that give each genre and each language its number, as JSON."""
        return self.folder / f"codes_{self.run_date}.json"

    @property
    def bundle(self) -> DataPath:
        """The folder with the trained model's files (the bundle) and their index (the manifest)."""
        return self.folder / f"bundle_{self.run_date}"

    @property
    def model_report(self) -> DataPath:
        """The model's evaluation as an HTML page."""
        return self.folder / f"report_{self.run_date}.html"

    @property
    def legacy_model(self) -> DataPath:
        """The pickled model with five input columns, for users of the old system."""
        return self.folder / f"model_{self.run_date}.pkl"

    @property
    def tuned(self) -> DataPath:
        """The best hyperparameters that the tuning step found on this run's films."""
        return self.folder / f"tuned_{self.run_date}.json"

    @property
    def approval(self) -> DataPath:
        """The question to a person whether the model may go into production, and the answer."""
        return self.folder / f"approval_{self.run_date}.json"

    def read_report(self, path: DataPath, step: str, *names: str) -> dict[str, Any]:
        """Read a report of the run, and check that it has the entries in `names`.

        Args:
            path: The report, a JSON file that an earlier step writes.
            step: The name of that step, for the error message.
            names: The entries that the report must have.

        Raises:
            DataFileError: The report is missing or damaged, or lacks an entry, because another
                version of this code wrote it.
        """
        raw = self.require(path, step).read_bytes()
        try:
            report: dict[str, Any] = json.loads(raw)
        except ValueError:
            raise self._unusable(path, "is damaged", step) from None
        if missing := [name for name in names if name not in report]:
            raise self._unusable(path, f"does not have '{missing[0]}'", step)
        return report

    def source(self) -> str:
        """Return the name of the source of the films that this run collected.

        Raises:
            DataFileError: The report of the step `collect` is missing or does not name the source.
        """
        return str(self.read_report(self.collect_report, "collect", "source")["source"])

    def cleaned_source(self) -> str:
        """Return the name of the source of the films in the cleaned file.

        Raises:
            DataFileError: A report is missing or does not name the source, or the run has since
                collected films of another source.
        """
        collected = self.source()
        cleaned = str(self.read_report(self.preprocess_report, "preprocess", "source")["source"])
        if cleaned != collected:
            problem = f"has {describe(cleaned)}, but this run has collected {describe(collected)}"
            raise self._unusable(self.cleaned, problem, "preprocess")
        return cleaned

    def _unusable(self, path: DataPath, problem: str, step: str) -> DataFileError:
        return DataFileError(f"{path} {problem}; run {step} for {self.run_date} again")

    def require(self, path: DataPath, step: str) -> DataPath:
        """Return `path` after checking that it exists.

        Args:
            path: A file that an earlier step writes.
            step: The name of that step, for the error message.

        Raises:
            DataFileError: The file does not exist.
        """
        if not path.exists():
            raise DataFileError(f"{path} is missing; run {step} for {self.run_date} first")
        return path
