"""A run of an ensemble in its folder: training member by member, evaluation with report, and sampling."""
import pathlib

import numpy as np
from tqdm import tqdm

from ecalgen.adagan.ensemble_sampler import export_ensemble, load_ensemble
from ecalgen.adagan.members import judge_stage, member_stage, training_arrays, weighted
from ecalgen.adagan.volume_evaluation import CLUSTERS, evaluate_volumes
from ecalgen.adagan.volume_report import volume_verdict, write_volume_report
from ecalgen.data.ecal_shashlik import sample_path
from ecalgen.data.splits import drawn_splits, ordered_splits
from ecalgen.data.transforms import make_transform
from ecalgen.data.volumes import Volumes, load_volumes, save_volumes
from ecalgen.errors import ConfigError
from ecalgen.evaluation.evaluate import write_evaluation
from ecalgen.evaluation.report.verdict import spoken
from ecalgen.machine.host import is_first
from ecalgen.machine.lock import alone
from ecalgen.machine.provenance import device, provenance
from ecalgen.models.build import build_discriminator, build_generator
from ecalgen.models.three_views import SIDE
from ecalgen.runs import RunError, training_seconds, write_recipe
from ecalgen.training.checks import check_seed, check_train
from ecalgen.training.loop import read_metrics, run_stage, trained_state
from ecalgen.training.state import init_key
from ecalgen.training.tensorboard import make_writers

SYSTEM = "adagan"


def load_split(source, split):
    """One split of a file of volumes, or of a shipped sample of them."""
    own = bool(pathlib.Path(source).suffix)
    volumes, divide = load_volumes(source if own else sample_path(source)), drawn_splits if own else ordered_splits
    if volumes.energy.shape[1:] != (SIDE,) * 3:
        raise ConfigError(f"{source} holds blocks of {list(volumes.energy.shape[1:])} cells; this ensemble makes "
                          f"{SIDE} x {SIDE} x {SIDE}")
    return volumes[divide(len(volumes))[split]]


def prepare(config, workdir):
    """As `runs.prepare`, for an ensemble.

    Raises:
      RunError: the folder holds another recipe.
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
        _judged(config)
    write_recipe(config, workdir)


@alone
def train(config, workdir):
    """Every member and every judge between them, from the newest checkpoints; exported after each member."""
    _judged(config)
    volumes, validation = (load_split(config.data.source, split) for split in ("train", "validation"))
    data = training_arrays(volumes, make_transform(**config.data.transform))
    writers = make_writers(workdir, config.tensorboard and is_first())
    say = tqdm.write if is_first() else lambda text: None
    say(f"training {config.system} ({config.preset}) on {len(volumes):,} showers, {device()}, in {workdir}")
    run = lambda stage, arrays: run_stage(stage, arrays, config.train, config.seed, workdir, writers)
    members, seen = [], data
    for number in range(config.ensemble.members):
        if number:
            judged = run(judge_stage(config, number, data, members), data)
            seen, weights = weighted(config, data, judged, number)
            effective = 1 / np.sum(weights**2)
            say(f"generator {number + 1} sees {effective:,.0f} of {len(weights):,} showers in effect")
        stage = member_stage(config, number, seen, validation)
        run(stage, seen)
        members.append(trained_state(stage, _like(stage, config), workdir))
        if is_first():
            export_ensemble(workdir / "generator", members, config, volumes)


@alone
def evaluate(config, workdir):
    """Judge ensembles of one, two, ... of the generators that are trained so far; the path of the report."""
    sampler = load_ensemble(workdir)
    real, reference = _judged(config)
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
    """Blocks at the energies of a file (column `energy`, GeV), one each, into `samples.npz`; its path.

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


def _judged(config):
    """The real showers that generated ones are compared with, and as many other ones."""
    count, source = config.evaluation.showers, config.data.source
    splits = [load_split(source, split)[:count] for split in ("test", "train")]
    for volumes in splits:
        if len(volumes) < count:
            raise RunError(f"config.evaluation.showers is {count}, but a split of {source} holds only {len(volumes)}; "
                           f"lower it to {len(volumes)} or less, or give a larger file")
    return splits
