"""A run in its folder: prepare, train, evaluate with a report, and sample; each can be resumed and repeated."""
import copy
import dataclasses
import datetime
import functools
import json
import pathlib

import jax
import numpy as np

from ecalgen.data.files.formats import load_conditions
from ecalgen.data.files.writer import save_showers
from ecalgen.data.grid import Domain
from ecalgen.data.showers import Showers
from ecalgen.data.splits import warn_of_differences
from ecalgen.errors import ConfigError, RunError
from ecalgen.evaluation import evaluate as evaluation
from ecalgen.evaluation import large
from ecalgen.evaluation.metrics.prd import PROTOCOLS
from ecalgen.evaluation.report.compare import write_comparison
from ecalgen.evaluation.report.report_page import write_report
from ecalgen.evaluation.report.verdict import spoken, verdict
from ecalgen.machine import host
from ecalgen.machine.files import write_text
from ecalgen.machine.host import is_first
from ecalgen.machine.lock import alone
from ecalgen.machine.provenance import device, provenance
from ecalgen.machine.records import OBJECT, read_record
from ecalgen.models.build import build_generator
from ecalgen.sampling.sampler import export_generator, load_sampler
from ecalgen.training.loop import run_stage, trained_state
from ecalgen.training.material import begin_training, load_material, newest_state
from ecalgen.training.metrics_log import read_metrics, training_seconds
from ecalgen.training.readout import regressor_report
from ecalgen.training.recipe import Source, check_recipe, recipe_of, source_of, write_recipe
from ecalgen.training.stages import last_fields, make_targets
from ecalgen.training.start import read_start, read_weights
from ecalgen.training.tensorboard import make_writers

SHIPPED_SHOWERS = "ecal_shashlik/electron_5d"
"""The showers that the shipped generators were trained on."""


def default_workdir(config, seeds=None):
    """`runs/<system>-<preset>-seed<seed>-<date>`, which a run that is started again on the same day resumes.

    Args:
      seeds: of several runs, whose folders lie in that folder.
    """
    seeds = f"seeds{'-'.join(map(str, seeds))}" if seeds else f"seed{config.seed}"
    return pathlib.Path("runs") / f"{config.system}-{config.preset}-{seeds}-{datetime.date.today():%Y%m%d}"


def prepare(config, workdir):
    """Check the config, make the folder and write `config.json`, or check that it holds a run of the same recipe.

    The settings of evaluation and logging are no part of the recipe and may change.

    Raises:
      RunError: the folder holds another recipe, or the showers are too few; the message says which.
      ConfigError: a field cannot be as it is.
    """
    check_config(config)
    if not (workdir / "config.json").exists():
        source, count = source_of(config), config.evaluation.showers
        if config.get("init"):
            read_weights(config)
        _check_counts(source, count)  # before anything is written
        test, training = (source.load(split, count) for split in ("test", "train"))
        read_start(config, training.grid)  # of a generator, some part must fit the grid
        warn_of_differences(training, test)
        build_generator(config.generator, Domain(training.grid))  # it may take cells in one layer only
        make_targets(config, training)  # a user's function may fail
    write_recipe(config, workdir)


def check_config(config):
    """Raises ConfigError for a field that cannot be as it is, before anything is written."""
    check_recipe(config)
    showers, protocol = config.evaluation.showers, config.evaluation.protocol
    if protocol not in PROTOCOLS:
        raise ConfigError(f"config.evaluation.protocol is {protocol!r}; it is one of {', '.join(PROTOCOLS)}")
    least = {name: settings.clusters // 2 for name, settings in PROTOCOLS.items()}
    if 2 * showers < PROTOCOLS[protocol].clusters:
        raise ConfigError(f"config.evaluation.showers is {showers}; the protocol {protocol!r} needs at least "
                          f"{least[protocol]}, half its number of clusters; give more, or another "
                          "config.evaluation.protocol (at least: "
                          f"{', '.join(f'{name} {count}' for name, count in least.items())})")


@alone
def train(config, workdir):
    """Train every stage to its end, from the newest checkpoints; then write the generator for `load_sampler`."""
    _check_counts(source_of(config), config.evaluation.showers)
    material = begin_training(config, workdir)
    writers = make_writers(workdir, config.tensorboard and is_first())
    if is_first():
        print(f"training {config.system} ({config.preset}) on {material.count:,} showers, {device()}, in {workdir}",
              flush=True)
        if material.start:
            print(material.start, flush=True)
    states = {}
    for stage in material.stages:
        last = run_stage(stage, material.data, config.train, config.seed, workdir, writers, before=dict(states))
        states[stage.name] = trained_state(stage, last, workdir)
    if is_first():
        export_generator(workdir / "generator", states[stage.name], config, material.showers, material.domain)


@alone
def evaluate(config, workdir):
    """Judge the generator on the test showers; the path of the report.

    The ceiling compares real showers of the test split with those of the training split. Copies are looked for among
    all training showers that may lie on the device. A run that is not finished is judged by its newest checkpoint.
    """
    source, settings = source_of(config), config.evaluation
    _check_counts(source, settings.showers)
    training = functools.cache(lambda: source.load("train", source.on_device))
    material = functools.cache(lambda: load_material(config, workdir, training()))
    sampler = _sampler(config, workdir, material)
    real = source.load("test", settings.showers)
    print(f"judging {len(real):,} generated showers against as many real ones, protocol {settings.protocol!r}",
          flush=True)
    generated = generated_like(real, sampler, config.seed, workdir)
    result = evaluation.evaluate(real, generated, training(), protocol=settings.protocol, seed=config.seed,
                                 bootstrap=settings.bootstrap, repeated=source.repeated())
    result["split"] = "test"
    evaluation.write_evaluation(workdir / "evaluation.json", result)  # the measurements are kept if what follows fails
    metrics = read_metrics(workdir / "metrics.jsonl")
    result["training"] = {"system": config.system, "preset": config.preset, "steps": sampler.card["steps"],
                          "batch_size": last_fields(config).batch_size, "seconds": training_seconds(metrics)}
    if config.regressor and (workdir / "checkpoints").exists():
        result["regressor"] = regressor_report(workdir, material(), real, generated, training()[:len(real)])
    result["provenance"] = provenance(config.seed)
    evaluation.write_evaluation(workdir / "evaluation.json", result)
    print(spoken(verdict(result)), flush=True)
    return write_report(real, generated, result, workdir, metrics=metrics, title=f"{config.system} ({config.preset})")


def train_seeds(config, seeds, folder=None):
    """Train and judge the recipe with each seed, in `folder/seed<seed>`; the path of the page that compares the runs.

    A run that is judged already is not judged again. The mean and the range of the main numbers are printed, and kept
    in `folder/seeds.json`.

    Args:
      seeds: two or more.
      folder: `default_workdir` when None.
    """
    folder = folder or default_workdir(config, seeds)
    folders = [folder / f"seed{seed}" for seed in seeds]
    for seed, workdir in zip(seeds, folders, strict=True):
        config = copy.deepcopy(config)
        config.seed = seed
        prepare(config, workdir)
        train(config, workdir)
        if not (workdir / "report.html").exists():
            print(evaluate(config, workdir), flush=True)
            jax.clear_caches()  # the programs of a dozen runs exhaust the memory mappings of a process
    evaluations = {seed: read_record(workdir / "evaluation.json", OBJECT)
                   for seed, workdir in zip(seeds, folders, strict=True)}
    summary = summary_of_seeds(evaluations)
    write_text(folder / "seeds.json", json.dumps(summary | {"provenance": provenance(seeds[0])}, indent=1) + "\n")
    print("\n".join(f"{name}: {row['mean']:.3f} ({row['lowest']:.3f} to {row['highest']:.3f}), between real showers "
                    f"{row['real']:.3f}" for name, row in summary["numbers"].items()))
    print("{showers:,} showers; PRD: {prd[clusters]} clusters, {prd[runs]} runs".format(**summary), flush=True)
    return write_comparison(folders, folder)[0]


def summary_of_seeds(evaluations):
    """Mean and range of the main numbers of several runs of a recipe, and their settings.

    Args:
      evaluations: {seed: the content of its `evaluation.json`}.
    """
    judged = list(evaluations.values())
    numbers = {f"PRD-AUC, {features}": ("prd", features, "auc", "ceiling")
               for features, row in judged[0]["prd"].items() if isinstance(row, dict)}
    numbers |= {f"classifier AUC, {features}": ("c2st", features, "auc", "floor") for features in judged[0]["c2st"]}
    rows = {}
    for name, (family, features, key, real) in numbers.items():
        values = [evaluation[family][features][key] for evaluation in judged]
        rows[name] = {"mean": float(np.mean(values)), "lowest": min(values), "highest": max(values), "values": values,
                      "real": float(np.mean([evaluation[family][features][real] for evaluation in judged]))}
    settings = {name: judged[0]["prd"][next(iter(judged[0]["prd"]))][name] for name in ("clusters", "runs", "n")}
    return {"seeds": list(evaluations), "showers": judged[0]["showers"], "prd": settings, "numbers": rows}


@alone
def sample(config, workdir, conditions, seed):
    """Write one shower for each particle of a file to `samples.npz`, which is replaced; its path.

    Raises:
      RunError: no file of conditions is named.
    """
    if conditions is None:
        raise RunError("--mode=sample needs --conditions=FILE, an npz with ParticleMomentum [N, 3] in GeV and "
                       "ParticlePoint [N, 2] in cm")
    sampler = _sampler(config, workdir, functools.cache(lambda: load_material(config, workdir)))
    momentum, point = load_conditions(conditions, sampler.grid)
    energy = sampler(momentum, point, seed=seed)
    save_showers(workdir / "samples.npz", Showers(energy, momentum, point, grid=sampler.grid))
    return workdir / "samples.npz"


def showers_of(source):
    """The `Source` of the showers on which a generator was trained.

    Args:
      source: the folder of a run, or the name of a shipped generator.
    """
    return (source_of(recipe_of(source)) if pathlib.Path(source).is_dir() else
            Source(SHIPPED_SHOWERS, None, "detect", 10**6))


def judge_largely(source, out=None, seed=0, refine=1, **settings):
    """Judge a generator by classifiers that learn from the whole training split; what they found.

    Args:
      source: the folder of a run, or the name of a shipped generator, which is judged by the shipped electrons.
      out: file for the result as JSON, written after each judge; not written when None. Judges that it holds of the
        same generator and showers do not judge again.
      seed: of the generated showers.
      refine: number of candidates for each shower, as of `load_sampler`.
      settings: of `large.judge_largely`.
    """
    sampler, showers = load_sampler(source, refine=refine), showers_of(source)
    real, asked = showers.load("train", showers.on_device), showers.load("test")
    print(f"judging by {len(real):,} training and {len(asked):,} test showers, and as many generated ones", flush=True)
    generated, answers = (generated_like(part, sampler, number, source) for part, number in
                          ((real, seed), (asked, seed + 1)))
    about = {"generator": sampler.card["sha256"], "refine": sampler.card.get("refine"), "showers": len(real),
             "asked": len(asked), "seed": seed}
    found = about | {"judges": _judged_before(out, about)}
    for name in host.progress([name for name in large.JUDGES if name not in found["judges"]], desc="judges"):
        found["judges"] |= large.judge_largely(real, generated, asked, answers, judges=[name], **settings)
        if out:
            write_text(out, json.dumps(found | {"provenance": provenance(seed)}, indent=1) + "\n")
    return found


def _judged_before(path, about):
    """The judges that a file holds of the same generator and showers."""
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError):
        return {}
    same = isinstance(found, dict) and all(found.get(name) == value for name, value in about.items())
    return found.get("judges", {}) if same else {}


def generated_like(real, sampler, seed, workdir):
    """Generated showers at the particles of the real ones.

    Raises:
      RunError: all of them are empty; `workdir` names the run.
    """
    generated = dataclasses.replace(real, energy=sampler(real.momentum, real.point, seed=seed))
    if not generated.energy.any():
        raise RunError(f"the generator of {workdir} makes empty showers only: its training was too short, or collapsed "
                       "(metrics.jsonl shows when: w1_visible_fraction); train it for longer, at lower rates, or with "
                       "another seed, in another --workdir")
    return generated


def _sampler(config, workdir, material):
    """The sampler of a finished run, or of the newest checkpoint of another; `material()` loads its `Material`."""
    rows = read_metrics(workdir / "metrics.jsonl")
    finished = any((row["stage"], row["step"]) == (config.stages[-1], last_fields(config).steps) for row in rows)
    if not finished or not (workdir / "generator" / "card.json").exists():
        _export_newest(config, workdir, material)
    return load_sampler(workdir)


def _export_newest(config, workdir, material):
    if not (workdir / "checkpoints").exists():
        raise RunError(f"{workdir} has no checkpoints yet; train it first, with --mode=train")
    state = newest_state(workdir, material())
    export_generator(workdir / "generator", state, config, material().showers, material().domain)


def _check_counts(source, count):
    """Raises RunError where the real showers are too few to evaluate with, before training or any other long work."""
    for split in ("test", "train"):
        there = source.count(split)
        if there < count:
            raise RunError(f"config.evaluation.showers is {count}, but the {split} split of {source.name} holds only "
                           f"{there}; give --config.evaluation.showers={there} or less, or a larger file")
