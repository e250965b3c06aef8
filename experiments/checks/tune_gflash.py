"""Fit the corrections of the parametrised shower, `ecalgen.simulation.gflash.Tuning`, to the Geant4 training showers.

    python -m experiments.checks.tune_gflash            # 3 minutes a step on one core
    python -m experiments.checks.tune_gflash --showers=300 --steps=1 --results=runs/gflash_tuning.json

The objective is the sum over the observables of their Wasserstein-1 distances, in bins of energy and angle. That
distance is the mean absolute difference between the sorted values of both sets. With the same random numbers at every
call these differences change smoothly with the tuning, so that a few steps of Newton and Gauss with weights of one over
the differences (iteratively reweighted least squares) minimise it. It starts from `SHASHLIK_TUNING`, whose first values
were found by this fit on fewer showers, from a start near the paper's that was found by hand.
"""
import json
import time

import numpy as np
from scipy.optimize import lsq_linear

from ecalgen.data.ecal_shashlik import load_split
from ecalgen.data.showers import Showers, incident_energy, slopes
from ecalgen.evaluation.metrics.distances import wasserstein_distance
from ecalgen.evaluation.metrics.features import observable_columns
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.simulation.calorimeter import SHASHLIK
from ecalgen.simulation.gflash import PAPER, SHASHLIK_TUNING, Gflash, Tuning
from experiments.command import SOURCE, new_parser, write

BOUNDS = {
    "response": (0.8, 1.4), "resolution": (0.7, 1.6), "spots": (0.5, 6.0), "spots_power": (-0.1, 0.2),
    "spot_fano": (0.0, 1.2), "maximum": (0.7, 1.4), "maximum_offset": (-1.0, 1.5), "alpha": (0.7, 1.4),
    "spread": (0.5, 2.0), "core": (0.4, 2.5), "core_growth": (-0.1, 0.2), "core_log": (-0.02, 0.02), "tail": (0.4, 2.5),
    "tail_power": (0.6, 2.5), "weight": (0.5, 1.3), "weight_log": (-0.1, 0.1), "tail_log": (-0.15, 0.15),
    "width_spread": (0.0, 0.4),
}
"""Bounds of each field of `Tuning`."""
QUANTILES = 15
"""Number of parts of the sorted values of each observable in each bin; the fit compares these parts."""
SOFTNESS = 0.1
"""Difference, in standard deviations of the observable, below which the weights no longer grow."""
LONGEST = 0.25
"""Largest step in one parameter, as a share of the width of its bounds."""
DAMPINGS = (0.3, 0.03, 0.003, 0.0003)
"""Added to the curvature in every parameter, as a share of it."""
STEP = 0.08
"""Step of the derivatives, as a share of the width of the bounds; jumps of spots blur shorter ones."""
ENERGY_BINS, ANGLE_BINS = 4, 2
"""Numbers of bins; each holds as many showers."""


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__, "gflash_tuning")
    parser.add_argument("--showers", type=int, default=4_000, help="training showers of the fit (4,000)")
    parser.add_argument("--steps", type=int, default=3, help="steps of the fit, each with its derivatives (3)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the generated showers (1)")
    return parser


def main():
    """Fit, print every step, and write `results/gflash_tuning.json`."""
    args = make_parser().parse_args()
    host.set_up()
    real = load_split(SOURCE, "train")[:args.showers]
    fit = Fit(real, args.seed)
    tuning = fit.run(SHASHLIK_TUNING, args.steps)
    result = {"tuning": tuning._asdict(), "start": SHASHLIK_TUNING._asdict(), "bounds": BOUNDS,
              "showers": len(real), "calls": fit.calls,
              "seconds": round(time.perf_counter() - fit.begin, 1),
              "objective": {name: fit.objective(values) for name, values in
                            {"paper": PAPER, "start": SHASHLIK_TUNING, "fitted": tuning}.items()},
              "provenance": provenance(args.seed)}
    write(args.results, result)
    print(json.dumps(result["tuning"], indent=1), f"in {args.results}; put it into SHASHLIK_TUNING")


class Fit:
    """The distance of gflash from real showers, at their conditions, as a function of the tuning."""

    def __init__(self, real, seed):
        self.real, self.seed = real, seed
        self.bins = bins(real)
        self.columns = observable_columns(real)
        deviation = lambda values: np.where((std := values.std(0)) > 0, std, 1)
        self.deviations = {name: np.stack([deviation(values[inside]) for inside in self.bins])[:, None]
                           for name, values in self.columns.items()}
        self.quantiles = self.sorted(self.columns)
        self.weights = np.concatenate([np.full(values.size, 1 / values.size) for values in self.quantiles.values()])
        self.calls, self.begin = 0, time.perf_counter()

    def run(self, tuning, steps):
        """The best tuning after `steps` steps; each tries some dampings (Levenberg and Marquardt)."""
        low, high = np.array([BOUNDS[name] for name in Tuning._fields]).T
        unscale = lambda x: Tuning(*(low + x * (high - low)).tolist())
        x = np.clip((np.array(tuning) - low) / (high - low), 0, 1)
        values = self.residuals(unscale(x))
        for step in range(steps):
            self.log(step, values, unscale(x))
            jacobian, root = self.jacobian(unscale, x), (self.weights**2 / (values**2 + SOFTNESS**2)) ** 0.25
            tried = [np.clip(x + move(jacobian * root[:, None], values * root, x, damping), 0, 1)
                     for damping in DAMPINGS]
            found = [self.residuals(unscale(place)) for place in tried]
            best = min(range(len(tried)), key=lambda k: self.distance(found[k]))
            print([round(self.distance(other), 4) for other in found], flush=True)
            if self.distance(found[best]) >= self.distance(values):
                break
            x, values = tried[best], found[best]
        self.log("last", values, unscale(x))
        return unscale(x)

    def distance(self, values):
        """Sum over the observables of the mean absolute difference."""
        return float(self.weights @ np.abs(values))

    def log(self, step, values, tuning):
        """A line of progress."""
        rounded = {name: round(value, 4) for name, value in tuning._asdict().items()}
        print(f"step {step}, {time.perf_counter() - self.begin:.0f} s, distance {self.distance(values):.4f}: "
              f"{rounded}", flush=True)

    def residuals(self, tuning):
        """Differences of the quantiles of every observable in every bin: `[M]`."""
        self.calls += 1
        generated = self.sorted(self.generated(tuning))
        return np.concatenate([(generated[name] - self.quantiles[name]).ravel() for name in generated])

    def jacobian(self, unscale, x):
        """Jacobian of the residuals, by central differences wide enough for the jumps of single spots."""
        rows = []
        for k in range(len(x)):
            ends = [np.clip(x[k] + sign * STEP, 0, 1) for sign in (1, -1)]
            values = [self.residuals(unscale(np.where(np.arange(len(x)) == k, end, x))) for end in ends]
            rows.append((values[0] - values[1]) / (ends[0] - ends[1]))
        return np.stack(rows, axis=1)

    def generated(self, tuning):
        """Observables `{name: [N, K]}` of gflash at the real conditions."""
        energy = Gflash(SHASHLIK, tuning)(self.real.momentum, self.real.point, seed=self.seed)
        return observable_columns(Showers(energy, self.real.momentum, self.real.point))

    def sorted(self, columns):
        """Means of QUANTILES equal parts of the sorted values of each bin, in real deviations: `{name: [bins, Q, K]}`.

        A mean moves more smoothly with the tuning than a single quantile.
        """
        parts = lambda values: [part.mean(0) for part in np.array_split(np.sort(values, axis=0), QUANTILES)]
        return {name: np.stack([parts(values[inside]) for inside in self.bins]) / self.deviations[name]
                for name, values in columns.items()}

    def objective(self, tuning):
        """{"sum", "w1" of each observable, "sum_in_bins": the mean over the bins}."""
        generated = self.generated(tuning)
        distances = lambda inside: {name: wasserstein_distance(self.columns[name][inside], generated[name][inside])
                                    for name in generated}
        whole = distances(slice(None))
        return {"sum": sum(whole.values()), "w1": whole,
                "sum_in_bins": float(np.mean([sum(distances(inside).values()) for inside in self.bins]))}


def move(jacobian, values, x, damping):
    """The step that is best where the values are linear, within the bounds."""
    extra = np.diag(np.sqrt(damping * (jacobian**2).sum(0)))
    bounds = np.maximum(-x, -LONGEST) - 1e-9, np.minimum(1 - x, LONGEST) + 1e-9
    return lsq_linear(np.concatenate([jacobian, extra]), np.concatenate([-values, 0 * x]), bounds).x


def bins(showers):
    """Indices of the showers of alike energy and, among these, of alike angle."""
    energy, steepness = incident_energy(showers.momentum), np.linalg.norm(slopes(showers.momentum), axis=1)
    return [part for alike in np.array_split(np.argsort(energy), ENERGY_BINS)
            for part in np.array_split(alike[np.argsort(steepness[alike])], ANGLE_BINS)]


if __name__ == "__main__":
    main()
