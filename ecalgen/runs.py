"""A run in its folder: training, evaluation with report, and sampling, each resumable and repeatable."""
import datetime
import json
import pathlib

import jax
import numpy as np

from ecalgen.data.ecal_shashlik import count_split, load_repeated, load_split, open_stream
from ecalgen.data.files.formats import load_conditions, save_showers
from ecalgen.data.observables import CHUNK
from ecalgen.data.showers import Showers
from ecalgen.data.splits import warn_of_differences
from ecalgen.data.transforms import make_transform
from ecalgen.errors import ConfigError, UserError
from ecalgen.evaluation import evaluate as evaluation
from ecalgen.evaluation.metrics.distances import wasserstein_distance
from ecalgen.evaluation.metrics.prd import PROTOCOLS
from ecalgen.evaluation.report.report_page import write_report
from ecalgen.evaluation.report.verdict import spoken, verdict
from ecalgen.machine.chunks import mapped
from ecalgen.machine.files import write_text
from ecalgen.machine.host import is_first
from ecalgen.machine.lock import alone, locked
from ecalgen.machine.provenance import device, provenance
from ecalgen.machine.records import read_recipe, shown
from ecalgen.models.build import build_discriminator, build_generator
from ecalgen.sampling.sampler import export_generator, load_sampler
from ecalgen.training.checks import check_seed, check_stages, check_train
from ecalgen.training.feed import ArrayBlocks
from ecalgen.training.loop import read_metrics, run_stage, trained_state
from ecalgen.training.stages import build_stages, last_fields, make_discriminator, make_targets, training_arrays
from ecalgen.training.state import init_key
from ecalgen.training.tensorboard import make_writers

EXAMPLES = 20_000
"""Showers that a regressor's targets are scaled by; of a stream, also those that its stages are built on."""


class RunError(UserError):
    """A run that cannot start or go on as asked; the message says what to change."""


def default_workdir(config):
    """`runs/<system>-<preset>-<date>`: rerun on the same day, a run resumes."""
    return pathlib.Path("runs") / f"{config.system}-{config.preset}-{datetime.date.today():%Y%m%d}"


def prepare(config, workdir):
    """Check the config, make the folder and write `config.json`, or check that it holds a run of the same recipe.

    How a run is evaluated and logged is no part of its recipe and may change.

    Raises:
      RunError: it holds another recipe; the message names the fields that differ.
      ConfigError: a field cannot be as it is.
    """
    check_config(config)
    if not (workdir / "config.json").exists():
        _check_counts(config)  # before anything is written
        test, training = (_load(config, split, config.evaluation.showers) for split in ("test", "train"))
        warn_of_differences(training, test)
        make_targets(config, training)  # a user's function may fail
    write_recipe(config, workdir)


def write_recipe(config, workdir):
    """Make the folder and write `config.json`, or check that it holds a run of the same recipe.

    Raises:
      RunError: as `prepare`.
      RecordError: its `config.json` is no recipe.
      LockError: another process works in the folder.
    """
    path, text = workdir / "config.json", json.dumps(config.to_dict(), indent=1)
    if not path.exists():
        workdir.mkdir(parents=True, exist_ok=True)
        with locked(workdir):
            if not path.exists():
                write_text(path, text + "\n")
                return
    there, here = _flat(read_recipe(path)), _flat(json.loads(text))
    differing = [f"{shown(name)} ({shown(there.get(name))} there, {shown(here.get(name))} here)"
                 for name in sorted(there | here)
                 if there.get(name) != here.get(name) and not name.startswith(("evaluation.", "tensorboard"))
                 and (name in here or not name.startswith(("train.", "data.")))]  # older versions wrote unused ones
    if differing:
        raise RunError(f"{workdir} holds a run of another recipe: {', '.join(differing)}; give the recipe "
                       "it was trained with, or another --workdir")


def check_config(config):
    """Raises ConfigError for a field that cannot be as it is, before anything is written."""
    check_seed(config.seed)
    check_stages(config)
    build_generator(config.generator)
    if "gan" in config.stages:
        build_discriminator(config.discriminator)
    make_transform(**config.data.transform)
    check_train(config.train)
    for name in config.stages:
        if name in config:
            check_train(config[name], f"config.{name}")
    protocol = config.evaluation.protocol
    if protocol not in PROTOCOLS:
        raise ConfigError(f"config.evaluation.protocol is {protocol!r}; it is one of {', '.join(PROTOCOLS)}")
    if 2 * config.evaluation.showers < PROTOCOLS[protocol].clusters:
        least = ", ".join(f"{name} {settings.clusters // 2}" for name, settings in PROTOCOLS.items())
        raise ConfigError(f"config.evaluation.showers is {config.evaluation.showers}; the protocol {protocol!r} needs "
                          f"at least {PROTOCOLS[protocol].clusters // 2}, half its number of clusters; give more, or "
                          f"another config.evaluation.protocol (at least: {least})")


@alone
def train(config, workdir):
    """Every stage to its end, from the newest checkpoints, then the generator for `load_sampler`."""
    _check_counts(config)
    showers, stages, data = load_stages(config)
    writers = make_writers(workdir, config.tensorboard and is_first())
    count = len(data) if isinstance(data, ArrayBlocks) else len(showers)
    if is_first():
        print(f"training {config.system} ({config.preset}) on {count:,} showers, {device()}, in {workdir}", flush=True)
    states = {}
    for stage in stages:
        states[stage.name] = run_stage(stage, data, config.train, config.seed, workdir, writers, before=dict(states))
    if is_first():
        export_generator(workdir / "generator", trained_state(stage, states[stage.name], workdir), config, showers)


@alone
def evaluate(config, workdir):
    """Judge the generator on the test showers; the path of the report.

    Real showers of the training split are the other real set of the ceiling, and copies are looked for among all that
    lie on the device. A run that is not finished is judged by its newest checkpoint.
    """
    _check_counts(config)
    sampler = _sampler(config, workdir)
    real, reference = _load(config, "test", config.evaluation.showers), _load(config, "train", config.data.on_device)
    print(f"judging {len(real):,} generated showers against as many real ones, protocol {config.evaluation.protocol!r}",
          flush=True)
    generated = Showers(sampler(real.momentum, real.point, seed=config.seed), real.momentum, real.point, real.pdg)
    if not generated.energy.any():
        raise RunError(f"the generator of {workdir} makes empty showers only: its training was too short, or collapsed "
                       "(metrics.jsonl shows when: w1_visible_fraction); train it for longer, at lower rates, or with "
                       "another seed, in another --workdir")
    repeated = load_repeated(config.data.source)
    result = evaluation.evaluate(real, generated, reference, protocol=config.evaluation.protocol, seed=config.seed,
                                 bootstrap=config.evaluation.bootstrap, repeated=repeated)
    result["split"] = "test"
    evaluation.write_evaluation(workdir / "evaluation.json", result)  # what is measured stays, whatever follows
    metrics = read_metrics(workdir / "metrics.jsonl")
    result["training"] = {"system": config.system, "preset": config.preset, "steps": sampler.card["steps"],
                          "batch_size": last_fields(config).batch_size, "seconds": training_seconds(metrics)}
    if config.regressor and (workdir / "checkpoints").exists():
        result["regressor"] = regressor_report(config, workdir, real, generated, reference[:len(real)])
    result["provenance"] = provenance(config.seed)
    evaluation.write_evaluation(workdir / "evaluation.json", result)
    print(spoken(verdict(result)), flush=True)
    return write_report(real, generated, result, workdir, metrics=metrics, title=f"{config.system} ({config.preset})")


@alone
def sample(config, workdir, conditions, seed):
    """Showers at the conditions of a file, one each, into `samples.npz` (written anew); its path.

    Raises:
      RunError: no file of conditions is named.
    """
    if conditions is None:
        raise RunError("--mode=sample needs --conditions=FILE, an npz with ParticleMomentum [N, 3] in GeV and "
                       "ParticlePoint [N, 2] in cm")
    momentum, point = load_conditions(conditions)
    energy = _sampler(config, workdir)(momentum, point, seed=seed)
    save_showers(workdir / "samples.npz", Showers(energy, momentum, point))
    return workdir / "samples.npz"


def regression(config, workdir, showers):
    """What the run's regressor reads off showers, beside what is true: `{target: ([N] true, [N] read off)}`.

    In units of the targets, of the showers as the discriminator sees them: from the octant, if it does. Of a finished
    run or of the newest checkpoint of its last stage.

    Raises:
      RunError: the run has no regressor, or no checkpoint.
    """
    if not config.regressor:
        raise RunError(f"{workdir} is a run without a regressor")
    read, targets = _regressor(config, workdir)
    true, read = (values * targets.std + targets.mean for values in (targets(showers), read(showers)))
    return {name: (true[:, k], read[:, k]) for k, name in enumerate(targets.names)}


def _regressor(config, workdir):
    """(showers -> `[N, K]` as it reads them off, the `Targets`, on whose scale they are)."""
    training, stages, _ = load_stages(config)
    state, targets = _newest_state(config, stages, workdir), make_targets(config, training[:EXAMPLES])
    discriminator = make_discriminator(config, targets)
    apply = jax.jit(lambda *given: discriminator.apply(state.discriminator.variables, *given)[1])

    def read(showers):
        arrays = training_arrays(showers, make_transform(**config.data.transform))
        return mapped(apply, CHUNK, *(arrays[name] for name in ("cells", "momentum", "point")))

    return read, targets


def regressor_report(config, workdir, real, generated, reference):
    """What the run's regressor is to read off, and how the generated showers compare in it, target by target.

    Returns:
      `{target: {"weight", "unexplained", "w1", "w1_reference"}}`: alpha, the share of its variance among the real
      showers that the regressor leaves unexplained, and Wasserstein-1 to the generated and to other real showers, in
      deviations (None where the quantity is not finite).
    """
    read, targets = _regressor(config, workdir)
    true, made, other = (targets(showers) for showers in (real, generated, reference))
    unexplained = np.mean((true - read(real))**2, axis=0) / np.var(true, axis=0)
    distance = lambda values, k: (wasserstein_distance(true[:, [k]], values[:, [k]])
                                  if np.isfinite(values[:, k]).all() else None)
    return {name: {"weight": float(targets.weights[k]), "unexplained": float(unexplained[k]),
                   "w1": distance(made, k), "w1_reference": distance(other, k)}
            for k, name in enumerate(targets.names)}


def load_stages(config):
    """The training showers (the first block of those that stream), the stages of the config, and what they train on."""
    fields, transform = config.data, make_transform(**config.data.transform)
    stream = open_stream(fields.source, fields.dir, fields.on_device, config.seed, fields.conventions)
    showers = stream.block(0) if stream else _load(config, "train")
    examples = showers[:EXAMPLES] if stream else showers
    targets = make_targets(config, showers[:EXAMPLES])
    arrays = lambda showers: training_arrays(showers, transform, targets)
    stages = build_stages(config, example := arrays(examples), _load(config, "validation"), targets)
    return showers, stages, ArrayBlocks(stream, arrays) if stream else example


def _sampler(config, workdir):
    """That of the finished run, or of the newest checkpoint of one that is not."""
    rows = read_metrics(workdir / "metrics.jsonl")
    finished = any((row["stage"], row["step"]) == (config.stages[-1], last_fields(config).steps) for row in rows)
    if not finished or not (workdir / "generator" / "card.json").exists():
        _export_newest(config, workdir)
    return load_sampler(workdir)


def _export_newest(config, workdir):
    if not (workdir / "checkpoints").exists():
        raise RunError(f"{workdir} has no checkpoints yet; train it first, with --mode=train")
    showers, stages, _ = load_stages(config)
    export_generator(workdir / "generator", _newest_state(config, stages, workdir), config, showers)


def _newest_state(config, stages, workdir):
    like = stages[-1].init(init_key(config.seed), None)
    state = trained_state(stages[-1], like, workdir)
    if state is None:
        raise RunError(f"{workdir} has no checkpoint of its stage {stages[-1].name!r} yet; train it first")
    return state


def _check_counts(config):
    """Raises RunError where there are too few showers to evaluate, which is better known before training."""
    count, fields = config.evaluation.showers, config.data
    for split in ("test", "train"):
        there = count_split(fields.source, split, fields.dir)
        if there < count:
            raise RunError(f"config.evaluation.showers is {count}, but the {split} split of {fields.source} holds only "
                           f"{there}; lower it to {there} or less, with a config.evaluation.protocol of so few, "
                           "or give a larger file")


def _load(config, split, limit=None):
    fields = config.data
    return load_split(fields.source, split, fields.dir, limit, fields.conventions)


def training_seconds(metrics):
    """Training time over all stages: the last row of each holds its own."""
    return sum({row["stage"]: row["seconds"] for row in metrics}.values())


def _flat(tree, prefix=""):
    if not isinstance(tree, dict):
        return {prefix: tree}
    return {name: value for key, branch in tree.items()
            for name, value in _flat(branch, f"{prefix}.{key}" if prefix else key).items()}
