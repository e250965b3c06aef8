"""Judge generated showers against real ones: every registered metric, with its settings, as one JSON-able dict."""
import json
import numbers
import time
from collections.abc import Collection

from ecalgen.data.showers import Showers, same_particles
from ecalgen.evaluation.metrics.prd import PROTOCOLS
from ecalgen.evaluation.metrics.registry import EvaluationError, Settings, metrics
from ecalgen.evaluation.sets import particle_codes, prepare_sets
from ecalgen.machine.files import write_text

FORMAT = 4


def evaluate(real: Showers, generated: Showers, reference: Showers | None = None, protocol: str = "paper",
             seed: int = 0, clusters: int | None = None, runs: int | None = None, bootstrap: int = 200,
             progress: bool = True, repeated: Showers | None = None, only: Collection[str] | None = None) -> dict:
    """All metrics of generated against real showers, with those of other real showers, as a JSON-able dict.

    Every set is cut to the size of the smallest, since a PRD-AUC and a Wasserstein distance depend on it. The size is
    recorded as `showers`. Copies are searched for among all showers of `reference`; `training_showers` is their number.

    If generated showers belong to the particles of the real ones, a PRD-AUC can exceed its ceiling, which belongs to
    other particles. `repeated` gives the ceiling of the same particles, from as many showers as it holds.

    Args:
      real: `Showers`, of the particles of `generated` or of the same beam.
      generated: `Showers`.
      reference: other real `Showers`, for the ceilings and reference distances. Give all showers on which the generator
        was trained, since copies of them are searched for. Without them, `generated` is compared with the first half of
        `real`, the second half is the reference, and no copies are searched for.
      protocol: one of PROTOCOLS, which sets the features, clusters and runs of the PRD.
      seed: of clusterings, folds and bootstraps.
      clusters: of the PRD, instead of those of the protocol.
      runs: of the PRD, instead of those of the protocol.
      bootstrap: resamplings of each interval.
      progress: whether to show progress bars.
      repeated: real `Showers` that Geant4 made a second time of the first particles of `real`, in their order.
        `generated` must belong to these particles, too.
      only: names of the metrics; all when None.

    Raises:
      EvaluationError: for an unknown protocol or metric, too few showers, an argument that is no `Showers`, showers
        without any energy or with tracks along the face, repeated showers of other particles, or a setting that is no
        whole number from 1.
    """
    _check_settings(protocol, seed, clusters=clusters, runs=runs, bootstrap=bootstrap)
    if isinstance(only, str):
        raise EvaluationError(f"only is the text {only!r}; give a list of names, [{only!r}]")
    if unknown := set(only or ()) - set(metrics()):
        raise EvaluationError(f"no metric is called {sorted(unknown)[0]!r}; there are {', '.join(metrics())}")
    chosen = PROTOCOLS[protocol]
    settings = Settings(seed, bootstrap, chosen.features, clusters or chosen.clusters, runs or chosen.runs, progress)
    sets = prepare_sets(real, generated, reference, repeated, settings.clusters, "" if clusters else protocol)
    about = {"format": FORMAT, "protocol": protocol, "showers": len(sets.real),
             "reference": "second half of real" if reference is None else "given",
             "conditions": "matched" if same_particles(*sets[:2]) else "marginal", "particles": particle_codes(sets),
             "seed": seed, "bootstrap": bootstrap}
    return about | _computed(sets, settings, metrics() if only is None else only)


def write_evaluation(path, result):
    """Write the dict as JSON, whole or not at all."""
    write_text(path, json.dumps(result, indent=1, allow_nan=False) + "\n")


def _computed(sets, settings, names):
    """{metric: its entry} of all of these that apply, and the seconds that each took."""
    result, seconds = {}, {}
    for name, metric in metrics().items():
        if name in names and metric.applies(sets):
            start = time.perf_counter()
            result[name] = metric.compute(sets, settings)
            _check_entry(name, result[name])
            seconds[name] = round(time.perf_counter() - start, 2)
    return result | {"seconds": seconds}


def _check_entry(name, entry):
    try:
        json.dumps(entry, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise EvaluationError(f"the metric {name!r} gives a value that JSON cannot hold ({error}); return finite "
                              "numbers, None, texts, lists and dicts") from error


def _check_settings(protocol, seed, **counts):
    """Refuse an unknown protocol and settings that are no whole numbers; clusters and runs may be None."""
    if not isinstance(protocol, str) or protocol not in PROTOCOLS:
        raise EvaluationError(f"no protocol is called {protocol!r}; there are {', '.join(PROTOCOLS)}")
    if not _is_whole(seed) or not 0 <= seed < 2**32:
        raise EvaluationError(f"seed is {seed!r}; it must be a whole number from 0 to {2**32 - 1}")
    for name, value in counts.items():
        if value is None and name != "bootstrap":
            continue
        if not _is_whole(value) or value < 1:
            raise EvaluationError(f"{name} is {value!r}; it must be a whole number, at least 1")


def _is_whole(value):
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)
