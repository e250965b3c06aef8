"""ecalgen export --run anchored --format onnx|stablehlo|c|cpp --out DIR

Writes a trained generator, of a run or shipped, for other programs. Its inputs are noise and particles, its output is
cells in MeV. A card beside it, in JSON, gives inputs, units, training range and provenance.
"""
import argparse
import pathlib

from ecalgen.errors import UserError
from ecalgen.export.files import FORMATS, export_generator
from ecalgen.machine import host


def make_parser():
    """The options; `--help` explains them."""
    parser = argparse.ArgumentParser(prog="ecalgen export", description=__doc__.split("\n\n")[1])
    parser.add_argument("--run", required=True, help="a run's workdir, or the name of a shipped model")
    parser.add_argument("--format", required=True, choices=FORMATS)
    parser.add_argument("--out", required=True, type=pathlib.Path, help="folder for the files")
    parser.add_argument("--name", help="of the files, function or class (that of the model or of the folder)")
    parser.add_argument("--refine", type=int, default=1, help="candidates for each shower (1)")
    return parser


def main(argv=None):
    """Write the files, and print their paths."""
    args = make_parser().parse_args(argv)
    host.set_up()
    try:
        paths = export_generator(args.run, args.format, args.out, args.name, args.refine)
    except (UserError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    for path in paths:
        print(path)


if __name__ == "__main__":
    main()
