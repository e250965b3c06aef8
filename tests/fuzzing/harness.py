"""What every area of the fuzz script shares: one hostile input is tried, and its outcome is named."""
import collections
import contextlib
import dataclasses
import pathlib
import tempfile
import warnings
from collections.abc import Callable

import numpy as np

from ecalgen.errors import UserError


@dataclasses.dataclass(frozen=True)
class Trial:
    """One hostile input.

    Args:
      kind: what was done to the input, such as `cut` or `wrong type`.
      call: gives the input to the product.
      sound: checks what `call` returns where the input is accepted; it raises where that is not sound.
    """

    kind: str
    call: Callable
    sound: Callable = lambda result: None


def outcome(trial):
    """`refused` or `accepted`; anything else that happens is raised.

    A refusal is one `UserError` (or the `SystemExit` of a command) with a message of one line. An accepted input may
    warn, but must give a sound result.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            result = trial.call()
    except (UserError, SystemExit) as error:
        message = str(error)
        if not message.strip() or "\n" in message.strip() or "Traceback" in message:
            raise AssertionError(f"the refusal is not one clear line: {message!r}") from error
        return "refused"
    trial.sound(result)
    return "accepted"


def survey(draw, cases, seed, first=0):
    """Try many inputs of one area.

    Args:
      draw: (rng, an empty folder) -> `Trial`; case `i` depends only on the seed and `i`.
      cases: how many inputs.
      seed: of the inputs.
      first: index of the first one.

    Returns:
      {"cases", "refused", "accepted", "kinds": {kind: cases}, "faults": [{"case", "kind", "fault"}]}.
    """
    counts, kinds, faults = collections.Counter(), collections.Counter(), []
    for case in range(first, first + cases):
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            trial = draw(np.random.default_rng([seed, case]), pathlib.Path(folder))
            kinds[trial.kind] += 1
            try:
                counts[outcome(trial)] += 1
            except Exception as error:  # noqa: BLE001  any other exception is a fault of the product
                faults.append({"case": case, "kind": trial.kind, "fault": f"{type(error).__name__}: {error}"[:300]})
    return {"cases": cases, "refused": counts["refused"], "accepted": counts["accepted"], "kinds": dict(kinds),
            "faults": faults}
