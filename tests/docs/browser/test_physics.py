"""The page's functions in JavaScript, run by Node, against ecalgen's in Python."""
import json
import shutil
import subprocess

import documentation
import numpy as np
import pytest

from ecalgen import observables
from ecalgen.data.grid import SHASHLIK
from ecalgen.data.showers import reference_point

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="Node.js is not installed")


def run(expression, **values):
    """The value of an expression of JavaScript in which the module is `physics`, and `values` are names."""
    module = (documentation.ROOT / "docs" / "browser" / "physics.js").as_uri()
    names = "".join(f"const {name} = given.{name};" for name in values)
    program = f"""import * as physics from "{module}"; import fs from "node:fs";
        const given = JSON.parse(fs.readFileSync(0)); {names}
        console.log(JSON.stringify({expression}));"""
    done = subprocess.run([NODE, "--input-type=module", "-e", program], input=json.dumps(values), capture_output=True,
                          text=True, check=True)
    return json.loads(done.stdout)


GRID = {"shape": SHASHLIK.shape, "pitch": SHASHLIK.pitch, "reference_depth": SHASHLIK.reference_depth}


def test_observables_are_those_of_the_package(showers):
    few = showers[:20]
    got = run("cells.map((one, i) => physics.observables(one, momentum[i], grid))",
              cells=few.energy.reshape(20, -1).tolist(), momentum=few.momentum.tolist(), grid=GRID)
    wanted = observables(few.energy, few.momentum, few.point)
    np.testing.assert_allclose(np.array(got)[:, 0], few.energy.sum((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(np.array(got)[:, 1], wanted["longitudinal_width"], rtol=1e-4)
    np.testing.assert_allclose(np.array(got)[:, 2], wanted["transverse_width"], rtol=1e-4)


def test_an_empty_shower_has_no_width():
    assert run("physics.observables(new Array(900).fill(0), [0, 0, 9], grid)",
               grid=GRID) == [0, 0, 0]


def test_a_particle_meets_the_reference_plane_where_it_was_told():
    made = run("physics.particle({energy: 20, polar: 25, azimuth: -130, track: [0.4, -0.7]}, grid)", grid=GRID)
    assert np.linalg.norm(made["momentum"]) == pytest.approx(20)
    assert np.degrees(np.arccos(made["momentum"][2] / 20)) == pytest.approx(25)
    assert np.degrees(np.arctan2(made["momentum"][1], made["momentum"][0])) == pytest.approx(-130)
    met = reference_point(np.array([made["momentum"]]), np.array([made["point"]]), SHASHLIK)
    np.testing.assert_allclose(np.asarray(met)[0], [0.4, -0.7], rtol=1e-6)


def test_means_of_geant4_are_those_of_the_fit(showers):
    pytest.importorskip("mkdocs", reason="mkdocs, of the extra docs, is not installed")
    build = documentation.load_hook("docs/browser/build.py")
    fit = build.fitted(showers)
    few = showers[:10]
    tracks = np.asarray(reference_point(few.momentum, few.point, SHASHLIK))
    got = run("slopes.map((slope, i) => physics.geant4({energy: energy[i], slopes: slope, track: tracks[i]}, fit))",
              slopes=(few.momentum[:, :2] / few.momentum[:, 2:]).tolist(), tracks=tracks.tolist(),
              energy=np.linalg.norm(few.momentum, axis=1).tolist(), fit=fit)
    scaled = 2 * (build.variables(few) - fit["low"]) / (np.array(fit["high"]) - fit["low"]) - 1
    terms = np.prod(scaled[:, None] ** np.array(fit["powers"]), axis=2)
    for index, (name, own) in enumerate(zip(build.QUANTITIES, fit["observables"], strict=True)):
        unit = 1000 * np.linalg.norm(few.momentum, axis=1) if name == "visible_fraction" else 1
        wanted = {"mean": unit * (terms @ own["mean"]), "deviation": unit * np.exp(terms @ own["deviation"] / 2),
                  "error": unit * np.sqrt(np.sum(terms @ np.array(own["covariance"]) * terms, axis=1))}
        for key, values in wanted.items():
            np.testing.assert_allclose([one[index][key] for one in got], values, rtol=1e-4)


def test_noise_is_normal_and_moments_are_those_of_numpy():
    noise = np.array(run("Array.from(physics.normal(100001))"))
    assert len(noise) == 100001 and abs(noise.mean()) < 0.02 and abs(noise.std() - 1) < 0.01
    assert abs((noise**4).mean() - 3) < 0.15 and abs(np.corrcoef(noise[:-1:2], noise[1::2])[0, 1]) < 0.02
    got = run("(() => { const m = new physics.Moments(); noise.forEach(n => m.add(n)); "
              "return [m.count, m.mean, m.deviation, m.error]; })()", noise=noise[:1000].tolist())
    few = noise[:1000]
    np.testing.assert_allclose(got, [1000, few.mean(), few.std(ddof=1), few.std(ddof=1) / 1000**0.5], rtol=1e-6)
