"""The pictures of the README and of the page on the anchored generator: Geant4 beside generated, and its four steps.

    python -m experiments.tables.pictures
"""
import pathlib

import jax
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

from ecalgen import plots
from ecalgen.data.ecal_shashlik import load_split
from ecalgen.data.showers import incident_energy
from ecalgen.models.build import build_generator
from ecalgen.sampling.sampler import load_sampler
from experiments.command import new_parser
from experiments.measures import generated

DRAWS = 300
"""Showers of the prior whose mean shows the smooth profile."""
STEPS = ("1. total and profile", "2. hits", "3. correction", "Geant4")


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs"), help="folder (docs)")
    parser.add_argument("--seed", type=int, default=1, help="of the generated showers (1)")
    return parser


def main():
    """Draw both pictures."""
    args = make_parser().parse_args()
    real = load_split("ecal_shashlik/electron_5d", "test", limit=600)
    sampler = load_sampler("anchored")
    plots.gallery(real, generated(sampler, real, args.seed), count=3).savefig(args.out / "gallery.png", dpi=110)
    chosen = int(np.argmin(np.abs(incident_energy(real.momentum) - 30)))
    drawn = [*steps(sampler, real[chosen:chosen + 1], args.seed), real.energy[chosen]]
    picture(drawn, real.grid).savefig(args.out / "anchored.png", dpi=110)
    print(args.out / "gallery.png", args.out / "anchored.png")


def steps(sampler, showers, seed):
    """The energies of one shower, `[nx, ny]` MeV each: the prior's mean, the prior's hits, and the corrected shower."""
    generator = build_generator(sampler.card["generator"], sampler.domain)
    prior = generator.clone(correction=False)
    noise = jax.tree.map(lambda part: part[None], generator.draw_noise(jax.random.key(seed)))
    particle = showers.momentum, showers.point
    make = lambda network, noise: np.asarray(network.apply(sampler.variables, noise, *particle)[0])
    cells = jax.random.normal(jax.random.key(seed), (DRAWS, *noise["cells"].shape))
    mean = np.mean([make(prior, noise | {"cells": drawn}) for drawn in cells], axis=0)
    return mean, make(prior, noise), make(generator, noise)


def picture(drawn, grid):
    """The maps side by side on one log scale."""
    figure, panels = plt.subplots(1, len(drawn), figsize=(10, 3.1), sharey=True, layout="constrained")
    corners = [corner.T for corner in grid.corners()]
    colours = plt.get_cmap("viridis").with_extremes(bad="0.85", under="0.85")
    for panel, values, title in zip(panels, drawn, STEPS, strict=True):
        image = panel.pcolormesh(*corners, np.ma.masked_less_equal(values, 0).T, norm=LogNorm(0.1, 1e3), cmap=colours)
        panel.set(title=title, aspect="equal", xlabel="x [cm]")
    panels[0].set_ylabel("y [cm]")
    figure.colorbar(image, ax=panels, label="Energy [MeV]", extend="min")
    return figure


if __name__ == "__main__":
    main()
