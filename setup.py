"""The package ecalgen, its dependencies and extras."""
import pathlib
import re

from setuptools import find_packages, setup

ROOT = pathlib.Path(__file__).parent
VERSION = re.search('__version__ = "(.*)"', (ROOT / "ecalgen" / "__init__.py").read_text(encoding="utf-8"))[1]
README = re.sub("!\\[.*?\\]\\(.*?\\)\n", "", (ROOT / "README.md").read_text(encoding="utf-8"))
ABOUT = re.sub(r"\[([^\]]*)\]\((?!http)[^)]*\)", r"\1", README)
"""The README without pictures and links into the repository."""
EXTRAS = {
    "cuda12": ["jax[cuda12]>=0.8"],
    "tpu": ["jax[tpu]>=0.8"],
    "geant4": ["geant4-pybind>=0.1.3"],
    "root": ["uproot>=5.3", "awkward>=2.6"],
    "hdf5": ["h5py>=3.10"],
    "stream": ["grain>=0.2.10"],
    "tensorboard": ["tensorboardX>=2.6"],
    "dask": ["distributed>=2024.8"],
    "export": ["onnx>=1.16", "flatbuffers>=24.3"],
    "docs": ["mkdocs-material>=9.5", "mkdocstrings-python>=1.12", "pymdown-extensions>=10.9",
             "onnx>=1.16"],
}
EXTRAS["test"] = ["pytest>=8", "hypothesis>=6.100", "playwright>=1.45", "pytest-xdist>=3.6", "mypy>=1.11",
                  "onnxruntime>=1.19", "nbclient>=0.10", "ipykernel>=6.29"] + sum(
    (EXTRAS[name] for name in EXTRAS if name not in ("cuda12", "tpu")), [])
EXTRAS["dev"] = ["ruff>=0.6", "pre-commit>=3.7"]

setup(
    name="ecalgen",
    version=VERSION,
    description="Calorimeter showers from generative networks in JAX, trained on and judged against Geant4",
    long_description=ABOUT,
    long_description_content_type="text/markdown",
    author="The ecalgen developers",
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords=["calorimeter", "fast simulation", "Geant4", "GAN", "JAX", "high-energy physics"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Operating System :: MacOS",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Physics",
        "Typing :: Typed",
    ],
    project_urls={
        "Papers: auxiliary regressor": "https://arxiv.org/abs/2207.06329",
        "Papers: self-attention GAN": "https://doi.org/10.1051/epjconf/202125103043",
    },
    python_requires=">=3.11",
    packages=find_packages(include=["ecalgen", "ecalgen.*"]),
    package_dir={"ecalgen.configs": "configs"},
    package_data={"ecalgen": ["py.typed", "data/samples/*", "shipped/*.json", "shipped/*/*",
                              "evaluation/report/*.jinja", "evaluation/report/sensitivity.json"]},
    entry_points={"console_scripts": ["ecalgen = ecalgen.cli:main"]},
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
        "shtab>=1.7",
        "tensorflow-datasets>=4.9.9",
        "threadpoolctl>=3.1",
        "tqdm>=4.66",
    ],
    extras_require=EXTRAS,
)
