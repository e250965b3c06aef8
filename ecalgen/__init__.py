"""Calorimeter showers from generative networks in JAX, trained on and judged against Geant4.

The public names are imported when they are first used, so that `import ecalgen` is quick.
"""
import importlib

MODULES = {
    "ShowerWriter": "ecalgen.data.files.writer",
    "Showers": "ecalgen.data.showers",
    "evaluate": "ecalgen.evaluation.evaluate",
    "iter_showers": "ecalgen.data.files.formats",
    "load_sampler": "ecalgen.sampling.sampler",
    "load_showers": "ecalgen.data.files.formats",
    "make_sampler": "ecalgen.sampling.sampler",
    "observables": "ecalgen.data.observables",
    "save_showers": "ecalgen.data.files.writer",
}
"""Public name -> the module that defines it."""
__all__ = list(MODULES)


def __getattr__(name):
    """The object of a public name; Python calls this when the name is not yet in the package."""
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(MODULES[name]), name)
    globals()[name] = found
    return found


def __dir__():
    return sorted(globals().keys() | MODULES.keys())
