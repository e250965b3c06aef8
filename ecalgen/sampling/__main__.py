"""ecalgen sample --run anchored --particles FILE --out FILE [--seed 0]

Makes one shower for each particle of a file, and writes them block by block, so that memory does not grow with the
file. Files are npz, ROOT or HDF5.
"""
import argparse
import os
import sys

from ecalgen.data.files.formats import load_conditions
from ecalgen.data.files.writer import ShowerWriter
from ecalgen.data.showers import Showers
from ecalgen.errors import UserError
from ecalgen.machine import host
from ecalgen.machine.chunks import slices
from ecalgen.machine.provenance import provenance
from ecalgen.sampling.sampler import PRECISIONS, load_sampler

BLOCK = 10_000
"""Showers in memory at a time."""


def make_parser():
    """The options; `--help` explains them."""
    parser = argparse.ArgumentParser(prog="ecalgen sample", description=__doc__.split("\n\n")[1])
    add = parser.add_argument
    add("--run", required=True, help="a run's folder, or the name of a shipped model")
    add("--particles", required=True, metavar="FILE", help="with ParticleMomentum [N, 3] in GeV and ParticlePoint "
                                                           "[N, 2] in cm; cells are not needed")
    add("--out", required=True, metavar="FILE", help="file to write: .npz, .root or .h5")
    add("--seed", type=int, default=0, help="of the showers (0)")
    add("--misses", choices=("refuse", "empty"), default="refuse",
        help="what to do with a particle that misses the calorimeter: an error, or an empty shower (refuse)")
    add("--precision", choices=PRECISIONS, default="float32", help="of the networks (float32)")
    add("--refine", type=int, default=1, help="candidates for each shower (1)")
    return parser


def main(argv=None):
    """Write the showers, and print the path of the file."""
    args = make_parser().parse_args(argv)
    host.set_up()
    try:
        sampler = load_sampler(args.run, args.precision, args.refine)
        momentum, point = load_conditions(args.particles, sampler.grid)
        made_by = {"generator": args.run, "refine": args.refine, "seed": args.seed,
                   "particles": os.path.basename(args.particles), "provenance": provenance(args.seed)}
        with ShowerWriter(args.out, provenance=made_by) as writer:
            for rows in host.progress(slices(len(momentum), BLOCK), "blocks of showers"):
                energy = sampler(momentum[rows], point[rows], args.seed, rows.start, args.misses)
                writer.append(Showers(energy, momentum[rows], point[rows], grid=sampler.grid))
    except (UserError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    except KeyboardInterrupt:
        sys.exit("interrupted; nothing was written")
    print(f"{len(momentum)} showers in {args.out}")


if __name__ == "__main__":
    main()
