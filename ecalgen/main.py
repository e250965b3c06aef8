"""python -m ecalgen.main --config=configs/baseline.py[:preset] [--workdir=DIR] [--mode=train|evaluate|sample]"""
import pathlib
import re

from absl import app, flags
from ml_collections import config_flags

from ecalgen import runs
from ecalgen.errors import RunError, UserError
from ecalgen.machine import host
from ecalgen.training.checks import check_used
from ecalgen.training.loop import Interrupted

CONFIG = config_flags.DEFINE_config_file("config", None, "Recipe, such as configs/baseline.py:cpu.", lock_config=True)
WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run; runs/<system>-<preset>-<date> when not given.")
MODE = flags.DEFINE_enum("mode", "train", ["train", "evaluate", "sample"],
                         "train: every stage, then evaluate; evaluate: judge and report; sample: write samples.npz.")
SEED = flags.DEFINE_integer("seed", 0, "Seed of the showers of --mode=sample.")
HOSTS = flags.DEFINE_string("hosts", None, "Train in several processes, of one host or more with a shared file "
                            "system: ADDRESS:PORT,PROCESSES,INDEX, or auto on Slurm, Open MPI and TPU pods.")
CONDITIONS = flags.DEFINE_string("conditions", None, "npz with ParticleMomentum and ParticlePoint, for --mode=sample.")


def main(argv):
    """Run one mode; an error of the user's input ends in one line, without a traceback."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}; options start with --")
    host.set_up()
    config = CONFIG.value
    if HOSTS.value:
        _join(HOSTS.value)
    workdir = pathlib.Path(WORKDIR.value) if WORKDIR.value else runs.default_workdir(config)
    try:
        check_used(config, config_flags.get_override_values(flags.FLAGS["config"]))
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


def _join(hosts):
    try:
        if MODE.value != "train":
            raise UserError(f"--hosts is for training; --mode={MODE.value} runs in one process")
        host.join(hosts)
    except UserError as error:
        raise SystemExit(f"error: {error}") from error


def parse(argv):
    """absl's parser; a field or preset that does not exist is reported in one line."""
    try:
        arguments = flags.FLAGS(argv)
        _ = flags.FLAGS.config and flags.FLAGS.config.system  # a missing file raises only when the config is accessed
        return arguments
    except flags.IllegalFlagValueError as error:
        reason = [line for line in str(error).splitlines() if line.strip()][-1]
        raise SystemExit(f"error: {reason.removeprefix('ValueError: ')}") from error
    except OSError as error:
        raise SystemExit(f"error: --config: {_unreadable(error)}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = next(iter(error.args), error)
        message = message.args[0] if isinstance(message, KeyError) else message  # whose str() has quotation marks
        message = " ".join(str(message).split())
        if isinstance(error, AttributeError | KeyError):
            near = re.search('"(.*)" instead of "(.*)"', message)
            named = f"{near[2]!r}; did you mean {near[1]!r}?" if near else f"{message}."
            message = f"the recipe has no field {named}"
        raise SystemExit(f"error: --config: {message} Its fields are those of configs/base.py that its system uses, "
                         "and those in its own file") from None


def _unreadable(error):
    """The recipe that could not be read, and the reason."""
    message = str(error.__cause__ or error)
    if missing := re.search("No such file or directory: '(.*)'", message):  # no more than this text is given
        return f"there is no {missing[1]}; recipes are in configs/ of a clone"
    return " ".join(message.split())


if __name__ == "__main__":
    flags.mark_flag_as_required("config")
    app.run(main, flags_parser=parse)
