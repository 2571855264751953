"""The files of one run: where each step writes its result and the next step finds it."""

from dataclasses import dataclass
from datetime import date

from scripts.runtime.storage import DataFileError, DataPath


@dataclass(frozen=True)
class RunFiles:
    """Paths of the files of one run; each name contains the run date.

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
        """The source and the limit of `collected`, and the faults found in TMDB's records."""
        return self.folder / f"movies_{self.run_date}.json"

    @property
    def cleaned(self) -> DataPath:
        """The films that a model can be trained on."""
        return self.folder / f"movies_cleaned_{self.run_date}.csv"

    @property
    def preprocess_report(self) -> DataPath:
        """How many films preprocessing dropped, by reason."""
        return self.folder / f"preprocess_{self.run_date}.json"

    @property
    def codes(self) -> DataPath:
        """The code tables of genres and languages."""
        return self.folder / f"codes_{self.run_date}.json"

    @property
    def bundle(self) -> DataPath:
        """The folder of the trained bundle and its manifest."""
        return self.folder / f"bundle_{self.run_date}"

    @property
    def model_report(self) -> DataPath:
        """The model's evaluation as an HTML page."""
        return self.folder / f"report_{self.run_date}.html"

    @property
    def legacy_model(self) -> DataPath:
        """The pickled five-column model for users of the old system."""
        return self.folder / f"model_{self.run_date}.pkl"

    @property
    def tuned(self) -> DataPath:
        """The best parameters that a search found on this run's films."""
        return self.folder / f"tuned_{self.run_date}.json"

    def require(self, path: DataPath, step: str) -> DataPath:
        """Return a path after checking that the step which writes it has run.

        Raises:
            DataFileError: The file does not exist.
        """
        if not path.exists():
            raise DataFileError(f"{path} is missing; run {step} for {self.run_date} first")
        return path
