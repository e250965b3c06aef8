"""Which known distortions of real showers each metric detects, in words."""
import functools
import json
import pathlib

from ecalgen.evaluation.wording import text

WHERE = pathlib.Path(__file__).parent / "sensitivity.json"
"""Response of every headline number to every distortion, in standard deviations (experiments/checks/sensitivity.py)."""
SEEN, UNSEEN = 5.0, 2.0
"""A number sees a distortion that moves it by SEEN standard deviations, and misses one that moves it by less than
UNSEEN."""


@functools.cache
def load_sensitivity(path=WHERE):
    """{"showers": N, "responses": family -> name -> distortion -> response}."""
    return json.loads(path.read_text())


def describe(family, names):
    """A sentence on the distortions that numbers of a family see; empty where none of them was tried.

    For each distortion, the largest response of the numbers counts.

    Args:
      family: title of the family.
      names: of the numbers.
    """
    known = load_sensitivity()
    tried = [found for name, found in known["responses"].get(family, {}).items() if name in names]
    if not tried:
        return ""
    best = {distortion: max(found[distortion] for found in tried) for distortion in tried[0]}
    seen = [distortion for distortion, moved in best.items() if moved >= SEEN]
    missed = [distortion for distortion, moved in best.items() if moved < UNSEEN]
    hardly = [distortion for distortion in best if distortion not in seen + missed]
    said = f"Of {len(best)} ways of distorting {text(known['showers'])} real showers, "
    said += "this number " if len(tried) == 1 else "even the most sensitive of these numbers "
    said += (f"saw (by {SEEN:g} standard deviations or more) only: {_listed(seen)}" if len(seen) < len(missed) else
             f"missed (by less than {UNSEEN:g} standard deviations): {_listed(missed)}")
    return said + (f"; hardly seen: {_listed(hardly)}." if hardly else ".")


def _listed(distortions):
    return ", ".join(distortions) or "none"
