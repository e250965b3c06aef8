"""Compiles the programs of samplers ahead, so that the first call of later processes takes a second instead of twenty.

    ecalgen warmup [--models anchored ...]
"""
import argparse

from ecalgen.errors import UserError
from ecalgen.machine import host
from ecalgen.machine.files import write_text
from ecalgen.sampling.sampler import load_sampler
from ecalgen.sampling.weights import shipped_models


def make_parser():
    """The options; `--help` explains them."""
    parser = argparse.ArgumentParser(prog="ecalgen warmup", description=__doc__.split("\n\n")[0])
    parser.add_argument("--models", nargs="+", metavar="NAME", default=shipped_models("generator"),
                        help="shipped models or folders of runs (all that ship)")
    return parser


def main(argv=None):
    """Compile, and print the time that each program took and the folder that keeps them."""
    args = make_parser().parse_args(argv)
    host.set_up()
    host.program_folder().mkdir(parents=True, exist_ok=True)
    try:
        for name in args.models:
            seconds = load_sampler(name).compile()
            print(f"{name}: {', '.join(f'{size} in {taken:.1f} s' for size, taken in seconds.items())}", flush=True)
    except (UserError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    write_text(host.program_folder() / host.WARM, "\n".join(args.models) + "\n")
    print(f"load_sampler takes these programs from {host.program_folder()}")


if __name__ == "__main__":
    main()
