"""Calorimeter showers from generative networks in JAX, trained on and judged against Geant4."""
from ecalgen.data.files.formats import ShowerWriter, iter_showers, load_showers, save_showers
from ecalgen.data.observables import observables
from ecalgen.data.showers import Showers
from ecalgen.evaluation.evaluate import evaluate
from ecalgen.sampling.sampler import load_sampler, make_sampler

__all__ = ["ShowerWriter", "Showers", "evaluate", "iter_showers", "load_sampler", "load_showers", "make_sampler",
           "observables", "save_showers"]
