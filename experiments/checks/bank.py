"""A bank of repeated particles: Geant4's response, resolution and observables for 64 particles, 500 showers each.

    taskset -c 0 python -m experiments.checks.bank --simulate      # hours; a rerun continues
    python -m experiments.checks.bank                              # judges the generators by it, minutes
    python -m experiments.checks.bank --simulate --particles=2 --showers=10 --results=runs/x.json

The data set has one shower a particle, so response and resolution of a particle are known from its neighbours only.
Here each particle has its own showers. The bank keeps summaries of each particle: mean and standard deviation of the
observables, their quantiles and their correlations. The same command makes the same showers again.
"""
import numpy as np

from ecalgen.data.showers import Showers
from ecalgen.evaluation.metrics.features import observable_columns
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.sampling.sampler import load_sampler
from ecalgen.sampling.weights import shipped_models
from ecalgen.simulation import geant4
from ecalgen.simulation.beam import BEAMS, engine_seeds, kinematics
from experiments.command import new_parser, read, write

SEED = 20261130
"""Of the particles and of Geant4."""
QUANTILES = np.linspace(0.05, 0.95, 19)
AT_ONCE = 50
"""Showers that Geant4 makes between two updates of the progress bar."""


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__, "bank")
    parser.add_argument("--simulate", action="store_true", help="simulate particles that the bank does not hold yet")
    parser.add_argument("--particles", type=int, default=64, help="number of particles (64)")
    parser.add_argument("--showers", type=int, default=500, help="number of showers of each of them (500)")
    parser.add_argument("--only", action="append", help="generators to judge; repeat the flag (all that ship)")
    return parser


def main(argv=None):
    """Fill the bank, or judge generators by it."""
    args = make_parser().parse_args(argv)
    host.set_up()
    bank = read(args.results) if args.results.exists() else {
        "showers": args.showers, "seed": SEED, "particles": [], "generators": {}, "provenance": provenance(SEED)}
    if bank["showers"] != args.showers:
        raise SystemExit(f"error: {args.results} holds {bank['showers']} showers a particle; give --showers="
                         f"{bank['showers']}, or another file")
    if not (bank["particles"] or args.simulate):
        raise SystemExit(f"error: {args.results} holds no particles; fill the bank with --simulate")
    momentum, point = kinematics(BEAMS["5d"], SEED, 0, max(args.particles, len(bank["particles"])))
    if args.simulate:
        fill(bank, args, momentum, point)
    for name in args.only or shipped_models("generator"):
        sampler = load_sampler(name)
        found = [summary(sampler(*repeated(momentum[i], point[i] / 10, bank["showers"]), seed=i), momentum[i], point[i])
                 for i in host.progress(range(len(bank["particles"])), desc=name)]
        bank["generators"][name] = compared(found, bank["particles"], bank["showers"])
        write(args.results, bank)
        print(name, bank["generators"][name], flush=True)


def fill(bank, args, momentum, point):
    """Simulate the particles that the bank lacks, and write it after each of them."""
    run = geant4.start(geant4.Setup(seed=SEED))
    bar = host.progress(range(len(bank["particles"]) * args.showers, args.particles * args.showers), desc="showers")
    for i in range(len(bank["particles"]), args.particles):
        seeds = engine_seeds(SEED, i * args.showers, args.showers)
        made = []
        for some in np.array_split(seeds, max(1, args.showers // AT_ONCE)):
            made.append(run(*repeated(momentum[i], point[i], len(some)), some)[0].copy())
            bar.update(len(some))
        halves = [summary(half, momentum[i], point[i]) for half in np.array_split(np.concatenate(made), 2)]
        bank["particles"].append(summary(np.concatenate(made), momentum[i], point[i]) | {"floor": apart(*halves)})
        write(args.results, bank)


def repeated(momentum, point, count):
    """One particle `count` times: `[count, 3]` GeV and `[count, 2]`; points keep their unit."""
    return np.tile(momentum, (count, 1)), np.tile(point, (count, 1))


def summary(energy, momentum, point):
    """What is kept of a particle's showers.

    Args:
      energy: `[N, nx, ny]` MeV.
      momentum, point: of the particle, GeV and mm.
    """
    showers = Showers(energy, *repeated(momentum, point / 10, len(energy)))
    columns = {f"{name}_{k}" if values.shape[1] > 1 else name: values[:, k].astype(np.float64)
               for name, values in observable_columns(showers).items() for k in range(values.shape[1])}
    rows = np.stack(list(columns.values()))
    spread = rows.std(axis=1, ddof=1)
    scaled = (rows - rows.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)[:, None]
    return {"momentum": momentum.tolist(), "point_mm": point.tolist(), "names": list(columns),
            "mean": rows.mean(axis=1).tolist(), "deviation": spread.tolist(),
            "quantiles": np.round(np.quantile(rows, QUANTILES, axis=1).T, 6).tolist(),
            "correlation": np.round(scaled @ scaled.T / (rows.shape[1] - 1), 4).tolist()}


def compared(generated, real, count):
    """How far the generator's conditional distributions lie from Geant4's, over all particles.

    Args:
      generated, real: lists of `summary`.
      count: showers of each particle.

    Returns:
      {"response": [mean ratio of the visible fractions, its error], "resolution": [mean ratio of their relative
      deviations, its error], "pulls": {observable: mean square of (difference of the means / its error), 1 if equal},
      "quantiles": mean distance of the quantiles in standard deviations, "correlation": mean absolute difference,
      "floor": {the last two between two sets of Geant4 of the same size}}.
    """
    column = lambda field: (np.array([one[field] for one in generated]), np.array([one[field] for one in real]))
    names = real[0]["names"]
    means, deviations = column("mean"), column("deviation")
    at = names.index("visible_fraction")
    ratio = means[0][:, at] / means[1][:, at]
    error = np.hypot(*(deviation[:, at] / mean[:, at] for mean, deviation in zip(means, deviations, strict=True))) / (
        np.sqrt(count))
    width = (deviations[0][:, at] / means[0][:, at]) / (deviations[1][:, at] / means[1][:, at])
    weights = 1 / error**2
    errors = np.hypot(*deviations) / np.sqrt(count)
    pulls = ((means[0] - means[1]) / np.where(errors > 0, errors, 1))**2
    distances = [apart(*pair) for pair in zip(generated, real, strict=True)]
    floor = [one["floor"] for one in real]
    of = lambda rows, field: float(np.mean([row[field] for row in rows]))
    return {"response": [float(np.average(ratio, weights=weights)), float(weights.sum()**-0.5)],
            "resolution": [float(width.mean()), float(np.sqrt(1 / count / len(width)))],
            "pulls": dict(zip(names, np.round(pulls.mean(axis=0), 2).tolist(), strict=True)),
            "quantiles": of(distances, "quantiles"), "correlation": of(distances, "correlation"),
            "floor": {field: of(floor, field) / np.sqrt(2) for field in ("quantiles", "correlation")}}


def apart(one, other):
    """Mean distances of two summaries of a particle: {"quantiles": in standard deviations, "correlation"}."""
    spread = np.array(other["deviation"])
    off = np.abs(np.subtract(one["quantiles"], other["quantiles"])) / np.where(spread > 0, spread, 1)[:, None]
    return {"quantiles": float(off.mean()),
            "correlation": float(np.abs(np.subtract(one["correlation"], other["correlation"])).mean())}


if __name__ == "__main__":
    main()
