"""Keep the vectors of plots, so that the plot encoder reads each plot only once.

The file `plot_vectors.npz` in the working folder holds one vector per plot, found by a hash of the
plot's text. Plots that no film has any more are left out when the file is written again.
"""

import logging
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import pandas as pd

from movierating.films.text import is_korean
from movierating.model.plot_encoder import Vectors
from movierating.model.plot_weights import DIMENSIONS
from scripts.dataset.plot_encoder import encoder_name, open_encoder
from scripts.runtime.progress import progress
from scripts.runtime.storage import DataPath, atomic_write, reading

logger = logging.getLogger(__name__)

FILE_NAME: Final = "plot_vectors.npz"
PLOT_VECTOR: Final = "plot_vector"
KOREAN_VECTOR: Final = "korean_vector"
# Korean plots are only used to measure how far their vectors are from those of English plots.
_KOREAN_PLOTS: Final = 2_000


def with_plot_vectors(
    films: pd.DataFrame, folder: DataPath, *, keep_others: bool = False
) -> pd.DataFrame:
    """Return the films with their plots' vectors; encode the plots that the folder has none of.

    Args:
        films: Cleaned films, one row each.
        folder: The working folder, in which the vectors are kept.
        keep_others: Whether to keep the vectors of other films' plots too.

    Returns:
        A copy with two more columns: the vector of the English plot, and the vector of the Korean
        plot for the newest films that have one. None where there is no plot.
    """
    korean = films["overview_ko"].map(lambda text: isinstance(text, str) and is_korean(text))
    newest = films.loc[korean].sort_values("release_date", kind="stable").index[-_KOREAN_PLOTS:]
    columns = {
        PLOT_VECTOR: films["overview"],
        KOREAN_VECTOR: films["overview_ko"].where(films.index.isin(newest)),
    }
    keys = {
        name: [_key(text) if isinstance(text, str) else None for text in texts]
        for name, texts in columns.items()
    }
    texts = {
        key: text
        for name, plots in columns.items()
        for key, text in zip(keys[name], plots, strict=True)
        if key is not None
    }
    vectors = _vectors(texts, folder, keep_others)
    found: dict[str, Any] = {
        name: [None if key is None else vectors[key] for key in of_column]
        for name, of_column in keys.items()
    }
    return films.assign(**found)


def stacked(frame: pd.DataFrame, column: str) -> Vectors:
    """Return a column of vectors as a matrix, shape (rows, 512).

    Rows without a vector are NaN, as are all rows if the frame does not have the column.
    """
    matrix = np.full((len(frame), DIMENSIONS), np.nan, np.float16)
    if column in frame:
        for at, vector in enumerate(frame[column]):
            if vector is not None:
                matrix[at] = vector
    return matrix


def _vectors(texts: dict[bytes, str], folder: DataPath, keep_others: bool) -> dict[bytes, Vectors]:
    known = _read(folder)
    missing = [key for key in texts if key not in known]
    if missing:
        logger.info("the plot encoder reads %s new plots", len(missing))
        with open_encoder(folder) as encoder, progress(len(missing), "plots") as counter:
            for key in missing:
                (known[key],) = encoder.encode([texts[key]])
                counter.update(1)
        _write(folder, known if keep_others else {key: known[key] for key in texts})
    return known


def _key(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()


def _read(folder: DataPath) -> dict[bytes, Vectors]:
    """Read the kept vectors; none if there is no file, or another encoder made them."""
    path = folder / FILE_NAME
    try:
        with reading(path), path.open("rb") as stream, np.load(stream) as stored:
            if str(stored["encoder"]) != encoder_name():
                return {}
            keys, vectors = stored["keys"], stored["vectors"]
    except FileNotFoundError:
        return {}
    return dict(zip(map(bytes, keys), vectors, strict=True))


def _write(folder: DataPath, vectors: dict[bytes, Vectors]) -> None:
    keys = np.frombuffer(b"".join(vectors), np.uint8).reshape(len(vectors), -1)
    matrix = np.stack([*vectors.values()])
    with atomic_write(folder / FILE_NAME) as partial, partial.open("wb") as stream:
        np.savez(stream, encoder=encoder_name(), keys=keys, vectors=matrix)
