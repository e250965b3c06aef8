"""Constants of a calorimeter for parametrised showers: of its materials, and of a layer as one effective material.

From the tables of the Particle Data Group, with the formulae of Grindhammer and Peters (hep-ex/0001020, appendix A).
"""
from typing import NamedTuple

import numpy as np

from ecalgen.errors import UserError
from ecalgen.simulation.calorimeter import Calorimeter, Material

SCALE_ENERGY = 21.2
"""E_s of multiple scattering, MeV."""


class UnknownElement(UserError):
    """A material with an element that is not tabulated; the message says where to add it."""


class Element(NamedTuple):
    """Z, A, X0 in g/cm2 and the least ionisation loss in MeV cm2/g, from the tables of the Particle Data Group."""

    z: float
    a: float
    x0: float
    loss: float


ELEMENTS = {
    "H": Element(1, 1.008, 63.04, 4.034), "C": Element(6, 12.011, 42.70, 1.742), "N": Element(7, 14.007, 37.99, 1.825),
    "O": Element(8, 15.999, 34.24, 1.801), "F": Element(9, 18.998, 32.93, 1.676),
    "Al": Element(13, 26.982, 24.01, 1.615), "Si": Element(14, 28.085, 21.82, 1.664),
    "Ar": Element(18, 39.948, 19.55, 1.519), "Fe": Element(26, 55.845, 13.84, 1.451),
    "Cu": Element(29, 63.546, 12.86, 1.403), "W": Element(74, 183.84, 6.76, 1.145),
    "Pb": Element(82, 207.2, 6.37, 1.122), "U": Element(92, 238.029, 6.00, 1.081),
}


class Medium(NamedTuple):
    """Constants of a material: Z and A by weight, density g/cm3, X0 g/cm2, critical energy MeV, least loss."""

    z: float
    a: float
    density: float
    x0: float
    critical: float
    loss: float

    @property
    def length(self) -> float:
        """X0, cm."""
        return self.x0 / self.density


class Layer(NamedTuple):
    """The effective material of a layer of absorber and active material.

    Args:
      z: effective atomic number.
      x0: cm.
      critical: critical energy, MeV.
      moliere: cm.
      frequency: F_S, the layers in a radiation length.
      e_hat: e/mip, response to showers relative to minimum ionising particles.
      mip: energy such a particle leaves in the active layer, MeV.
      sampled: share of its loss that this is.
    """

    z: float
    x0: float
    critical: float
    moliere: float
    frequency: float
    e_hat: float
    mip: float
    sampled: float

    @property
    def visible(self) -> float:
        """Share of a shower's energy that is visible."""
        return self.e_hat * self.sampled

    @property
    def resolution(self) -> float:
        """c of sigma/E = c / sqrt(E/GeV) if it came from the number of minimum ionising crossings of active layers."""
        return (self.mip / (1000 * self.visible)) ** 0.5


def medium(material: Material) -> Medium:
    """Constants of a compound by the weights of its elements; E_c = 2.66 MeV (X0 Z/A)^1.1.

    Raises:
      UnknownElement: an element of it is not in ELEMENTS.
    """
    if missing := [name for name, _ in material.composition if name not in ELEMENTS]:
        raise UnknownElement(f"gflash has no constants of {', '.join(missing)} in {material.name}; add them to "
                             "ELEMENTS in ecalgen/simulation/material.py")
    elements = [ELEMENTS[name] for name, _ in material.composition]
    masses = np.array([amount * element.a if isinstance(amount, int) else amount
                       for (_, amount), element in zip(material.composition, elements, strict=True)])
    z, a, inverse, loss = masses / masses.sum() @ [[e.z, e.a, 1 / e.x0, e.loss] for e in elements]
    return Medium(z, a, material.density, 1 / inverse, 2.66 * (z / a / inverse) ** 1.1, loss)


def effective_layer(calorimeter: Calorimeter) -> Layer:
    """The effective material of a layer: both materials weighted by mass per area."""
    absorber, active = medium(calorimeter.absorber), medium(calorimeter.active)
    thickness = np.array([calorimeter.absorber_thickness, calorimeter.active_thickness]) / 10  # cm
    columns = thickness * [absorber.density, active.density]
    weights, density = columns / columns.sum(), columns.sum() / thickness.sum()
    z, inverse, scattering = weights @ [[m.z, 1 / m.x0, m.critical / m.x0] for m in (absorber, active)]
    losses = columns * [absorber.loss, active.loss]
    x0 = 1 / inverse / density
    return Layer(z, x0, scattering / inverse, SCALE_ENERGY / scattering / density, x0 / thickness.sum(),
                 1 / (1 + 0.007 * (absorber.z - active.z)), losses[1], losses[1] / losses.sum())
