"""A run of an ensemble in its folder: training member by member, evaluation with report, and sampling."""
import pathlib

import numpy as np
from tqdm import tqdm

from ecalgen.adagan.boosting import classifier_stage, weighted
from ecalgen.adagan.ensemble_sampler import export_ensemble, load_ensemble
from ecalgen.adagan.members import member_stage, volume_arrays
from ecalgen.adagan.volume_evaluation import CLUSTERS, evaluate_volumes
from ecalgen.adagan.volume_report import volume_verdict, write_volume_report
from ecalgen.data.sources import sample_path
from ecalgen.data.splits import drawn_splits, ordered_splits
from ecalgen.data.transforms import make_transform
from ecalgen.data.volumes import Volumes, load_volumes, save_volumes
from ecalgen.errors import ConfigError, RunError
from ecalgen.evaluation.evaluate import write_evaluation
from ecalgen.evaluation.report.verdict import spoken
from ecalgen.machine.host import is_first
from ecalgen.machine.lock import alone
from ecalgen.machine.provenance import device, provenance
from ecalgen.models.build import build_discriminator, build_generator
from ecalgen.models.three_views import SIDE
from ecalgen.training.checks import check_seed, check_train
from ecalgen.training.loop import run_stage, trained_state
from ecalgen.training.metrics_log import read_metrics, training_seconds
from ecalgen.training.recipe import write_recipe
from ecalgen.training.state import init_key
from ecalgen.training.tensorboard import make_writers

SYSTEM = "adagan"


def volume_splits(source):
    """The splits of a file of volumes, or of a shipped sample of them: `{split: Volumes}`."""
    own = bool(pathlib.Path(source).suffix)
    volumes, divide = load_volumes(source if own else sample_path(source)), drawn_splits if own else ordered_splits
    if volumes.energy.shape[1:] != (SIDE,) * 3:
        raise ConfigError(f"{source} holds blocks of {list(volumes.energy.shape[1:])} cells; this ensemble makes "
                          f"{SIDE} x {SIDE} x {SIDE}")
    return {split: volumes[rows] for split, rows in divide(len(volumes)).items()}


def prepare(config, workdir):
    """Check the config, make the folder and write `config.json`, or check that it holds an ensemble of this recipe.

    Raises:
      RunError: the folder holds another recipe, or the showers are too few; the message says which.
      ConfigError: a field cannot be as it is.
    """
    check_seed(config.seed)
    build_generator(config.generator)
    build_discriminator(config.discriminator)
    make_transform(**config.data.transform)
    check_train(config.train)
    check_train(config.ensemble.judge, "config.ensemble.judge")
    if config.ensemble.members < 1:
        raise ConfigError(f"config.ensemble.members is {config.ensemble.members}; it must be at least 1")
    if not (workdir / "config.json").exists():
        _checked_splits(config)
    write_recipe(config, workdir)


@alone
def train(config, workdir):
    """Train every member and the classifiers between them, from the newest checkpoints; export after each member."""
    splits = _checked_splits(config)
    volumes = splits["train"]
    data = volume_arrays(volumes, make_transform(**config.data.transform))
    writers = make_writers(workdir, config.tensorboard and is_first())
    say = tqdm.write if is_first() else lambda text: None
    say(f"training {config.system} ({config.preset}) on {len(volumes):,} showers, {device()}, in {workdir}")
    run = lambda stage, arrays: run_stage(stage, arrays, config.train, config.seed, workdir, writers)
    members, seen = [], data
    for number in range(config.ensemble.members):
        if number:
            classified = run(classifier_stage(config, number, data, members), data)
            seen, weights = weighted(config, data, classified, number)
            effective = 1 / np.sum(weights**2)
            say(f"generator {number + 1} is trained on {effective:,.0f} effective showers of {len(weights):,}")
        stage = member_stage(config, number, seen, splits["validation"])
        run(stage, seen)
        members.append(trained_state(stage, _like(stage, config), workdir))
        if is_first():
            export_ensemble(workdir / "generator", members, config, volumes)


@alone
def evaluate(config, workdir):
    """Judge ensembles of the first one, two, ... of the trained generators; the path of the report."""
    sampler = load_ensemble(workdir)
    splits = _checked_splits(config)
    real, reference = (splits[split][:config.evaluation.showers] for split in ("test", "train"))
    print(f"judging {len(real):,} generated showers against as many real ones", flush=True)
    members, generated = {}, None
    for count in range(1, len(sampler.members) + 1):
        energy = sampler(real.incident_energy, seed=config.seed, members=count)
        generated = Volumes(energy, real.incident_energy)
        members[str(count)] = evaluate_volumes(real, generated, reference, config.seed, config.evaluation.bootstrap,
                                               min(CLUSTERS, len(real)))
    metrics = read_metrics(workdir / "metrics.jsonl")
    result = {"members": members, "training": {
        "system": config.system, "preset": config.preset, "steps": sampler.card["steps"],
        "batch_size": config.train.batch_size, "seconds": training_seconds(metrics)},
        "provenance": provenance(config.seed)}
    write_evaluation(workdir / "evaluation.json", result)
    print(spoken(volume_verdict({int(count): found for count, found in members.items()})), flush=True)
    return write_volume_report(real, generated, result, workdir, metrics, f"{config.system} ({config.preset})")


@alone
def sample(config, workdir, conditions, seed):
    """Write one block for each energy of a file (column `energy`, GeV) to `samples.npz`; its path.

    Raises:
      RunError: no file of conditions is named, or it has no such column.
    """
    if conditions is None:
        raise RunError("--mode=sample needs --conditions=FILE, an npz with energy [N] in GeV")
    with np.load(conditions, allow_pickle=False) as columns:
        if "energy" not in columns:
            raise RunError(f"{conditions} has no column energy; it holds {', '.join(columns)}")
        incident = columns["energy"].reshape(-1)
    energy = load_ensemble(workdir)(incident, seed=seed)
    save_volumes(workdir / "samples.npz", Volumes(energy, incident))
    return workdir / "samples.npz"


def _like(stage, config):
    return stage.init(init_key(config.seed), None)


def _checked_splits(config):
    """`volume_splits` of the config's source, or a RunError where they hold too few showers to evaluate with."""
    count, source = config.evaluation.showers, config.data.source
    splits = volume_splits(source)
    for split in ("test", "train"):
        if len(splits[split]) < count:
            raise RunError(f"config.evaluation.showers is {count}, but the {split} split of {source} holds only "
                           f"{len(splits[split])}; lower it to {len(splits[split])} or less, or give a larger file")
    return splits
