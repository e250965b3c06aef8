"""Hook of mkdocs: the files that the page in the browser loads, made from the package and from npm."""
import hashlib
import json
import logging
import pathlib
import shutil
import subprocess
from importlib.resources import files

import numpy as np
from mkdocs.structure.files import File
from sklearn.linear_model import GammaRegressor, LinearRegression
from sklearn.preprocessing import PolynomialFeatures

import ecalgen
from ecalgen.data.ecal_shashlik import load_split
from ecalgen.data.observables import OBSERVABLES
from ecalgen.data.octant import fold
from ecalgen.data.showers import reference_point, slopes
from ecalgen.data.sources import sample_path
from ecalgen.export.files import export_generator
from ecalgen.machine.files import write_text

MODEL = "anchored_light"
HERE = pathlib.Path(__file__).parent
BUILT = HERE.parents[1] / "build" / "browser"
RUNTIME = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
"""What the page needs of onnxruntime-web: its part for WebAssembly, in two files."""
QUANTITIES = {"visible_fraction": "energy", "longitudinal_width": "none", "transverse_width": "none"}
"""Observable -> what the page multiplies it with: the incident energy, or nothing."""
DEGREE = 3
"""Of the polynomials."""
log = logging.getLogger("mkdocs.hooks.browser")


def on_files(pages, config):
    """Add onnxruntime-web, the generator and the means of Geant4; without npm only the text of the page stays."""
    try:
        installed = runtime()
    except (OSError, subprocess.CalledProcessError) as error:
        log.info("the page in the browser will have no showers, as npm did not install onnxruntime-web: %s", error)
        return pages
    for path in (*installed, *generator(), means()):
        pages.append(File.generated(config, f"browser/{path.name}", abs_src_path=str(path)))
    return pages


def runtime():
    """The files of onnxruntime-web in the version of package.json, installed by npm where they are not."""
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]["onnxruntime-web"]
    package = BUILT / "node_modules" / "onnxruntime-web"
    if not package.exists() or json.loads((package / "package.json").read_text())["version"] != wanted:
        BUILT.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "package.json", BUILT)
        subprocess.run(["npm", "install", "--no-package-lock", "--ignore-scripts", "--silent"], cwd=BUILT, check=True)
    return [package / "dist" / name for name in RUNTIME]


def made():
    """The folder of what is made here; it is another one when the model, the version or this hook has changed."""
    card = files(ecalgen) / "shipped" / MODEL / "card.json"
    about = f"{ecalgen.__version__} {card.read_text()} {pathlib.Path(__file__).read_text()}"
    return BUILT / hashlib.sha256(about.encode()).hexdigest()[:12]


def generator():
    """The generator as ONNX, and the card of it."""
    folder = made()
    paths = [folder / f"{MODEL}.onnx", folder / f"{MODEL}.onnx.json"]
    if not all(path.exists() for path in paths):
        export_generator(MODEL, "onnx", folder)
    return paths


def means():
    """What Geant4 gives for a particle, `geant4.json`: the fits to the training showers of the package."""
    path = made() / "geant4.json"
    if not path.exists():
        write_text(path, json.dumps(fitted(load_split(sample_path("electron_5d"), "train"))))
    return path


def fitted(showers):
    """Fit mean and standard deviation of each of `QUANTITIES` as functions of the particle, by polynomials.

    The variables are log E, the slopes and the reference point of the folded particle, each scaled to [-1, 1]. The
    mean is fitted by least squares, weighted by the variance. The logarithm of the variance is fitted to the squared
    deviations by a gamma regression.

    Args:
      showers: of Geant4, on the cells of the shipped samples.

    Returns:
      `low` and `high`, the limits of the variables; `powers`, a row for each term; and for each observable `scale`,
      the coefficients `mean` with their `covariance`, and `deviation`, those of the logarithm of the variance.
    """
    values = variables(showers)
    low, high = values.min(0), values.max(0)
    features = PolynomialFeatures(DEGREE)
    terms = features.fit_transform(2 * (values - low) / (high - low) - 1)
    fits = []
    for name, scale in QUANTITIES.items():
        seen = np.asarray(OBSERVABLES[name](showers.energy, showers.momentum, showers.point), np.float64)
        first = LinearRegression(fit_intercept=False).fit(terms, seen)
        squares = (seen - first.predict(terms)) ** 2
        variance = GammaRegressor(alpha=0, fit_intercept=False, solver="newton-cholesky").fit(
            terms, squares / squares.mean())
        weights = 1 / (squares.mean() * variance.predict(terms))
        mean = LinearRegression(fit_intercept=False).fit(terms, seen, weights)
        logarithm = variance.coef_ + np.log(squares.mean()) * (np.arange(len(variance.coef_)) == 0)
        fits.append({"scale": scale, "mean": mean.coef_.tolist(), "deviation": logarithm.tolist(),
                     "covariance": np.linalg.inv(terms.T @ (weights[:, None] * terms)).tolist()})
    return {"low": low.tolist(), "high": high.tolist(), "powers": features.powers_.tolist(), "observables": fits}


def variables(showers):
    """log E, both slopes and both coordinates of the reference point (cm) of the folded particle: `[N, 5]`."""
    momentum, point = (np.asarray(value, np.float64)
                       for value in fold(showers.momentum, showers.point, showers.grid))
    return np.column_stack([np.log(np.linalg.norm(momentum, axis=1)), slopes(momentum),
                            reference_point(momentum, point, showers.grid)])
