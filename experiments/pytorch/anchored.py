"""The anchored generator (`configs/anchored.py`) in PyTorch, eager, for the benchmark.

    python -m ecalgen.benchmark --only anchored --only experiments.pytorch.anchored:sampler

It needs `pip install torch`. The same weights make the same showers (tests/experiments/pytorch).
"""
import functools
import itertools

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ecalgen.data.grid import PAPERS, SHASHLIK
from ecalgen.data.observables import SPARSITY_THRESHOLDS, ring_masks
from ecalgen.models import anchored, hits, prior
from ecalgen.models.particle import NORMAL
from ecalgen.models.whitening import DEGREES, LIMIT
from experiments.pytorch import plain
from experiments.pytorch.plain import Modulation, SelfAttention, UpBlock, conditions, fold, normed, unfold_cells


class CellLayers(nn.Module):
    """`ecalgen.models.layers.cell_layers`."""

    def __init__(self, place, given, widths, outputs):
        super().__init__()
        self.place, self.given = nn.Linear(place, widths[0]), nn.Linear(given, widths[0], bias=False)
        self.hidden = [f"dense{i}" for i in range(len(widths) - 1)]
        for name, pair in zip(self.hidden, itertools.pairwise(widths), strict=True):
            self.add_module(name, nn.Linear(*pair))
        self.outputs = nn.Linear(widths[-1], outputs)

    def forward(self, place, given):
        x = self.place(place) + self.given(given)[:, None, None]
        for name in self.hidden:
            x = self.get_submodule(name)(F.silu(x))
        return self.outputs(F.silu(x))


class Profile(CellLayers):
    """`ecalgen.models.prior.Profile`, on the features of the cells."""

    def __init__(self, widths, shape):
        super().__init__(8, 8 + shape, widths, 3)

    def forward(self, place, given, score, z):
        log_share, log_eps, log_kappa = super().forward(place, torch.cat([given, score[:, None], z], dim=1)).unbind(-1)
        log_r = place[..., 4]
        share = (log_share - 2 * log_r - 0.5 * log_r.exp()).flatten(1).log_softmax(1).reshape(log_r.shape)
        return torch.stack([share, 0.3 * log_eps - 0.5, bounded(0.3 * log_kappa, prior.LARGEST)], dim=-1)


class CellCorrection(CellLayers):
    """`ecalgen.models.anchored.CellCorrection`."""

    def __init__(self, signal, widths):
        super().__init__(12, signal, widths, 3)

    def forward(self, signal, maps, place):
        return bounded(super().forward(torch.cat([place, maps], dim=-1), signal), anchored.LARGEST)


class Correction(nn.Module):
    """`ecalgen.models.anchored.Correction`."""

    def __init__(self, signal, widths, attention, sn):
        super().__init__()
        self.project = normed(nn.Linear(signal, 16 * widths[0]), sn)
        self.up = nn.ModuleList(UpBlock(*pair, signal, sn) for pair in itertools.pairwise(widths))
        self.attention = nn.ModuleDict({str(i): SelfAttention(width, sn) for i, width in enumerate(widths[1:])
                                        if 8 * 2**i == attention})
        self.join = normed(nn.Conv2d(widths[-1] + 16, widths[-1], 3, padding=1), sn)
        self.modulation = Modulation(widths[-1], signal, sn)
        self.residual = normed(nn.Conv2d(widths[-1], widths[-1], 3, padding=1), sn)
        self.outputs = nn.Conv2d(widths[-1], 12, 3, padding=1)

    def forward(self, signal, maps, place):
        del place
        x = self.project(signal).unflatten(1, (4, 4, -1)).permute(0, 3, 1, 2)
        for i, up in enumerate(self.up):
            x = up(x, signal)
            if str(i) in self.attention:
                x = self.attention[str(i)](x)
        edged = F.pad(maps.permute(0, 3, 1, 2), (1, 1, 1, 1), mode="replicate")
        blocks = edged.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).permute(0, 3, 5, 1, 2, 4).flatten(1, 3)
        x = self.join(torch.cat([x, blocks], dim=1))
        x = F.relu(x + self.residual(F.relu(self.modulation(x, signal))))
        outputs = self.outputs(x).unflatten(1, (2, 2, 3)).permute(0, 4, 1, 5, 2, 3).flatten(3, 4).flatten(1, 2)
        return bounded(outputs[:, 1:-1, 1:-1], anchored.LARGEST)


class TotalHead(nn.Module):
    """`ecalgen.models.prior.TotalHead`, and the draw from its mixture."""

    def __init__(self, width=16, components=3):
        super().__init__()
        self.hidden, self.mixture = nn.Linear(7, width), nn.Linear(width, 3 * components)
        self.register_buffer("apart", torch.linspace(-1, 1, components))

    def forward(self, given, choice, normal):
        weights, means, deviations = self.mixture(torch.tanh(self.hidden(given))).chunk(3, dim=1)
        edges = weights.softmax(1)[:, :-1].cumsum(1)
        picked = (torch.special.ndtr(choice)[:, None] > edges).sum(1, keepdim=True)
        return ((means + self.apart).gather(1, picked) + deviations.gather(1, picked).exp() * normal[:, None])[:, 0]


class Whitening(nn.Module):
    """`ecalgen.models.observed.Whitening`; its three arrays come with the weights."""

    def __init__(self):
        super().__init__()
        self.mean, self.log_std, self.rotation = (nn.Parameter(torch.empty(0)) for _ in range(3))

    def forward(self, values, given):
        mean, log_std = (expansion(given, DEGREES[name]) @ getattr(self, name) for name in ("mean", "log_std"))
        return LIMIT * torch.asinh((values - mean) * torch.exp(-log_std) @ self.rotation / LIMIT)


class AnchoredGenerator(nn.Module):
    """`ecalgen.models.anchored.AnchoredGenerator`, with a correction that sees what the prior has drawn."""

    def __init__(self, shape, latent, widths, profile_widths=(32, 32), network="convolutions", attention=0,
                 spectral_norm=False, octant=True, **_):
        super().__init__()
        self.shape, self.latent, self.octant = shape, latent, octant
        signal = latent + shape + 8 + 11 + len(SPARSITY_THRESHOLDS)
        self.total, self.profile, self.whitening = TotalHead(), Profile(profile_widths, shape), Whitening()
        self.neighbours = nn.Parameter(torch.zeros(2))
        self.correction = (CellCorrection(signal, widths) if network == "cells" else
                           Correction(signal, widths, attention, spectral_norm))
        self.register_buffer("tables", torch.from_numpy(hits.TABLES.T.copy()))
        self.register_buffer("positions", torch.from_numpy(SHASHLIK.centres()[0][:, 0]))
        self.register_buffer("rings", torch.from_numpy(ring_masks(SHASHLIK)).float())
        self.register_buffer("thresholds", torch.from_numpy(SPARSITY_THRESHOLDS).float())
        self.register_buffer("scales", torch.from_numpy(anchored.SEEN).flatten())

    def draw_noise(self, count):
        """The noise of `count` showers."""
        draw = functools.partial(torch.randn, count, device=self.neighbours.device)
        return {"component": draw(), "total": draw(), "shape": draw(self.shape), "cells": draw(*SHASHLIK.shape),
                "latent": draw(self.latent)}

    def forward(self, noise, momentum, point):
        seen, at = fold(momentum, point) if self.octant else (momentum, point)
        given, energy = incident_vector(seen, at), momentum.norm(dim=1)
        score = self.total(given, noise["component"], noise["total"])
        centre = 1000 * PAPERS.fraction * energy
        total = torch.maximum(centre + score * 14 * energy.sqrt(), 0.1 * centre)
        place = self.cell_features(seen, at)
        maps = self.profile(place, given, score, noise["shape"])
        maps = torch.cat([maps[..., :1] + total.log()[:, None, None, None], maps[..., 1:]], dim=-1)
        n = self.correlated(noise["cells"])
        drawn = scaled(self.cell_energy(n, maps), total)
        observed = self.whitening(self.observables(drawn, seen, at), given)
        signal = torch.cat([noise["latent"], noise["shape"], given, score[:, None], observed], dim=1)
        maps = maps + self.correction(signal, torch.cat([maps * self.scales, n[..., None]], dim=-1), place)
        cells = scaled(self.cell_energy(n, maps), total)
        return unfold_cells(cells, momentum) if self.octant else cells

    def correlated(self, n):
        """`ecalgen.models.hits.correlated`."""
        beside = sum(n.roll(step, axis) for step in (-1, 1) for axis in (1, 2))
        corners = sum(n.roll(steps, (1, 2)) for steps in itertools.product((-1, 1), repeat=2))
        first, second = self.neighbours
        return (n + first * beside + second * corners) * torch.rsqrt(1 + 4 * self.neighbours.square().sum())

    def cell_energy(self, n, maps):
        """`ecalgen.models.hits.cell_energy`."""
        log_mu, log_eps, log_kappa = maps.unbind(-1)
        position = ((log_mu - log_eps - hits.RANGE[0]) * hits.STEPS).clamp(0, len(self.tables) - 1.001)
        index = position.long()
        low, high = self.tables[index], self.tables[index + 1]
        t, first, second = (low + (position - index)[..., None] * (high - low)).unbind(-1)
        kappa, y = log_kappa.exp(), F.relu(t + n)
        return log_mu.exp() * (y + kappa * y.square()) / (first.exp() + kappa * second.exp())

    def from_track(self, momentum, point):
        """x and y of every cell from where the track crosses the reference plane, in cells: `[N, 30, 30]` twice."""
        x0, y0 = (reference_point(momentum, point) / SHASHLIK.unit).T[:, :, None, None]
        shape = len(momentum), *SHASHLIK.shape
        return (self.positions[:, None] - x0).expand(shape), (self.positions[None] - y0).expand(shape)

    def cell_features(self, momentum, point):
        """`ecalgen.models.prior.cell_features`."""
        dx, dy = self.from_track(momentum, point)
        nx, ny = azimuth(momentum).T[:, :, None, None]
        along, across = dx * nx + dy * ny, (dy * nx - dx * ny).abs()
        log_r = 0.5 * torch.log(dx**2 + dy**2 + 0.02)
        signed = along.sign() * torch.log1p(along.abs() / 0.15)
        return torch.stack([along / 1.5, signed / 2, across / 1.5, torch.log(across + 0.15), log_r, log_r.exp() / 5,
                            torch.log(dx.abs() + 0.1), torch.log(dy.abs() + 0.1)], dim=-1)

    def observables(self, energy, momentum, point):
        """`ecalgen.models.observed.seen_observables`, without their gradients: `[N, 31]`."""
        (x, y), total = self.from_track(momentum, point), energy.sum((1, 2))
        n = momentum[:, :2] / momentum[:, :2].norm(dim=1, keepdim=True)
        nx, ny = torch.where(n.isfinite(), n, n.new_tensor([1.0, 0.0])).T[:, :, None, None]
        share = energy / torch.where(total > 0, total, 1)[:, None, None]
        mean = lambda values: (share * values).sum((1, 2))
        along, across = x * nx + y * ny, y * nx - x * ny
        sides = [mean(torch.where(s >= 0, 1.0, -1.0)) for s in (along, across)]
        widths = [mean((s - mean(s)[:, None, None])**2).sqrt() for s in (along, across)]
        rings = torch.einsum("nij,ijr->nr", share, self.rings)
        lit = [(share / threshold >= 1).float().mean((1, 2)) for threshold in self.thresholds]
        columns = [*sides, *widths, mean(x), mean(y), *rings.unbind(1), total / (1000 * momentum.norm(dim=1)), *lit]
        return torch.stack(columns, dim=1)


def bounded(values, largest):
    """Values that stay within +-largest."""
    return largest * torch.tanh(values / largest)


def scaled(cells, total):
    """Cells that add up to `total [N]`."""
    return cells * (total / cells.sum((1, 2)).clamp(min=1e-3))[:, None, None]


def slopes(momentum):
    """(px/pz, py/pz)."""
    return momentum[:, :2] / momentum[:, 2:]


def reference_point(momentum, point):
    """Where the track crosses the reference plane, cm."""
    return point + SHASHLIK.reference_depth * slopes(momentum)


def azimuth(momentum):
    """`ecalgen.models.observed.azimuth`."""
    slope = slopes(momentum)
    near = torch.exp(-(slope / (3 * NORMAL)).square().sum(1, keepdim=True))
    turned = slope + near * torch.tensor([NORMAL, 0.0])
    return turned / torch.sqrt(turned.square().sum(1, keepdim=True) + NORMAL**2 * (1.01 - near))


def incident_vector(momentum, point):
    """`ecalgen.models.observed.incident_vector`."""
    first = conditions(momentum, point)[:, :3]
    return torch.cat([first, reference_point(momentum, point) / PAPERS.reference, azimuth(momentum)], dim=1)


def expansion(given, degree):
    """`ecalgen.models.observed.expansion`."""
    smooth, n = given[:, :5], given[:, 5:]
    products = n[:, :, None] * polynomial(smooth, degree - 1)[:, None]
    return torch.cat([polynomial(smooth, degree), products.flatten(1)], dim=1)


def polynomial(given, degree):
    """`ecalgen.models.observed.polynomial`."""
    one = torch.cat([torch.ones_like(given[:, :1]), given], dim=1)
    return one[:, _factors(one.shape[1], degree)].prod(-1)


@functools.cache
def _factors(entries, degree):
    rows = list(itertools.combinations_with_replacement(range(entries), degree))
    return torch.from_numpy(np.array(rows, int)).to(plain.DEVICE)


def sampler():
    """The shipped anchored generator as a function (momentum, point) -> cells in MeV."""
    return plain.sampler("anchored", AnchoredGenerator)
