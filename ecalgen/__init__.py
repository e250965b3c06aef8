"""Calorimeter showers from generative networks in JAX, trained on and judged against Geant4.

The public names are imported when they are first used, so that `import ecalgen` is quick.
"""
import importlib
import typing

if typing.TYPE_CHECKING:
    from ecalgen.data.files.formats import iter_showers, load_showers
    from ecalgen.data.files.writer import ShowerWriter, save_showers
    from ecalgen.data.grid import Grid
    from ecalgen.data.observables import observables
    from ecalgen.data.showers import Showers
    from ecalgen.evaluation.evaluate import evaluate
    from ecalgen.sampling.sampler import Sampler, load_sampler, make_sampler
    from ecalgen.sampling.shipped import list_models

__version__ = "0.2.0"

MODULES = {
    "Grid": "ecalgen.data.grid",
    "Sampler": "ecalgen.sampling.sampler",
    "ShowerWriter": "ecalgen.data.files.writer",
    "Showers": "ecalgen.data.showers",
    "evaluate": "ecalgen.evaluation.evaluate",
    "iter_showers": "ecalgen.data.files.formats",
    "list_models": "ecalgen.sampling.shipped",
    "load_sampler": "ecalgen.sampling.sampler",
    "load_showers": "ecalgen.data.files.formats",
    "make_sampler": "ecalgen.sampling.sampler",
    "observables": "ecalgen.data.observables",
    "save_showers": "ecalgen.data.files.writer",
}
"""Public name -> the module that defines it."""
__all__ = ["Grid", "Sampler", "ShowerWriter", "Showers", "evaluate", "iter_showers", "list_models", "load_sampler",
           "load_showers", "make_sampler", "observables", "save_showers"]


def __getattr__(name: str) -> typing.Any:
    """The object of a public name; Python calls this when the name is not yet in the package."""
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(MODULES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(globals().keys() | MODULES.keys())
