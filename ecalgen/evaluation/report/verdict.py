"""An evaluation in words: what is good, what is off, and warnings."""
from ecalgen.evaluation.metrics.registry import EvaluationError, entries
from ecalgen.evaluation.wording import text

LABELS = ("Good", "Off", "Beware")


def verdict(evaluation):
    """{"Good", "Off", "Beware"} -> the sentences of all metrics, without empty labels.

    A number is good if other real showers could have given it: its 95 % interval meets or beats that between two real
    sets. An AUC is good if its interval reaches down to 0.5, or to the AUC between real sets. The warnings begin with
    what was changed in the files.
    """
    said = {label: [] for label in LABELS}
    for label, sentence in [*_notes(evaluation), *_sentences(evaluation)]:
        said[label].append(sentence)
    return {label: f"{'; '.join(sentences)}." for label, sentences in said.items() if sentences}


def spoken(said):
    """A verdict as text for a terminal: each label, and one line for each sentence."""
    return "\n".join("\n  ".join([f"{label}:", *sentence.split("; ")]) for label, sentence in said.items())


def _sentences(evaluation):
    for metric, entry in entries(evaluation):
        for label, sentence in metric.verdict(entry):
            if label not in LABELS:
                raise EvaluationError(f"the verdict of the metric {metric.name!r} has the label {label!r}; it must be "
                                      f"one of {', '.join(LABELS)}")
            yield label, sentence


def _notes(evaluation):
    for note in evaluation.get("notes", []):
        yield "Beware", note
    codes = {name: found for name, found in (evaluation.get("particles") or {}).items() if found}
    if len({tuple(found) for found in codes.values()}) > 1:
        listed = ", ".join(f"{text(found)} ({name})" for name, found in codes.items())
        yield "Beware", f"particle codes differ: {listed}"
