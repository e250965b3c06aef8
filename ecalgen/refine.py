"""Trains the refiner of a generator: the network by whose odds a sampler keeps one of several candidates.

    ecalgen refine --run anchored_light --out runs/refined
    ecalgen refine --run runs/mine

A network learns to tell Geant4's training showers from generated ones at the same particles. Its odds are calibrated on
the validation showers. `load_sampler(RUN, refine=2)` then uses it. The refiner lies in the folder of the run; for a
shipped generator, --out makes a folder that holds both.
"""
import argparse
import pathlib

import jax
import numpy as np

from ecalgen import runs
from ecalgen.data.observables import of_showers
from ecalgen.errors import UserError
from ecalgen.evaluation.metrics.c2st import auc_with_interval
from ecalgen.evaluation.metrics.neural import NeuralClassifier
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.models.refined import Refiner, shower_features
from ecalgen.sampling.sampler import load_sampler
from ecalgen.sampling.weights import copy_weights, save_weights

SETS = 2
"""Generated showers of each training particle."""
TRAINING = dict(epochs=8, batch=512, rate=1e-3)
"""Of the `NeuralClassifier`."""
SLOPES = (0.0, 1.5)
"""Limits of the factor that calibrates the log odds."""


def make_parser():
    """The options; `--help` explains them."""
    parser = argparse.ArgumentParser(prog="ecalgen refine", description=__doc__.split("\n\n")[2])
    parser.add_argument("--run", required=True, help="a run's folder, or the name of a shipped generator")
    parser.add_argument("--out", type=pathlib.Path, metavar="DIR",
                        help="folder for the refiner and a copy of the generator (that of the run)")
    parser.add_argument("--seed", type=int, default=0, help="of the showers and of the network (0)")
    return parser


def main(argv=None):
    """Train a refiner, and print what it sees."""
    args = make_parser().parse_args(argv)
    host.set_up()
    try:
        if args.out is None and not pathlib.Path(args.run).is_dir():
            raise UserError(f"{args.run} is no folder; give one for the refiner with --out")
        folder, found = train_refiner(args.run, args.out, args.seed)
    except (UserError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    low, high = found["interval"]
    print(f"its odds tell generated validation showers with AUC {found['auc']:.3f} [{low:.3f}, {high:.3f}]; "
          f"{found['auc_refined']:.3f} after refinement with two candidates")
    print(folder / "refiner")


def train_refiner(source, out=None, seed=0):
    """Train the refiner of a generator, and write it into `out`, or into the folder of the run.

    Args:
      source: a run's folder, or the name of a shipped generator.
      out: folder that then holds a copy of the generator, too; that of the run when None.
      seed: of generated showers and of the network.

    Returns:
      The folder, and what `fit_refiner` says of validation showers, with `auc_refined`.

    Raises:
      WeightsError: no such generator.
    """
    sampler, showers = load_sampler(source), runs.showers_of(source)
    training, validation = showers.load("train", showers.on_device), showers.load("validation")
    print(f"{SETS * len(training):,} generated showers against {len(training):,} of Geant4", flush=True)
    params, found = fit_refiner(sampler, training, validation, seed)
    folder = pathlib.Path(out or source)
    if out:
        copy_weights(source, "generator", folder)
    save_weights(folder / "refiner", params, {
        "kind": "refiner", "generator_sha256": sampler.card["sha256"], "features": len(params["centre"]),
        "widths": list(Refiner().widths), "validation": found, "provenance": provenance(seed)})
    refined = runs.generated_like(validation, load_sampler(folder, refine=2), seed + SETS + 1, source)
    scores = [-Refiner().apply({"params": params}, features_of(sampler.domain)(showers))
              for showers in (validation, refined)]
    found["auc_refined"] = auc_with_interval(scores, seed, 2)[0]
    return folder, found


def fit_refiner(sampler, training, validation, seed=0):
    """Parameters of a `Refiner` that tells a sampler's showers from real ones.

    Args:
      sampler: of the generator.
      training: real showers to learn from.
      validation: other real showers, which calibrate the odds.
      seed: of generated showers and of the network.

    Returns:
      The parameters, and {"auc", "interval"} between generated and real validation showers, and the factor "slope" that
      calibrated the log odds.
    """
    features = features_of(sampler.domain)
    make = lambda showers, number: features(runs.generated_like(showers, sampler, seed + number, "this run"))
    real, asked = features(training), features(validation)
    made = [make(training, number) for number in host.progress(range(SETS), desc="generated sets")]
    answers = make(validation, SETS)
    centre, scale = real.mean(axis=0), 1 / np.where(real.std(axis=0) > 0, real.std(axis=0), 1)
    rows, labels = (np.concatenate([real, *made]) - centre) * scale, np.repeat([1, 0], [len(real), SETS * len(real)])
    classifier = NeuralClassifier(Refiner(), seed, **TRAINING).fit(rows, labels)
    params = classifier.params["params"] | {"centre": centre, "scale": scale}
    odds = [np.asarray(Refiner().apply({"params": params}, rows), np.float64) for rows in (asked, answers)]
    slope = calibration(*odds)
    params["odds"] = jax.tree.map(lambda value: slope * value, params["odds"])
    auc, interval = auc_with_interval([-odds[0], -odds[1]], seed, 100)
    return jax.device_get(params), {"auc": auc, "interval": list(interval), "slope": slope, "showers": len(asked)}


def features_of(domain):
    """A function of showers to their `shower_features` as float32 `[N, F]`."""
    compute = jax.jit(lambda *rows: shower_features(*rows, domain))
    return lambda showers: np.asarray(of_showers(lambda *rows: compute(*rows[:3]), showers), np.float32)


def calibration(real, generated):
    """The factor on log odds at which they predict best which showers are real, within `SLOPES`."""
    from sklearn.linear_model import LogisticRegression  # slow to import

    labels = np.repeat([1, 0], [len(real), len(generated)])
    fitted = LogisticRegression(C=1e6).fit(np.concatenate([real, generated])[:, None], labels)
    return float(np.clip(fitted.coef_[0, 0], *SLOPES))


if __name__ == "__main__":
    main()
