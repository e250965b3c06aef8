"""Figures of the evaluation as they should look, in `evaluation/report/images/`.

    PYTHONPATH=tests python -m pictures    # draw them again after an intended change, and look at them
"""
import pathlib

import evaluations
import numpy as np

from ecalgen.data.grid import SHASHLIK
from ecalgen.data.showers import Showers
from ecalgen.evaluation.report import figures, physics_figures
from ecalgen.evaluation.report.comparison_figure import comparison
from ecalgen.evaluation.report.measures import measures

IMAGES = pathlib.Path(__file__).parents[1] / "evaluation" / "report" / "images"
BINS = [{"low": low, "high": 3 * low, "showers": 400, "auc": auc, "interval": [auc - 0.02, auc + 0.03]}
        for low, auc in ((1.0, 0.51), (3.0, 0.56), (9.0, 0.62))]


def blobs(seed, width=1.0):
    """Twelve showers with exponential profiles around their tracks, and no energy in a third of the cells."""
    rng = np.random.default_rng(seed)
    energy = np.geomspace(1, 100, 12)
    point = np.stack([np.linspace(-4, 4, 12), np.linspace(3, -3, 12)], axis=1)
    direction = np.stack([np.linspace(-0.3, 0.3, 12), np.linspace(0.2, -0.2, 12), np.ones(12)], axis=1)
    momentum = energy[:, None] * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    centres = SHASHLIK.centres()[0][:, 0] * SHASHLIK.unit
    x, y = (centres[:, None] - point[:, 0, None, None], centres - point[:, 1, None, None])
    cells = 40 * energy[:, None, None] * np.exp(-np.hypot(x, y) / (2.5 * width)) * rng.uniform(0.5, 1.5, (12, 30, 30))
    return Showers((cells * (rng.uniform(size=cells.shape) > 1 / 3)).astype(np.float32),
                   momentum.astype(np.float32), point.astype(np.float32))


def observed(seed, shift=0.0):
    """Values of every observable that is drawn, by name, for 900 showers."""
    rng = np.random.default_rng(seed)
    values = {name: rng.normal(shift, 1, (900, 1)) for name in figures.LABELS}
    return values | {"sparsity": rng.binomial(900, 0.03 + 0.01 * shift, (900, 20)) / 900}


PICTURES = {
    "mean_response": lambda: figures.mean_response(blobs(0), blobs(1, width=1.1)),
    "gallery": lambda: figures.gallery(blobs(0), blobs(1, width=1.1), count=3),
    "distributions": lambda: figures.distributions(
        observed(0), observed(1, shift=0.3), 900, {name: evaluations.distance(0.3) for name in figures.LABELS}),
    "prd_curves": lambda: figures.prd_curves(evaluations.evaluation()["prd"]),
    "learning_curves": lambda: figures.learning_curves(
        [{"stage": "gan", "step": step, "generator_loss": np.cos(step / 9), "discriminator_loss": 2 - step / 50,
          "w1": 1 / (1 + step)} for step in range(0, 100, 5)]),
    "response": lambda: physics_figures.response(evaluations.response(1.1)["bins"]),
    "profiles": lambda: physics_figures.profiles(evaluations.PROFILE),
    "verdict_by_condition": lambda: physics_figures.verdict_by_condition({"energy_gev": BINS, "entry_cm": BINS[::-1]}),
    "comparison": lambda: comparison({"ours": measures(evaluations.evaluation())}),
}
"""File name -> a function that draws the figure, from invented data."""


def draw(name, folder):
    """Draw one figure into a folder, and return its path."""
    path = pathlib.Path(folder) / f"{name}.png"
    path.write_bytes(figures.png(PICTURES[name](), dpi=40))
    return path


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    for picture in PICTURES:
        print(draw(picture, IMAGES))
