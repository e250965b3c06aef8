"""Materials and the effective layer by hand and against the Particle Data Group."""
import pytest

from ecalgen.simulation.calorimeter import LAYERED, LEAD, SCINTILLATOR, SHASHLIK, TUNGSTEN, Material
from ecalgen.simulation.material import UnknownElement, effective_layer, medium

LAYER = effective_layer(SHASHLIK)


def test_materials_by_hand():
    assert medium(LEAD).length == pytest.approx(0.5612, rel=1e-3)
    assert medium(TUNGSTEN).length == pytest.approx(0.3504, rel=1e-3)
    assert medium(SCINTILLATOR).length == pytest.approx(42.54, rel=0.01)  # polyvinyltoluene
    assert medium(LEAD).critical == pytest.approx(7.43, rel=0.02)  # Particle Data Group
    assert medium(TUNGSTEN).critical == pytest.approx(7.97, rel=0.02)
    assert medium(SCINTILLATOR).loss == pytest.approx(1.956, rel=0.02)
    silica = medium(Material("silica", 2.2, (("Si", 1), ("O", 2))))
    assert silica.z == pytest.approx((28.085 * 14 + 31.998 * 8) / 60.083)
    with pytest.raises(UnknownElement, match="Og in oganesson"):
        medium(Material("oganesson", 5.0, (("Og", 1),)))


def test_effective_layer_by_hand():
    assert SHASHLIK.length / 10 / LAYER.x0 == pytest.approx(66 * (0.2 / 0.5612 + 0.4 / 42.54), rel=0.005)
    assert LAYER.frequency == pytest.approx(LAYER.x0 / 0.6)
    assert LAYER.e_hat == pytest.approx(1 / (1 + 0.007 * (82 - 5.573)), rel=1e-3)
    assert LAYER.moliere == pytest.approx(21.2 * LAYER.x0 / LAYER.critical)
    assert LAYER.mip == pytest.approx(0.4 * 1.032 * 1.956, rel=0.02)
    assert LAYER.sampled == pytest.approx(LAYER.mip / (LAYER.mip + 0.2 * 11.35 * 1.122))
    tungsten = effective_layer(LAYERED)
    assert LAYERED.length / 10 / tungsten.x0 == pytest.approx(25 * (0.24 / 0.3504 + 0.05 / 9.37), rel=0.005)
