"""`ecalgen sample`: showers of the particles in a file, in a file."""
import numpy as np
import pytest

import ecalgen
from ecalgen.data.files.formats import load_provenance
from ecalgen.sampling import __main__ as command


@pytest.fixture
def particles(tmp_path, showers):
    path = tmp_path / "particles.npz"
    np.savez(path, ParticleMomentum=showers.momentum[:5], ParticlePoint=showers.point[:5])
    return path


def test_it_writes_what_the_sampler_makes(monkeypatch, capsys, tmp_path, particles, showers):
    """In blocks of two, which does not change the showers."""
    monkeypatch.setattr(command, "BLOCK", 2)
    out = tmp_path / "made.npz"
    command.main(["--run=anchored_light", f"--particles={particles}", f"--out={out}", "--seed=3"])
    assert capsys.readouterr().out == f"5 showers in {out}\n"
    made = ecalgen.load_showers(out)
    expected = ecalgen.load_sampler("anchored_light")(showers.momentum[:5], showers.point[:5], seed=3)
    np.testing.assert_allclose(made.energy, expected, rtol=1e-4, atol=1e-4)
    made_by = load_provenance(out)
    assert made_by["generator"] == "anchored_light" and made_by["seed"] == 3 and made_by["particles"] == particles.name


@pytest.mark.parametrize("changes, message", [
    (["--run=nobody"], "error: 'nobody' is neither a run's folder nor a shipped model"),
    (["--seed=-1"], "error: seed is -1; give a whole number"),
    (["--particles=missing.npz"], "error: missing.npz"),
])
def test_faults_are_named_and_nothing_is_written(tmp_path, particles, changes, message):
    out = tmp_path / "made.npz"
    with pytest.raises(SystemExit, match=message):
        command.main(["--run=anchored_light", f"--particles={particles}", f"--out={out}", *changes])
    assert not out.exists()


def test_a_particle_that_misses(tmp_path, particles, showers):
    point = np.full((5, 2), 500.0)
    np.savez(particles, ParticleMomentum=showers.momentum[:5], ParticlePoint=point)
    words = ["--run=anchored_light", f"--particles={particles}", f"--out={tmp_path / 'made.npz'}"]
    with pytest.raises(SystemExit, match="miss"):
        command.main(words)
