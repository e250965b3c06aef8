r"""A design by gradients: which columns of cells measure positions best, at a fixed number of channels?

    python examples/design.py simulate --events=8000 --seed=1 --out=fine.npz
    python examples/design.py simulate --events=3000 --seed=2 --out=check.npz
    ecalgen train --config=anchored:cpu --config.data.source=fine.npz --config.evaluation.showers=1000 \
        --workdir=runs/fine
    python examples/design.py optimise --run=runs/fine --check=check.npz

Sixteen columns of cells cover 64 cm. The eight inner ones are narrow, the eight outer ones wide. Most particles hit the
centre. Narrow inner columns measure the many particles there better, but then the outer columns are wider, as all share
the 64 cm. A generator of showers in cells of 5 mm tells the resolution of any such columns with its gradient. Geant4
showers check the optimum. Lengths are in cm, energies in MeV unless said.
"""
import argparse
import dataclasses
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize

import ecalgen
from ecalgen.data.grid import Grid
from ecalgen.data.showers import reference_point
from ecalgen.sampling.production import Production, produce
from ecalgen.simulation.beam import Beam
from ecalgen.simulation.calorimeter import SHASHLIK
from ecalgen.simulation.geant4 import Setup

FINE = dataclasses.replace(SHASHLIK, name="fine", modules=3, cells_per_module=24)
"""The shashlik, 36 cm wide, in cells of 5.05 mm."""
ROWS = 12
"""Cells along y that are summed: the design is about x alone."""
BEAM = Beam(energy=(5.0, 20.0), slope_spread=0.02)
INNER, OUTER = 8, 8
"""Columns of each width."""
HALF = 32.0
"""Half of what the columns cover along x."""
DECAY = 4.0
"""Particles are distributed as exp(-|x| / DECAY)."""
EDGE = 4.0
"""Particles keep this distance from the end of the columns."""
NOISE = 10.0
"""MeV, standard deviation of the noise in each channel."""
WIDTHS = (2.0, 3.999)
"""Smallest and largest inner width; at 4 all columns are equal."""
START = (3.0, 4.0)
"""Inner width and logarithmic threshold from which the search starts."""
TRIED = (2.0, 2.5, 3.0, 3.5, 3.999)
"""Inner widths of the table."""


def simulate(events, seed, out):
    """Geant4 showers in columns of 5.05 mm and rows of 6 cm, as a file that `ecalgen train` reads."""
    raw = out.with_suffix(".cells.npz")
    if not raw.exists():
        produce(Production(Setup(FINE, BEAM, seed), events), raw)  # goes on where it was interrupted
    showers = ecalgen.load_showers(raw)
    strips = showers.energy.reshape(len(showers), FINE.cells, -1, ROWS).sum(3)
    pitch = FINE.pitch / 10
    grid = Grid(strips.shape[1:], (pitch, ROWS * pitch), showers.grid.reference_depth, name="columns")
    ecalgen.save_showers(out, dataclasses.replace(showers, energy=strips, grid=grid))


def edges(inner):
    """Edges of the columns for an inner width: `[INNER + OUTER + 1]`."""
    middle = jnp.arange(INNER // 2 + 1) * inner
    rest = (HALF - middle[-1]) * jnp.arange(1, OUTER // 2 + 1) / (OUTER // 2)
    right = jnp.concatenate([middle, middle[-1] + rest])
    return jnp.concatenate([-right[:0:-1], right])


def place(showers, seed):
    """Energies of the 5 mm columns, and where the showers are put along x.

    Returns:
      strips: `[N, columns of 5 mm]`.
      low: `[N]`, where the first of them begins.
      position: `[N]`, where the particle crosses the reference plane.
    """
    random, pitch = np.random.default_rng(seed), showers.grid.pitch[0]
    within = np.asarray(reference_point(showers.momentum, showers.point, showers.grid))[:, 0]
    most = 1 - np.exp(-(HALF - EDGE) / DECAY)
    wanted = -DECAY * np.log(1 - most * random.random(len(showers))) * random.choice([-1, 1], len(showers))
    moved = pitch * np.round((wanted - within) / pitch)
    return showers.energy.sum(2), moved - showers.grid.half_face[0], moved + within


def resolution(parameters, strips, low, position, pitch, noise):
    """Root mean square of reconstructed minus true position, cm, a differentiable function of the design.

    The position is the mean of the columns' centres, weighted by max(0, threshold + ln of the column's share) (Awes et
    al., NIM A 311 (1992) 130). A column has the part of each 5 mm column that it covers, and its own noise.

    Args:
      parameters: inner width (cm) and threshold.
      strips, low, position: those of `place`.
      pitch: of the 5 mm columns.
      noise: `[N, INNER + OUTER]`, of N(0, 1).
    """
    inner, threshold = parameters
    bounds = edges(inner)
    start = low[:, None, None] + pitch * jnp.arange(strips.shape[1])[None, None]
    covered = jnp.clip(jnp.minimum(start + pitch, bounds[1:][None, :, None]) -
                       jnp.maximum(start, bounds[:-1][None, :, None]), 0) / pitch
    energy = jnp.maximum((covered * strips[:, None]).sum(2) + NOISE * noise, 1e-3)
    share = energy / energy.sum(1, keepdims=True)
    weight = jnp.maximum(threshold + jnp.log(share), 0)
    centre = (bounds[1:] + bounds[:-1]) / 2
    found = (weight * centre[None]).sum(1) / weight.sum(1)
    return jnp.sqrt(jnp.mean((found - position) ** 2))


def objective(showers, seed):
    """`f(parameters) -> (resolution, gradient)` for showers of a generator or of Geant4, with fixed random numbers."""
    strips, low, position = (jnp.asarray(value, jnp.float32) for value in place(showers, seed))
    noise = jax.random.normal(jax.random.key(seed), (len(strips), INNER + OUTER))
    pitch = showers.grid.pitch[0]
    value = lambda parameters: resolution(parameters, strips, low, position, pitch, noise)
    function = jax.jit(jax.value_and_grad(value))

    def evaluate(parameters):
        value, gradient = function(jnp.asarray(parameters, jnp.float32))
        return float(value), np.asarray(gradient, np.float64)

    return evaluate


def best(function):
    """The parameters at the smallest resolution, by L-BFGS-B with the gradient."""
    return minimize(function, START, jac=True, method="L-BFGS-B", bounds=(WIDTHS, (2.0, 8.0)))


def best_threshold(function, inner):
    """The smallest resolution at an inner width."""
    fixed = lambda threshold: (lambda value, gradient: (value, gradient[1:]))(*function((inner, threshold[0])))
    return minimize(fixed, START[1:], jac=True, method="L-BFGS-B", bounds=((2.0, 8.0),)).fun


def generated(run, check, seed):
    """Showers of a generator at the particles of other showers."""
    sampler = ecalgen.load_sampler(run)
    return dataclasses.replace(check, energy=np.asarray(sampler(check.momentum, check.point, seed=seed)))


def optimise(run, check, seed=0, resamples=20):
    """Optimum and curve for a generator and for Geant4 showers, as a record.

    Args:
      run: folder of the trained generator.
      check: Geant4 showers that it was not trained on.
      seed: of places, noise and showers.
      resamples: bootstraps of the Geant4 showers, for the standard errors.
    """
    record, functions = {"showers": len(check), "tried": list(TRIED)}, {}
    for name, showers in (("generator", generated(run, check, seed)), ("geant4", check)):
        function = functions[name] = objective(showers, seed)
        found = best(function)
        record[name] = {"inner": found.x[0], "threshold": found.x[1], "resolution": found.fun, "calls": int(found.nfev),
                        "curve": [best_threshold(function, inner) for inner in TRIED]}
    optimum = record["generator"]["inner"], record["generator"]["threshold"]
    random, again = np.random.default_rng(seed), []
    for number in range(resamples):
        function = objective(check[random.integers(0, len(check), len(check))], seed + 1 + number)
        again.append([best(function).x[0], function(optimum)[0]])
    errors = dict(zip(("inner", "at_generators"), np.std(again, axis=0, ddof=1).tolist(), strict=True))
    record["geant4"] |= {"at_generators": functions["geant4"](optimum)[0], "errors": errors}
    return record


def shown(record):
    """The record as lines."""
    generator, geant4 = record["generator"], record["geant4"]
    lines = ["inner width   resolution, generator   resolution, Geant4"]
    lines += [f"{inner:8.2f} cm {10 * ours:18.3f} mm {10 * theirs:17.3f} mm" for inner, ours, theirs in
              zip(record["tried"], generator["curve"], geant4["curve"], strict=True)]
    lines.append(f"optimum: generator {generator['inner']:.3f} cm ({generator['calls']} gradients), Geant4 "
                 f"{geant4['inner']:.3f} +- {geant4['errors']['inner']:.3f} cm")
    lines.append(f"resolution at the generator's: generator {10 * generator['resolution']:.3f} mm, Geant4 "
                 f"{10 * geant4['at_generators']:.3f} +- {10 * geant4['errors']['at_generators']:.3f} mm")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description="Widths of columns by gradients.")
    commands = parser.add_subparsers(dest="command", required=True)
    made = commands.add_parser("simulate", help="Geant4 showers in fine columns")
    made.add_argument("--events", type=int, required=True)
    made.add_argument("--seed", type=int, required=True)
    made.add_argument("--out", type=pathlib.Path, required=True)
    searched = commands.add_parser("optimise", help="find the widths and check them")
    searched.add_argument("--run", required=True, help="folder of the generator")
    searched.add_argument("--check", required=True, help="Geant4 showers of `simulate`, with another seed")
    args = parser.parse_args()
    if args.command == "simulate":
        simulate(args.events, args.seed, args.out)
        return
    print(shown(optimise(args.run, ecalgen.load_showers(args.check))))


if __name__ == "__main__":
    main()
