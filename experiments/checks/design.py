"""The design of examples/design.py, by generators of three seeds and by Geant4.

    python -m experiments.checks.design          # needs Geant4: an hour of simulation, then ten minutes a seed
    python -m experiments.checks.design --events=300 --check=60 --seeds=0 --preset=test --resamples=2 \
        --workdir=runs/x --results=runs/x.json

Simulation and training go on where they were interrupted, in the folder `--workdir`. Columns of 10 mm in place of 5 mm
show how much the sharing of a fine column between two wide ones matters.
"""
import dataclasses
import pathlib

import ecalgen
from ecalgen import runs
from ecalgen.data.grid import Grid
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.recipes import load
from examples import design
from experiments.command import new_parser, write

TRAINING, CHECK = 1, 2
"""Seeds of the two sets of Geant4 showers."""


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__, "design")
    parser.add_argument("--events", type=int, default=8000, help="Geant4 showers to train on (8,000)")
    parser.add_argument("--check", type=int, default=3000, help="Geant4 showers that check the optimum (3,000)")
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2],
                        help="of the generators (0,1,2)")
    parser.add_argument("--preset", default="cpu", help="of the recipe `anchored` (cpu)")
    parser.add_argument("--resamples", type=int, default=20, help="bootstraps of the Geant4 showers (20)")
    parser.add_argument("--workdir", type=pathlib.Path, default=pathlib.Path("runs/design"), help="(runs/design)")
    return parser


def main(argv=None):
    """Simulate, train, search, and write what was found."""
    args = make_parser().parse_args(argv)
    host.set_up()
    files = {seed: args.workdir / f"columns{count}-seed{seed}.npz"
             for seed, count in ((TRAINING, args.events), (CHECK, args.check))}
    args.workdir.mkdir(parents=True, exist_ok=True)
    for (seed, path), count in zip(files.items(), (args.events, args.check), strict=True):
        if not path.exists():
            design.simulate(count, seed, path)
    check = ecalgen.load_showers(files[CHECK])
    result = {"events": args.events, "preset": args.preset, "decay": design.DECAY, "noise": design.NOISE,
              "energy": design.BEAM.energy, "half": design.HALF, "runs": []}
    for seed in args.seeds:
        folder = args.workdir / f"seed{seed}"
        trained(load(f"anchored:{args.preset}"), files[TRAINING], seed, folder)
        record = design.optimise(folder, check, seed, args.resamples)
        optimum = record["generator"]["inner"], record["generator"]["threshold"]
        record["geant4"]["at_generators_by_10_mm"] = design.objective(merged(check), seed)(optimum)[0]
        result["runs"].append({"seed": seed} | record)
        print(f"seed {seed}\n{design.shown(record)}", flush=True)
    write(args.results, result | {"provenance": provenance(args.seeds[0])})


def trained(config, source, seed, folder):
    """Train a recipe on a file of showers, unless its generator is there."""
    if (folder / "generator").exists():
        return
    config.data.source, config.seed = str(source.absolute()), seed
    config.evaluation.showers = min(config.evaluation.showers, 1000)
    runs.prepare(config, folder)
    runs.train(config, folder)


def merged(showers):
    """The same showers in columns of twice the width."""
    (columns, rows), (width, height) = showers.grid.shape, showers.grid.pitch
    energy = showers.energy.reshape(len(showers), columns // 2, 2, rows).sum(2)
    grid = Grid((columns // 2, rows), (2 * width, height), showers.grid.reference_depth, name="columns")
    return dataclasses.replace(showers, energy=energy, grid=grid)


if __name__ == "__main__":
    main()
