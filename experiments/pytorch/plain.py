"""The plain GAN (`configs/baseline.py`) in PyTorch, eager, for the benchmark; it needs `pip install torch`.

    python -m ecalgen.benchmark --only baseline --only experiments.pytorch.plain:sampler \\
        --training configs/baseline.py:cpu --training experiments.pytorch.plain:training

Channels come first, as in PyTorch. The same weights make the same showers (tests/experiments/pytorch).
"""

import itertools

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import clip_grad_norm_
from torch.nn.utils.parametrizations import spectral_norm

from configs import baseline
from ecalgen.data.ecal_shashlik import load_split, sample_path
from ecalgen.data.transforms import make_transform
from ecalgen.sampling.weights import load_weights
from ecalgen.training.stages import training_arrays

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
CHUNK, STEPS = (64, 1) if DEVICE.type == "cpu" else (8192, 100)
"""Showers in a chunk and steps in a call, as in ecalgen."""


def conditions(momentum, point):
    """(log E, px/pz, py/pz, x, y), as `ecalgen.data.showers.conditions`."""
    log_energy = (torch.log(momentum.norm(dim=1)) - 2.303) / 1.329
    return torch.cat([log_energy[:, None], momentum[:, :2] / momentum[:, 2:] / 0.175, point / 2.7], dim=1)


def fold(momentum, point):
    """The incident particle from the octant px >= py >= 0."""
    transverse, swap = momentum[:, :2], _swapped(momentum)[:, None]
    point = torch.where(transverse < 0, -point, point)
    transverse, point = (torch.where(swap, value.flip(1), value) for value in (transverse.abs(), point))
    return torch.cat([transverse, momentum[:, 2:]], dim=1), point


def fold_cells(cells, momentum):
    """Cells `[N, 30, 30]` from the octant."""
    return _transposed(_flipped(cells, momentum), momentum)


def unfold_cells(cells, momentum):
    """The inverse of `fold_cells`."""
    return _flipped(_transposed(cells, momentum), momentum)


def _flipped(cells, momentum):
    for axis in (0, 1):
        cells = torch.where(momentum[:, axis, None, None] < 0, cells.flip(axis + 1), cells)
    return cells


def _transposed(cells, momentum):
    return torch.where(_swapped(momentum)[:, None, None], cells.transpose(1, 2), cells)


def _swapped(momentum):
    return momentum[:, 1].abs() > momentum[:, 0].abs()


def energy_unit(name, momentum):
    """Unit of the cells from E / 10 GeV."""
    relative = momentum.norm(dim=1)[:, None, None] / 10
    return {"none": torch.ones_like, "root": torch.sqrt, "energy": lambda relative: relative}[name](relative)


def normed(layer, wanted):
    """The layer, with spectral norm if wanted."""
    return spectral_norm(layer) if wanted else layer


class Modulation(nn.Module):
    """x / rms(x) over channels, scaled and shifted by a signal."""

    def __init__(self, channels, signal, sn):
        super().__init__()
        self.signal = normed(nn.Linear(signal, 2 * channels), sn)

    def forward(self, x, signal):
        x = x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-6)
        scale, shift = self.signal(signal)[:, :, None, None].chunk(2, dim=1)
        return (1 + scale) * x + shift


class UpBlock(nn.Module):
    """Modulate, ReLU, double the map, convolve."""

    def __init__(self, channels, features, signal, sn):
        super().__init__()
        self.modulation = Modulation(channels, signal, sn)
        self.conv = normed(nn.Conv2d(channels, features, 3, padding=1), sn)

    def forward(self, x, signal):
        return self.conv(F.interpolate(F.relu(self.modulation(x, signal)), scale_factor=2, mode="nearest"))


class DownBlock(nn.Module):
    """Convolve with stride 2, leaky ReLU."""

    def __init__(self, channels, features, sn):
        super().__init__()
        self.conv = normed(nn.Conv2d(channels, features, 4, stride=2, padding=1), sn)

    def forward(self, x):
        return F.leaky_relu(self.conv(x), 0.1)


class SelfAttention(nn.Module):
    """y = gamma v(softmax(f(x) g(x)) h(x)) + x over the cells of a map."""

    def __init__(self, channels, sn):
        super().__init__()
        inner, half = max(1, channels // 8), max(1, channels // 2)
        self.f, self.g = (normed(nn.Linear(channels, inner, bias=False), sn) for _ in range(2))
        self.h = normed(nn.Linear(channels, half, bias=False), sn)
        self.v = normed(nn.Linear(half, channels, bias=False), sn)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        pixels = x.flatten(2).transpose(1, 2)
        beta = torch.softmax(self.g(pixels) @ self.f(pixels).transpose(1, 2), dim=-1)
        return self.gamma * self.v(beta @ self.h(pixels)).transpose(1, 2).reshape(x.shape) + x


class Generator(nn.Module):
    """`ecalgen.models.plain.Generator` with `conditioning="projection"`."""

    def __init__(self, latent, widths, attention, spectral_norm, cell_noise=0, unit="none", octant=False, **_):
        super().__init__()
        self.latent, self.widths, self.cell_noise, self.unit, self.octant = latent, widths, cell_noise, unit, octant
        sn, signal = spectral_norm, latent + 5
        self.project = normed(nn.Linear(signal, 16 * widths[0]), sn)
        self.up = nn.ModuleList(UpBlock(*pair, signal, sn) for pair in zip(widths[:-1], widths[1:], strict=True))
        self.attention = nn.ModuleDict({str(i): SelfAttention(width, sn) for i, width in enumerate(widths[1:])
                                        if 8 * 2**i == attention})
        self.mix = normed(nn.Conv2d(widths[-1] + cell_noise, widths[-1], 3, padding=1), sn) if cell_noise else None
        self.modulation = Modulation(widths[-1], signal, sn)
        self.cells = normed(nn.Conv2d(widths[-1], 1, 3, padding=1), sn)

    def draw_noise(self, count):
        """The noise of `count` showers."""
        device = self.project.bias.device
        return (torch.randn(count, self.latent, device=device),
                torch.randn(count, self.cell_noise, 32, 32, device=device))

    def forward(self, noise, momentum, point):
        latent, maps = noise
        signal = torch.cat([latent, conditions(*(fold(momentum, point) if self.octant else (momentum, point)))], dim=1)
        x = self.project(signal).reshape(-1, 4, 4, self.widths[0]).permute(0, 3, 1, 2)
        for i, up in enumerate(self.up):
            x = up(x, signal)
            if str(i) in self.attention:
                x = self.attention[str(i)](x)
        if self.mix:
            x = self.mix(F.relu(torch.cat([x, maps], dim=1)))
        cells = self.cells(F.relu(self.modulation(x, signal)))[:, 0, 1:-1, 1:-1]
        leaky = F.leaky_relu(cells, 0.1)
        cells = (leaky + (F.relu(cells) - leaky).detach()) * energy_unit(self.unit, momentum)
        return unfold_cells(cells, momentum) if self.octant else cells


class Discriminator(nn.Module):
    """`ecalgen.models.discriminator.Discriminator` with `conditioning="projection"`."""

    def __init__(self, widths, attention, spectral_norm, embedding, gain, unit="none", squares=False, octant=False,
                 **_):
        super().__init__()
        self.gain, self.unit, self.squares, self.octant, sn = gain, unit, squares, octant, spectral_norm
        pairs = zip((1 + squares, *widths[:-1]), widths, strict=True)
        self.down = nn.ModuleList(DownBlock(*pair, sn) for pair in pairs)
        self.attention = nn.ModuleDict({str(i): SelfAttention(width, sn) for i, width in enumerate(widths)
                                        if 16 // 2**i == attention})
        self.conv = normed(nn.Conv2d(widths[-1], widths[-1], 3, padding=1), sn)
        self.logit = normed(nn.Linear(widths[-1], 1), sn)
        self.embed = nn.ModuleDict({"dense0": normed(nn.Linear(5, embedding), sn)})
        self.project = normed(nn.Linear(embedding, widths[-1], bias=False), sn)

    def forward(self, cells, momentum, point):
        if self.octant:
            cells, (momentum, point) = fold_cells(cells, momentum), fold(momentum, point)
        cells = cells / energy_unit(self.unit, momentum)
        x = F.pad(torch.stack([cells, cells**2] if self.squares else [cells], dim=1), (1, 1, 1, 1))
        for i, down in enumerate(self.down):
            x = down(x)
            if str(i) in self.attention:
                x = self.attention[str(i)](x)
        phi = F.leaky_relu(self.conv(x), 0.1).sum((2, 3))
        embedded = F.leaky_relu(self.embed.dense0(conditions(momentum, point)), 0.1)
        return self.gain * (self.logit(phi)[:, 0] + (self.project(embedded) * phi).sum(1))


def take(module, params):
    """Fill a module without spectral norm with Flax parameters of ecalgen, `{name: {...}}`."""
    for name, value in params.items():
        if isinstance(value, dict) and "kernel" in value:
            layer, kernel = getattr(module, name), torch.from_numpy(np.array(value["kernel"]))
            layer.weight.data = kernel.T if kernel.ndim == 2 else kernel.permute(3, 2, 0, 1)
            if "bias" in value:
                layer.bias.data = torch.from_numpy(np.array(value["bias"]))
        elif not isinstance(value, dict):
            getattr(module, name).data = torch.from_numpy(np.array(value))
        elif name == "attention":
            take(*module.attention.values(), value)
        else:
            take(_part(module, name), value)
    return module


def _part(module, name):
    """The part of a PyTorch module that ecalgen calls `up0`, `down1` or `modulation`."""
    kind, index = name.rstrip("0123456789"), name[len(name.rstrip("0123456789")):]
    return getattr(module, kind)[int(index)] if index else getattr(module, name)


def sampler(name="baseline", network=Generator):
    """A shipped generator, by default the plain one, as a function (momentum, point) -> cells in MeV."""
    params, card = load_weights(name, "generator")
    generator = take(network(**card["generator"] | {"spectral_norm": False}), params).eval().to(DEVICE)
    inverse = make_transform(**card["data"]["transform"]).inverse

    def sample(momentum, point):
        with torch.inference_mode():
            given = (torch.from_numpy(np.asarray(array, np.float32)).to(DEVICE) for array in (momentum, point))
            parts = zip(*(array.split(CHUNK) for array in given), strict=True)
            cells = [generator(generator.draw_noise(len(m)), m, p) for m, p in parts]
            return np.asarray(inverse(torch.cat(cells).cpu().numpy()))

    return sample


def training():
    """A function that makes the next steps of `configs/baseline.py:cpu`, and returns their number."""
    config = baseline.get_config("cpu")
    fields, transform = config.train, make_transform(**config.data.transform)
    data = {name: torch.from_numpy(np.array(array)).to(DEVICE) for name, array in training_arrays(
        load_split(str(sample_path()), "train"), transform).items()}
    networks = Generator(**config.generator).to(DEVICE), Discriminator(**config.discriminator).to(DEVICE)
    generator, discriminator = networks
    rates = fields.generator_rate, fields.discriminator_rate
    adams = [torch.optim.Adam(network.parameters(), rate, betas=(0.0, 0.9), foreach=True)
             for network, rate in zip(networks, rates, strict=True)]
    average = [parameter.detach().clone() for parameter in generator.parameters()]

    numbers = itertools.count()

    def batch():
        rows = torch.randint(len(data["cells"]), (fields.batch_size,), device=DEVICE)
        return (data[name][rows] for name in ("cells", "momentum", "point"))

    def update(loss, network, adam):
        adam.zero_grad(set_to_none=True)
        loss.backward()
        clip_grad_norm_(network.parameters(), fields.clip)
        adam.step()

    def r1(cells, momentum, point):
        cells = cells.requires_grad_()
        (slope,) = torch.autograd.grad(discriminator(cells, momentum, point).sum(), cells, create_graph=True)
        return 0.5 * slope.square().sum((1, 2)).mean()

    def step(number):
        cells, momentum, point = batch()
        with torch.no_grad():
            fake = generator(generator.draw_noise(len(cells)), momentum, point)
        logits = discriminator(torch.cat([cells, fake]), momentum.repeat(2, 1), point.repeat(2, 1))
        real, made = logits.chunk(2)
        loss = F.relu(1 - real).mean() + F.relu(1 + made).mean()
        if fields.r1 and number % fields.r1_every == 0:
            loss = loss + fields.r1 * fields.r1_every * r1(cells, momentum, point)
        update(loss, discriminator, adams[1])
        _, momentum, point = batch()
        made = discriminator(generator(generator.draw_noise(len(momentum)), momentum, point), momentum, point)
        update(-made.mean(), generator, adams[0])
        with torch.no_grad():
            torch._foreach_lerp_(average, list(generator.parameters()), 1 - fields.ema)

    def steps():
        for _ in range(STEPS):
            step(next(numbers))
        if DEVICE.type == "cuda":
            torch.cuda.synchronize()
        return STEPS

    return steps
