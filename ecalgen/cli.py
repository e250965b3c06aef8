"""The command `ecalgen`: each of its subcommands is a module, which `python -m` runs as well."""
import argparse
import importlib
import os
import runpy
import sys
from typing import NamedTuple

import ecalgen


class Command(NamedTuple):
    """A subcommand.

    Args:
      module: that `python -m` runs.
      parser: the module whose `make_parser` knows its options.
      help: one line.
    """

    module: str
    parser: str
    help: str


COMMANDS = {
    "train": Command("ecalgen.main", "ecalgen.main", "train a recipe, judge the result and write a report"),
    "evaluate": Command("ecalgen.evaluation", "ecalgen.evaluation.__main__",
                        "judge a run again, or showers of any generator, or compare judged runs"),
    "sample": Command("ecalgen.sampling", "ecalgen.sampling.__main__", "one shower for each particle of a file"),
    "simulate": Command("ecalgen.simulation", "ecalgen.simulation.__main__",
                        "showers of a beam by Geant4, a parametrisation or a trained generator"),
    "refine": Command("ecalgen.refine", "ecalgen.refine", "a network that keeps the best of several candidates"),
    "export": Command("ecalgen.export", "ecalgen.export.__main__", "a generator for programs without JAX"),
    "benchmark": Command("ecalgen.benchmark", "ecalgen.benchmark", "time generators and training steps"),
    "models": Command("ecalgen.sampling.shipped", "ecalgen.sampling.shipped",
                      "the models in the package, and what each reached"),
    "warmup": Command("ecalgen.sampling.warmup", "ecalgen.sampling.warmup",
                      "compile the programs of samplers, once for all later processes"),
    "completion": Command("ecalgen.cli", "ecalgen.cli", "completion of these commands for your shell"),
}
"""Name -> `Command`."""
SHELLS = ("bash", "zsh", "tcsh")


def main():
    """Run the subcommand that the command line names."""
    try:
        _run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(words):
    sys.path.insert(0, "")  # modules of yours lie in the current folder, as for `python -m`
    if words and words[0] == "completion":
        print(_completion(words[1:]))
    elif words and words[0] in COMMANDS:
        sys.argv = [COMMANDS[words[0]].module, *words[1:]]
        runpy.run_module(COMMANDS[words[0]].module, run_name="__main__", alter_sys=True)
    else:
        make_parser().parse_args(words or ["--help"])


def make_parser(whole=False):
    """The parser of the command.

    Args:
      whole: with the options of every subcommand, which takes seconds to import.
    """
    parser = argparse.ArgumentParser(prog="ecalgen", description="Calorimeter showers from generative networks, "
                                     "trained on and judged against Geant4. `ecalgen COMMAND --help` explains a "
                                     "command.")
    parser.add_argument("--version", action="version", version=f"ecalgen {ecalgen.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        if name == "completion":
            _add_shell(commands.add_parser(name, help=command.help))
            continue
        parents = [importlib.import_module(command.parser).make_parser()] if whole else []
        commands.add_parser(name, help=command.help, parents=parents, add_help=not parents)
    return parser


def _add_shell(parser):
    parser.add_argument("shell", choices=SHELLS)
    return parser


def _completion(words):
    """The script of a shell that completes the command and its options."""
    import shtab  # only here

    shell = _add_shell(argparse.ArgumentParser(prog="ecalgen completion")).parse_args(words).shell
    return shtab.complete(make_parser(whole=True), shell)


if __name__ == "__main__":
    main()
