"""Train a recipe and judge it, judge a run again, or make showers with it.

    ecalgen train --config=RECIPE[:PRESET] [--config.FIELD=VALUE ...] [--workdir=DIR] [--seeds=0,1,2]
    python -m ecalgen.main --config=RECIPE[:PRESET] ... [--mode=train|evaluate|sample]

RECIPE is a name, such as anchored, or the path of a recipe's file.
"""
import argparse
import pathlib
import re

from absl import app, flags
from ml_collections import config_flags

from ecalgen import recipes, runs
from ecalgen.errors import RunError, UserError
from ecalgen.machine import host
from ecalgen.training.checks import check_used
from ecalgen.training.loop import Interrupted

CONFIG = config_flags.DEFINE_config_file("config", None, "Recipe, such as anchored:cpu, or configs/anchored.py:cpu; "
                                         "with --help: list its fields.", lock_config=True)
WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run; runs/<system>-<preset>-seed<seed>-<date> when not "
                              "given.")
MODES = ["train", "evaluate", "sample"]
MODE = flags.DEFINE_enum("mode", "train", MODES,
                         "train: every stage, then evaluate; evaluate: judge and report; sample: write samples.npz.")
SEEDS = flags.DEFINE_list("seeds", None, "Train and judge with each of these seeds, in folders seed0, ... of the "
                          "workdir, and compare them.")
SEED = flags.DEFINE_integer("seed", 0, "Seed of the showers of --mode=sample.")
HOSTS = flags.DEFINE_string("hosts", None, "Train in several processes, of one host or more with a shared file "
                            "system: ADDRESS:PORT,PROCESSES,INDEX, or auto on Slurm, Open MPI and TPU pods.")
CONDITIONS = flags.DEFINE_string("conditions", None, "npz with ParticleMomentum and ParticlePoint, for --mode=sample.")
OPTIONS = (CONFIG, WORKDIR, SEEDS, MODE, CONDITIONS, SEED, HOSTS)
"""In the order of the help."""
HELP = ("-h", "-help", "--help", "--helpfull", "--helpshort")


def main(argv):
    """Run one mode; an error of the user's input ends in one line, without a traceback."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}; options start with --")
    host.set_up()
    config = CONFIG.value
    if HOSTS.value:
        _join(HOSTS.value)
    try:
        check_used(config, config_flags.get_override_values(flags.FLAGS["config"]))
        if SEEDS.value:
            print(runs.train_seeds(config, _seeds(), _workdir()))
            return
        workdir = _workdir() or runs.default_workdir(config)
        if MODE.value != "train" and not (workdir / "config.json").exists():
            raise RunError(f"{workdir} holds no run; train it first, or name its folder with --workdir")
        if first := host.is_first():
            runs.prepare(config, workdir)
        host.wait_for_all("prepared")
        if MODE.value == "train":
            runs.train(config, workdir)
            host.leave()
            if not first:
                return
        if MODE.value == "sample":
            print(runs.sample(config, workdir, CONDITIONS.value, SEED.value))
        else:
            print(runs.evaluate(config, workdir))
    except (UserError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    except Interrupted:
        host.leave()
        raise
    except KeyboardInterrupt:
        raise SystemExit("interrupted; the same command goes on from the last checkpoint, if there is one") from None


def _workdir():
    return pathlib.Path(WORKDIR.value) if WORKDIR.value else None


def _seeds():
    """The whole numbers of `--seeds`.

    Raises:
      UserError: others, or flags that contradict them.
    """
    if MODE.value != "train" or HOSTS.value:
        raise UserError("--seeds is for training in one process; leave out --mode and --hosts")
    try:
        seeds = [int(seed) for seed in SEEDS.value]
    except ValueError as error:
        raise UserError(f"--seeds is {','.join(SEEDS.value)!r}; give whole numbers, such as 0,1,2") from error
    if len(set(seeds)) < max(2, len(seeds)):
        raise UserError(f"--seeds is {','.join(SEEDS.value)!r}; give two different seeds or more; for a single one "
                        "there is --config.seed")
    return seeds


def _join(hosts):
    try:
        if MODE.value != "train":
            raise UserError(f"--hosts is for training; --mode={MODE.value} runs in one process")
        host.join(hosts)
    except UserError as error:
        raise SystemExit(f"error: {error}") from error


def parse(argv):
    """absl's parser; a field or preset that does not exist is reported in one line."""
    if asked := [argument for argument in argv if argument in HELP]:
        print(described([argument for argument in argv[1:] if argument not in asked]))
        raise SystemExit(0)
    try:
        argv = with_path(argv)
    except UserError as error:
        raise SystemExit(f"error: --config: {error}") from error
    try:
        arguments = flags.FLAGS(argv)
        if flags.FLAGS.config is None:
            raise SystemExit(f"error: --config not given; recipes: {', '.join(recipes.names())}, or the path of one")
        _ = flags.FLAGS.config.system  # a fault in the file raises only when the config is accessed
        return arguments
    except flags.IllegalFlagValueError as error:
        reason = [line for line in str(error).splitlines() if line.strip()][-1]
        reason = re.sub(r"invalid literal for int\(\).*: ('.*')|could not convert string to float: ('.*')",
                        lambda found: f"{found[1] or found[2]} is no number of this kind", reason)
        raise SystemExit(f"error: {reason.removeprefix('ValueError: ')}") from error
    except flags.UnrecognizedFlagError as error:
        raise SystemExit(f"error: {error}; --help lists the options") from error
    except OSError as error:
        raise SystemExit(f"error: --config: {' '.join(str(error).split())}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = next(iter(error.args), error)
        message = message.args[0] if isinstance(message, KeyError) else message  # whose str() has quotation marks
        message = " ".join(str(message).split())
        if isinstance(error, AttributeError | KeyError):
            near = re.search('"(.*)" instead of "(.*)"', message)
            named = f"{near[2]!r}; did you mean {near[1]!r}?" if near else f"{message}."
            message = f"the recipe has no field {named}"
        raise SystemExit(f"error: --config: {message} Its fields, with their meanings: --config=... --help") from None


def with_path(argv):
    """The arguments, with the path of the recipe in `--config` in place of its name.

    Raises:
      UserError: there is no such recipe.
    """
    found = list(argv)
    for i, argument in enumerate(argv):
        if argument in ("--config", "-config") and i + 1 < len(argv):
            found[i + 1] = recipes.find(argv[i + 1])
        elif match := re.fullmatch("(--?config=)(.+)", argument, re.S):
            found[i] = match[1] + recipes.find(match[2])
    return found


def make_parser():
    """A parser of the options, for the help and for completion; absl parses them, because it knows the config."""
    parser = argparse.ArgumentParser(prog="ecalgen train", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in OPTIONS:
        flag = flags.FLAGS[option.name]
        parser.add_argument(f"--{flag.name}", help=flag.help.removeprefix(f"<{'|'.join(MODES)}>: "),
                            choices=MODES if flag is flags.FLAGS["mode"] else None)
    return parser


def described(arguments):
    """The help: the options, and the fields of the recipe if one is named, or else the names of the recipes."""
    named = [argument.partition("=")[2] for argument in arguments if re.match("--?config=", argument)]
    if not named:
        return (f"{make_parser().format_help()}\nrecipes: {', '.join(recipes.names())}; --config=RECIPE --help lists "
                "the fields of one")
    try:
        fields = recipes.fields(recipes.load(named[-1]))
    except UserError as error:
        raise SystemExit(f"error: --config: {error}") from error
    lines = [f"fields of {named[-1]}, set by --config.FIELD=VALUE:",
             *(f"  {name} = {value!r}\n      {meaning}" for name, value, meaning in fields)]
    return "\n".join([make_parser().format_help(), *lines])


if __name__ == "__main__":
    app.run(main, flags_parser=parse)
