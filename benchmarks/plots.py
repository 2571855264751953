"""Keep the vectors of real films' plots for all benchmarks: the encoder needs minutes for them."""

from pathlib import Path
from typing import Final

import pandas as pd

from sandbox.state import ROOT
from scripts.dataset.plot_encoder import FOLDER, encoder_entries
from scripts.dataset.plot_vectors import FILE_NAME, with_plot_vectors

KEPT: Final = ROOT / ".sandbox" / "plots"


def with_kept_vectors(films: pd.DataFrame) -> pd.DataFrame:
    """Return the films with their plots' vectors; encode the plots of which none is kept yet."""
    return with_plot_vectors(films, KEPT, keep_others=True)


def link_kept(folder: Path) -> None:
    """Let a run's folder use the kept vectors and the plot encoder's files."""
    encoder_entries(KEPT)
    folder.mkdir(parents=True, exist_ok=True)
    for name in (FILE_NAME, FOLDER):
        if (KEPT / name).exists() and not (folder / name).exists():
            (folder / name).symlink_to(KEPT / name)
