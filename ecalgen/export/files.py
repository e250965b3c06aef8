"""The files of an export: programs in one of the formats, and a card beside them."""
import hashlib
import json
import math
import pathlib
import re

from ecalgen.data.grid import grid_record
from ecalgen.export.c import HELPERS, to_c
from ecalgen.export.function import CONDITIONS, load_function
from ecalgen.export.onnx import OPSET, to_onnx
from ecalgen.export.program import FREE, trace
from ecalgen.export.stablehlo import PLATFORMS, WINDOW, to_stablehlo
from ecalgen.machine.files import write_bytes
from ecalgen.machine.provenance import provenance
from ecalgen.sampling.cards import domain_of_card

FORMAT = 1
HEADER = """\
/* {title}
 * Written by ecalgen {version}; {name}.c.json says what it was trained on and for which particles it may be trusted. */
#ifndef {guard}
#define {guard}

enum {{
  {name}_noise = {latent},        /* independent numbers of N(0, 1) that a shower takes */
  {name}_conditions = {conditions},      /* {columns} */
  {name}_cells = {cells},         /* energies in MeV, cell (ix, iy) at {side} * ix + iy */
  {name}_workspace = {workspace}   /* floats of scratch memory, of each thread its own */
}};

#ifdef __cplusplus
extern "C"
#endif
void {name}_shower(const float *noise, const float *conditions, float *cells, float *workspace);

#endif
"""
SOURCE = """\
/* {title}; see {name}.h. C99; link with -lm. */
#include "{name}.h"
#include <math.h>

{helpers}
{constants}

void {name}_shower(const float *noise, const float *conditions, float *cells, float *workspace) {{
{body}
}}
"""
EXAMPLE = """\
/* One shower, printed: cc -O3 -o example {name}_example.c {name}.c -lm && ./example 1
 * The argument is the seed. */
#include "{name}.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A number of N(0, 1), by Box and Muller from splitmix64. */
static double uniform(unsigned long long *state) {{
  unsigned long long z = (*state += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}}

static float normal(unsigned long long *state) {{
  const double radius = sqrt(-2.0 * log(uniform(state)));
  return (float)(radius * cos(6.283185307179586 * uniform(state)));
}}

int main(int argc, char **argv) {{
  unsigned long long state = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
  const float conditions[{name}_conditions] = {{0.0f, 0.0f, 20.0f, 0.0f, 0.0f}}; /* {columns} */
  static float noise[{name}_noise], cells[{name}_cells], workspace[{name}_workspace];
  float total = 0.0f;
  for (int i = 0; i < {name}_noise; ++i) noise[i] = normal(&state);
  {name}_shower(noise, conditions, cells, workspace);
  for (int i = 0; i < {name}_cells; ++i) {{
    total += cells[i];
    printf("%.4g%c", cells[i], (i + 1) % {side} ? ' ' : '\\n');
  }}
  fprintf(stderr, "%.1f MeV in all cells\\n", total);
  return 0;
}}
"""


def export_generator(source, kind, folder, name=None):
    """Write a generator in one format, with its card; return the paths.

    Args:
      source: a run's workdir, or the name of a shipped model.
      kind: one of `FORMATS`.
      folder: made when missing.
      name: of the files, and in C of the function; that of the model or of the run's folder when None.

    Raises:
      WeightsError: no such model, or damaged files.
      ExportError: a model that this format cannot hold.
      UserError: ONNX without its extra.
    """
    make_cells, latent, card = load_function(source)
    shape = domain_of_card(card).grid.shape
    name = re.sub(r"^(?=\d)|\W", "_", name or pathlib.Path(source).resolve().name, flags=re.A)
    files, said = FORMATS[kind](make_cells, latent, name, shape)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [_write(folder / file, content) for file, content in files.items()]
    return [*paths, _write(folder / f"{name}.{kind}.json", _card(card, latent, kind, said, paths, shape))]


def write_onnx(make_cells, latent, name, shape):
    """Models of both signatures that simulation frameworks call: noise and conditions apart, and joined."""
    del shape
    joined = lambda both: make_cells(both[:, :latent], both[:, latent:])
    width = len(CONDITIONS)
    apart = to_onnx(trace(make_cells, (FREE, latent), (FREE, width)), ["noise", "conditions"], "cells")
    together = to_onnx(trace(joined, (FREE, latent + width)), ["noise_and_conditions"], "cells")
    files = {f"{name}.onnx": apart.SerializeToString(), f"{name}_joined.onnx": together.SerializeToString()}
    return files, {"opset": OPSET, "signatures": {
        f"{name}.onnx": {"noise": ["showers", latent], "conditions": ["showers", width]},
        f"{name}_joined.onnx": {"noise_and_conditions": ["showers", latent + width]}}}


def write_stablehlo(make_cells, latent, name, shape):
    """The serialised function for `jax.export.deserialize`, and its StableHLO for other runtimes."""
    del shape
    serialised, text = to_stablehlo(make_cells, latent, len(CONDITIONS))
    return {f"{name}.jax": serialised, f"{name}.stablehlo.mlir": text.encode()}, {
        "platforms": PLATFORMS, "compatibility": WINDOW}


def write_c(make_cells, latent, name, shape):
    """A source file, its header, and an example of their use."""
    program = trace(make_cells, (1, latent), (1, len(CONDITIONS)))
    constants, body, workspace = to_c(program, name, ["noise", "conditions"], "cells")
    words = dict(name=name, title=f"Calorimeter showers of the generator {name}", guard=f"{name.upper()}_H",
                 version=provenance(0)["versions"]["ecalgen"], latent=latent, conditions=len(CONDITIONS),
                 cells=math.prod(shape), side=shape[-1], workspace=workspace, helpers=HELPERS, constants=constants,
                 body=body, columns=", ".join(f"{column} ({unit})" for column, unit in CONDITIONS.items()))
    files = {f"{name}.h": HEADER, f"{name}.c": SOURCE, f"{name}_example.c": EXAMPLE}
    return {file: text.format(**words).encode() for file, text in files.items()}, {
        "function": f"{name}_shower", "workspace_floats": workspace}


FORMATS = {"onnx": write_onnx, "stablehlo": write_stablehlo, "c": write_c}
"""Name -> (function, number of noise variables, name, shape of the cells) -> ({file: bytes}, fields of the card)."""


def _card(card, latent, kind, said, paths, shape):
    """JSON with inputs, output, training range and provenance."""
    fields = {name: card[name] for name in ("system", "preset", "generator", "data", "steps", "sha256", "provenance")}
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
