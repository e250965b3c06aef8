"""An evaluation in words: what is good, what is off, and what to beware of."""
import math

from scipy.stats import norm

from ecalgen.evaluation.report.wording import feature_sets, interval, number, text, words

SHOWERS_PER_CLUSTER = 2
"""Of each set; below it, the noise of the histograms drowns most differences."""
LABELS = ("Good", "Off", "Beware")


def verdict(evaluation):
    """What is good, what is off, by how much, and what to beware of: `{"Good", "Off", "Beware"}`, without empty ones.

    Good is what other real showers could have given: a number whose 95 % interval touches that of two real sets; of a
    classifier, an interval that reaches down to 0.5 or to the AUC between two real sets.
    Beware of what was done to the files, of a PRD-AUC above its ceiling, which copies of the real showers would get, of
    one from so few showers (below SHOWERS_PER_CLUSTER) that it hardly sees a difference, of other particles or those of
    another beam, and of showers too near to those trained on. Where Geant4 repeated particles, their PRD-AUC is that
    ceiling.
    """
    said = [*_notes(evaluation), *_prd(evaluation["prd"]), *_classifiers(evaluation["c2st"]),
            *_observables(evaluation["observables"]),
            *_distance(evaluation["physics_distance"]["fpd"]), *_response(evaluation["response"]["bins"]),
            *_conditions(evaluation["condition_distances"]), *_memorised(evaluation.get("memorisation"))]
    parts = {label: [sentence for other, sentence in said if other == label] for label in LABELS}
    return {label: f"{'; '.join(sentences)}." for label, sentences in parts.items() if sentences}


def spoken(said):
    """What `verdict` said for a terminal: a label, and below it a line a finding."""
    return "\n".join("\n  ".join([f"{label}:", *sentence.split("; ")]) for label, sentence in said.items())


def _notes(evaluation):
    for note in evaluation.get("notes", []):
        yield "Beware", note
    codes = {name: found for name, found in (evaluation.get("particles") or {}).items() if found}
    if len({tuple(found) for found in codes.values()}) > 1:
        listed = ", ".join(f"{text(found)} ({name})" for name, found in codes.items())
        yield "Beware", f"particle codes differ: {listed}"


def _prd(prd):
    for name, entry in sorted(feature_sets(prd), key=lambda item: item[1]["ratio"] or 0):
        said = (f"{name} PRD-AUC {number(entry['auc'])} against a real-versus-real ceiling of "
                f"{number(entry['ceiling'])} (ratio {number(entry['ratio'], 2)})")
        if excess := _excess(entry):
            yield "Beware", f"{said}: {excess}"
        else:
            yield _mark(entry["interval"][1] >= entry["ceiling_interval"][0]), said
    if entry["n"] < SHOWERS_PER_CLUSTER * entry["clusters"]:
        yield "Beware", (f"{text(entry['n'])} showers a set are few for {entry['clusters']} clusters: PRD-AUC hardly "
                         "sees a difference")


def _excess(entry):
    """In what a PRD-AUC exceeds what real showers reach; of the same particles, where Geant4 repeated some."""
    if "matched_auc" not in entry:
        return ("it exceeds what other real showers reach, as that of copies would, and as it may where the generated "
                "showers have the very conditions of the real ones"
                if entry["interval"][0] > entry["ceiling_interval"][1] else "")
    return (f"at {text(entry['matched_n'])} particles that Geant4 repeated, {number(entry['matched_auc'])} exceeds the "
            f"{number(entry['matched_ceiling'])} of the repeated showers, as that of copies would"
            if entry["matched_interval"][0] > entry["matched_ceiling_interval"][1] else "")


def _classifiers(c2st):
    for judge, test in c2st.items():
        fair = test["interval"][0] <= max(0.5, test["floor"])
        yield _mark(fair), (f"a classifier {'cannot tell' if fair else 'tells'} generated from real by "
                            f"{words([judge])} (AUC {number(test['auc'])} {interval(test['interval'])}, "
                            f"{number(test['floor'])} between real sets)")


def _observables(observables):
    ranked = sorted(observables.items(), key=lambda item: item[1]["w1"])
    fair = [name for name, entry in ranked if entry["w1_interval"][0] <= entry["w1_reference_interval"][1]]
    if fair:
        yield "Good", f"{len(fair)} of {len(ranked)} observables as close as two real sets ({words(fair)})"
    if len(fair) < len(ranked):
        name, entry = next(item for item in reversed(ranked) if item[0] not in fair)
        yield "Off", (f"{len(ranked) - len(fair)} of {len(ranked)} observables are further, the furthest "
                      f"{words([name])} with Wasserstein-1 {number(entry['w1'])} deviations against "
                      f"{number(entry['w1_reference'])} between real sets")


def _distance(fpd):
    fair = fpd["interval"][0] <= fpd["reference_interval"][1]
    yield _mark(fair), (f"Frechet physics distance {number(fpd['value'])} against {number(fpd['reference'])} between "
                        "real sets")


def _response(bins):
    """The bin of energy that is furthest off, among those apart from both real sets."""
    for name, title in (("mean", "visible fraction"), ("resolution", "resolution")):
        apart = [entry for entry in bins if _apart(entry, name, len(bins))]
        if bins and not apart:
            yield "Good", f"{title} as in real showers at all energies"
        if apart:
            shift = lambda entry, name=name: (entry["generated"][name] / entry["real"][name] - 1
                                              if entry["real"][name] > 0 else math.inf)
            worst = max(apart, key=lambda entry: abs(shift(entry)))
            yield "Off", (f"{title} off in {len(apart)} of {len(bins)} bins of energy, most by "
                          f"{number(100 * shift(worst), 1)} % at {worst['low']:g} to {worst['high']:g} GeV")


def _conditions(conditions):
    name, entry = max(conditions.items(), key=lambda item: item[1]["w1_interval"][0])
    if entry["w1_interval"][0] > entry["w1_reference_interval"][1]:
        yield "Beware", (f"the generated showers belong to other particles than the real ones ({words([name])} with "
                         f"Wasserstein-1 {number(entry['w1'])} deviations against {number(entry['w1_reference'])} "
                         "between real sets), which all numbers see")


def _memorised(memorisation):
    if memorisation and memorisation["interval"][0] > memorisation["quantile"]:
        yield "Beware", (f"{number(100 * memorisation['share'], 1)} % of the generated showers lie closer to a "
                         f"training shower than {100 * memorisation['quantile']:g} % of other real ones do, as copies "
                         "would, and as showers smoother than real ones may")


def _apart(entry, name, bins):
    """Whether generated showers differ from both real sets by more than the largest of so many bins would by chance.

    That is by z deviations with P(|normal| > z) = 5 % / bins (Bonferroni), one being half an interval over 1.96.
    """
    limit = norm.isf(0.025 / bins)
    error = lambda kind: (entry[kind][f"{name}_interval"][1] - entry[kind][f"{name}_interval"][0]) / (2 * 1.96)
    ours = entry["generated"]
    return all(abs(ours[name] - entry[kind][name]) > limit * math.hypot(error("generated"), error(kind))
               for kind in ("real", "reference"))


def _mark(fair):
    return "Good" if fair else "Off"
