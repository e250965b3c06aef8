"""The package ecalgen, its dependencies and extras."""
from setuptools import find_packages, setup

EXTRAS = {
    "geant4": ["geant4-pybind>=0.1.3"],
    "root": ["uproot>=5.3", "awkward>=2.6"],
    "hdf5": ["h5py>=3.10"],
    "stream": ["grain>=0.2.10"],
    "tensorboard": ["tensorboardX>=2.6"],
    "dask": ["distributed>=2024.8"],
    "export": ["onnx>=1.16", "flatbuffers>=24.3"],
}
EXTRAS["test"] = ["pytest>=8", "hypothesis>=6.100", "playwright>=1.45", "pytest-xdist>=3.6",
                  "onnxruntime>=1.19", "nbclient>=0.10", "ipykernel>=6.29"] + sum(EXTRAS.values(), [])
EXTRAS["dev"] = ["ruff>=0.6"]

setup(
    name="ecalgen",
    version="0.1.0",
    description="Calorimeter showers from generative networks in JAX, trained on and judged against Geant4",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=find_packages(include=["ecalgen", "ecalgen.*"]),
    package_data={"ecalgen": ["data/samples/*", "shipped/*/*", "evaluation/report/*.jinja",
                              "evaluation/report/sensitivity.json"]},
    install_requires=[
        "absl-py>=2.1",
        "array-record>=0.5",
        "flax>=0.10.6",
        "jax>=0.8",
        "Jinja2>=3.1",
        "matplotlib>=3.9",
        "ml-collections>=1.0",
        "mplhep>=0.3.50",
        "numpy>=2.0",
        "optax>=0.2.6",
        "orbax-checkpoint>=0.11.36",
        "scikit-learn>=1.5",
        "scipy>=1.13",
        "tensorflow-datasets>=4.9.9",
        "threadpoolctl>=3.1",
        "tqdm>=4.66",
    ],
    extras_require=EXTRAS,
)
