"""Write a small plot encoder for tests: the real one takes seconds to write, and 80 MB of disk."""

import json
from dataclasses import replace
from pathlib import Path
from string import ascii_lowercase

import numpy as np
from marisa_trie import Trie
from onnx import TensorProto, helper

from movierating.identity import sha256
from movierating.model.plot_encoder import (
    ENCODER_FILES,
    NETWORK_NAME,
    NUMBERS_NAME,
    PIECES_NAME,
    TABLE_NAME,
)
from movierating.model.plot_weights import DIMENSIONS, PlotWeights
from movierating.model.target_encoding import Effects, EffectTable
from movierating.registry.bundle import EFFECTS_NAME, encoders_beside, write_bundle
from movierating.registry.manifest import FileEntry
from tests.support.bundles import Packed

WORDS = ("▁lantern", "▁island", "▁happy", "▁등대", "▁편지")


def write_small_encoder(folder: Path) -> None:
    """Write an encoder whose vector is the mean of random vectors, one per letter or word."""
    special = ["<unk>", "<s>", "</s>"]
    trie = Trie([*special, "▁", *ascii_lowercase, *WORDS])
    trie.save(str(folder / PIECES_NAME))
    rows = np.empty(len(trie), np.int32)
    pieces = [*special, *sorted(set(trie) - set(special))]
    rows[[trie[piece] for piece in pieces]] = np.arange(len(pieces))
    lengths = np.asarray([len(piece) for piece in pieces], np.float32)
    np.savez(
        folder / NUMBERS_NAME,
        rows=rows,
        scores=(lengths - 10)[rows],  # longer pieces are better
        scale=np.asarray([0.01, 0.02], np.float32),
        low=np.asarray([-1.28, -2.56], np.float32),
    )
    table = np.random.default_rng(3).integers(0, 256, (len(trie), DIMENSIONS), np.uint8)
    np.save(folder / TABLE_NAME, table)
    (folder / NETWORK_NAME).write_bytes(_mean_network())


def plot_weights(
    effect: float, score: float, words_effect: float, words_score: float, shift: float
) -> PlotWeights:
    """Create weights that multiply the sum of a vector's numbers, and a shift for Korean."""
    return PlotWeights(
        np.repeat([[effect], [score], [words_effect], [words_score]], DIMENSIONS, axis=1),
        np.zeros(4),
        {"ko": np.full(DIMENSIONS, shift)},
    )


def with_encoder(packed: Packed, folder: Path) -> Packed:
    """Create a copy of a bundle in `folder` that reads plots by their vectors.

    The files of its small plot encoder are beside it, where a bundle expects them.
    """
    encoders = encoders_beside(folder)
    encoders.mkdir(parents=True)
    write_small_encoder(encoders)
    entries = {}
    for name in ENCODER_FILES:
        raw = (encoders / name).read_bytes()
        entries[name] = FileEntry(sha256=sha256(raw), bytes=len(raw))
        (encoders / name).rename(encoders / entries[name].sha256)
    files = {name: (packed.folder / name).read_bytes() for name in packed.manifest.files}
    effects = replace(
        Effects.from_json(json.loads(files[EFFECTS_NAME])), plots=plot_weights(1, 2, 3, 4, 0.0)
    )
    table = effects.tables["plot"]
    scored = EffectTable(table, [[*table[word], 0.0] for word in table])
    effects = replace(effects, tables={**effects.tables, "plot": scored})
    files[EFFECTS_NAME] = json.dumps(effects.to_json()).encode()
    manifest = packed.manifest.model_copy(update={"encoder": entries})
    return Packed(folder, write_bundle(folder, manifest, files))


def _mean_network() -> bytes:
    nodes = [
        helper.make_node("ReduceMean", ["rows"], ["mean"], axes=[0], keepdims=1),
        helper.make_node("LpNormalization", ["mean"], ["vector"], axis=1, p=2),
    ]
    graph = helper.make_graph(
        nodes,
        "small_encoder",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["pieces", DIMENSIONS])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, DIMENSIONS])],
    )
    opset = [helper.make_opsetid("", 13)]
    raw: bytes = helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
    return raw
