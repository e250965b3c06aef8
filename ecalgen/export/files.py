"""The files of an export: programs in one of the formats, and a card beside them."""
import hashlib
import json
import math
import pathlib
import re

from ecalgen.data.grid import grid_record
from ecalgen.data.particles import trained_range
from ecalgen.export.c import to_c
from ecalgen.export.c_mathematics import BITS_IN_CPP, FUNCTIONS, HELPERS
from ecalgen.export.c_text import literal
from ecalgen.export.function import CONDITIONS, load_function
from ecalgen.export.onnx import OPSET, to_onnx
from ecalgen.export.program import FREE, trace
from ecalgen.export.stablehlo import PLATFORMS, WINDOW, to_stablehlo
from ecalgen.export.templates import CPP, EXAMPLE, HEADER, RANDOM, SOURCE
from ecalgen.machine.files import write_bytes
from ecalgen.machine.provenance import provenance
from ecalgen.sampling.cards import domain_of_card

FORMAT = 1
def export_generator(source, kind, folder, name=None, refine=1):
    """Write a generator in one format, with its card; return the paths.

    Args:
      source: a run's workdir, or the name of a shipped model.
      kind: one of `FORMATS`.
      folder: made when missing.
      name: of the files, and in C of the function; that of the model or of the run's folder when None.
      refine: number of candidates for each shower, as of `load_sampler`.

    Raises:
      WeightsError: no such model, or damaged files.
      ExportError: a model that this format cannot hold.
      UserError: ONNX without its extra.
    """
    make_cells, latent, card = load_function(source, refine)
    shape = domain_of_card(card).grid.shape
    name = re.sub(r"^(?=\d)|\W", "_", name or pathlib.Path(source).resolve().name, flags=re.A)
    files, said = FORMATS[kind](make_cells, latent, name, card)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [_write(folder / file, content) for file, content in files.items()]
    return [*paths, _write(folder / f"{name}.{kind}.json", _card(card, latent, kind, said, paths, shape))]


def write_onnx(make_cells, latent, name, card):
    """Models of both signatures that simulation frameworks call: noise and conditions apart, and joined."""
    del card
    joined = lambda both: make_cells(both[:, :latent], both[:, latent:])
    width = len(CONDITIONS)
    apart = to_onnx(trace(make_cells, (FREE, latent), (FREE, width)), ["noise", "conditions"], "cells")
    together = to_onnx(trace(joined, (FREE, latent + width)), ["noise_and_conditions"], "cells")
    files = {f"{name}.onnx": apart.SerializeToString(), f"{name}_joined.onnx": together.SerializeToString()}
    return files, {"opset": OPSET, "signatures": {
        f"{name}.onnx": {"noise": ["showers", latent], "conditions": ["showers", width]},
        f"{name}_joined.onnx": {"noise_and_conditions": ["showers", latent + width]}}}


def write_stablehlo(make_cells, latent, name, card):
    """The serialised function for `jax.export.deserialize`, and its StableHLO for other runtimes."""
    del card
    serialised, text = to_stablehlo(make_cells, latent, len(CONDITIONS))
    return {f"{name}.jax": serialised, f"{name}.stablehlo.mlir": text.encode()}, {
        "platforms": PLATFORMS, "compatibility": WINDOW}


def write_c(make_cells, latent, name, card):
    """A source file, its header, and an example of their use."""
    words = _program(make_cells, latent, name, card) | {"helpers": HELPERS}
    files = {f"{name}.h": HEADER, f"{name}.c": SOURCE, f"{name}_example.c": EXAMPLE}
    return {file: text.format(**words).encode() for file, text in files.items()}, {
        "function": f"{name}_shower", "workspace_floats": words["workspace"]}


def write_cpp(make_cells, latent, name, card):
    """One header with a class, the weights and a random generator inside."""
    grid, blocks = domain_of_card(card).grid, -(-latent // 4)
    low, high = (", ".join(map(literal, ends)) for ends in trained_range(card["trained_on"], grid))
    words = _program(make_cells, latent, name, card) | {
        "helpers": BITS_IN_CPP + FUNCTIONS, "random": RANDOM, "dimensions": " x ".join(map(str, grid.shape)),
        "blocks": blocks, "padded": 4 * blocks, "low": low, "high": high, "depth": literal(grid.reference_depth)[:-1],
        **{f"half_{axis}": literal(half)[:-1] for axis, half in zip("xy", grid.half_face, strict=True)}}
    return {f"{name}.hpp": CPP.format(**words).encode()}, {"class": f"ecalgen::{name}"}


def _program(make_cells, latent, name, card):
    """What the frames of a C program hold."""
    shape = domain_of_card(card).grid.shape
    program = trace(make_cells, (1, latent), (1, len(CONDITIONS)))
    constants, body, workspace = to_c(program, name, ["noise", "conditions"], "cells")
    return dict(name=name, title=f"Calorimeter showers of the generator {name}", guard=f"{name.upper()}_H",
                version=provenance(0)["versions"]["ecalgen"], latent=latent, conditions=len(CONDITIONS),
                cells=math.prod(shape), side=shape[-1], workspace=workspace, constants=constants, body=body,
                columns=", ".join(f"{column} ({unit})" for column, unit in CONDITIONS.items()))


FORMATS = {"onnx": write_onnx, "stablehlo": write_stablehlo, "c": write_c, "cpp": write_cpp}
"""Name -> (function, number of noise variables, name, card of the generator) -> ({file: bytes}, fields of the export's
card)."""


def _card(card, latent, kind, said, paths, shape):
    """JSON with inputs, output, training range and provenance."""
    fields = {name: card[name] for name in ("system", "preset", "generator", "data", "steps", "sha256", "provenance",
                                              "refine") if name in card}
    content = {
        "format": FORMAT, "kind": f"ecalgen {kind}", **said,
        "inputs": {"noise": {"numbers": latent, "distribution": "independent N(0, 1)"},
                   "conditions": [{"name": name, "unit": unit} for name, unit in CONDITIONS.items()]},
        "output": {"name": "cells", "unit": "MeV", "shape": ["showers", *shape],
                   "axes": ["showers", *"xyz"[:len(shape)]]},
        "grid": grid_record(domain_of_card(card).grid), "trained_on": card["trained_on"], "model": fields,
        "exported_with": provenance(0),
        "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}}
    return (json.dumps(content, indent=1) + "\n").encode()


def _write(path, content):
    write_bytes(path, content)
    return path
