"""What each metric can see, by experiments with real showers that were spoiled in known ways, in words."""
import functools
import json
import pathlib

from ecalgen.evaluation.report.wording import text

WHERE = pathlib.Path(__file__).parent / "sensitivity.json"
"""Responses in deviations, of every headline number to every distortion; from `experiments/checks/sensitivity.py`."""
SEEN, UNSEEN = 5.0, 2.0
"""Deviations that a number must move to be said to see a distortion, and not to."""


@functools.cache
def load_sensitivity(path=WHERE):
    """{"showers": N, "responses": family -> name -> distortion -> response}."""
    return json.loads(path.read_text())


def eyesight(family, names):
    """What numbers of a family can see, in a sentence; empty where none of them was tried.

    The best of the numbers counts, as one of them that sees a distortion is enough.

    Args:
      family: of `measures`.
      names: of its numbers.
    """
    known = load_sensitivity()
    tried = [found for name, found in known["responses"][family].items() if name in names]
    if not tried:
        return ""
    best = {distortion: max(found[distortion] for found in tried) for distortion in tried[0]}
    seen = [distortion for distortion, moved in best.items() if moved >= SEEN]
    missed = [distortion for distortion, moved in best.items() if moved < UNSEEN]
    hardly = [distortion for distortion in best if distortion not in seen + missed]
    said = f"Of {len(best)} ways in which {text(known['showers'])} real showers were spoiled, "
    said += "this number " if len(tried) == 1 else "even the keenest of these numbers "
    said += (f"saw (by {SEEN:g} deviations or more) only: {_listed(seen)}" if len(seen) < len(missed) else
             f"missed (by less than {UNSEEN:g} deviations): {_listed(missed)}")
    return said + (f"; hardly seen: {_listed(hardly)}." if hardly else ".")


def _listed(distortions):
    return ", ".join(distortions) or "none"
