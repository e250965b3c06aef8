"""The page of an evaluation: a verdict in words, tables and figures, in one HTML file that needs nothing else."""
import pathlib

from ecalgen.evaluation.metrics.features import observable_columns
from ecalgen.evaluation.report import figures, physics_figures, tables
from ecalgen.evaluation.report.measures import CLASSIFIER, DISTANCE, MEMORISED, OBSERVABLE, PRD, measures
from ecalgen.evaluation.report.page import picture, write_page
from ecalgen.evaluation.report.sensitivity import eyesight
from ecalgen.evaluation.report.verdict import verdict
from ecalgen.evaluation.report.wording import feature_sets, number, text, words

SIGHT = {"prd": PRD, "c2st": CLASSIFIER, "observables": OBSERVABLE, "distances": DISTANCE, "memorisation": MEMORISED}
"""Section of the page -> the family of numbers whose eyesight it tells."""


def write_report(real, generated, evaluation, out_dir, metrics=None, title="Evaluation"):
    """Write `out_dir/report.html`, whole or not at all, and the figures in it as `out_dir/figures/*.png`.

    Args:
      real, generated: the `Showers` given to `evaluate`; of each, as many as it judged are drawn.
      evaluation: the dict of `evaluate`, with `provenance` and `training` where they are known.
      metrics: rows of `metrics.jsonl`, for the learning curves.
      title: heading of the page.

    Returns:
      Path of the page.
    """
    count, written = evaluation["showers"], _written(evaluation)
    pictures = _pictures(real[:count], generated[:count], evaluation, metrics)
    return write_page(pathlib.Path(out_dir) / "report.html", "report.html.jinja", pictures, title=title, **written)


def _written(evaluation):
    """What the page says and tabulates."""
    prd, c2st = evaluation["prd"], evaluation["c2st"]
    shown = list(measures(evaluation))
    sight = {word: eyesight(family, [name for kind, name in shown if kind == family])
             for word, family in SIGHT.items()}
    return dict(evaluation=evaluation, verdict=verdict(evaluation), showers=text(evaluation["showers"]), sight=sight,
                prd=tables.prd_table(prd), score=number(prd["score"]), judges=tables.judge_rows(c2st),
                bins=tables.bin_rows(c2st), observables=tables.observable_rows(evaluation["observables"]),
                distances=tables.distance_rows(evaluation), stress=tables.stress_rows(evaluation["stress"]),
                tables=tables.small_tables(evaluation))


def _pictures(real, generated, evaluation, metrics):
    """Every figure as `picture`, in the order of the page."""
    scores, columns = evaluation["observables"], [observable_columns(showers) for showers in (real, generated)]
    curves = "; ".join(f"{name} features reach AUC {number(entry['auc'])}, two real sets {number(entry['ceiling'])}"
                       for name, entry in feature_sets(evaluation["prd"]))
    distances = ", ".join(f"{words([name])} {number(scores[name]['w1'])}" for name in figures.LABELS)
    made = [
        ("distributions", "Observables", figures.distributions(*columns, scores),
         "Share of showers per bin, real (points) and generated (line, with the band of its statistical error), and "
         "the ratio generated / real below; triangles are ratios above 2, the outer bins hold what lies beyond. "
         "Above each panel, the Wasserstein-1 distance in real deviations, and the one between two real sets.",
         f"Six pairs of histograms with ratios; Wasserstein-1 distances: {distances}."),
        ("mean_response", "Mean response", figures.mean_response(real, generated),
         "Mean energy per cell over all showers, and generated / real; grey where there is nothing to show or divide.",
         "Maps of 30 by 30 cells: mean energy of real and of generated showers on one scale, and their ratio."),
    ]
    if bins := evaluation["response"]["bins"]:
        made.append(("response", "Linearity and resolution", physics_figures.response(bins),
                     "Mean visible fraction and its relative deviation in octaves of the incident energy, with 95 % "
                     "intervals; the band is that of other real showers.",
                     f"Visible fraction and resolution at {len(bins)} energies, real and generated."))
    made.append(("profiles", "Profiles", physics_figures.profiles(evaluation["profile"]),
                 "Mean energy per GeV of incident energy in bins along and across the track, and generated / real with "
                 "95 % intervals; the outermost bins hold what lies beyond, the band is that of other real showers.",
                 "Two profiles about the track, real and generated, with their ratios below."))
    made += [("verdict_by_condition", "Classifier by condition", physics_figures.verdict_by_condition(test["bins"]),
              "AUC of the classifier of observables and conditions in bins of the incident particle, with 95 % "
              "intervals; dashed, what cannot be told apart.",
              "Area under the ROC curve in bins of energy, angle, azimuth and entry point.")
             for test in evaluation["c2st"].values() if any(test.get("bins", {}).values())]
    if figures.paired(real, generated):
        made.append(("gallery", "Single showers", figures.gallery(real, generated),
                     "Real above generated showers of the same particle, on one log scale; grey cells hold no energy. "
                     "The cross is where the track passes the reference plane, 15 cm deep.",
                     "Pairs of maps of 30 by 30 cells: real showers above the generated ones of the same particles."))
    made.append(("prd_curves", "Precision and recall", figures.prd_curves(evaluation["prd"]),
                 "Precision against recall of the distributions (PRD); dashed, real against other real showers.",
                 f"Precision falls as recall rises: {curves}."))
    if any(name.endswith("loss") or name == "w1" for row in metrics or [] for name in row):
        made.append(("learning_curves", "Learning curves", figures.learning_curves(metrics),
                     "Losses of every stage and, where monitored, the mean Wasserstein-1 distance of the observables.",
                     "Lines of the training losses against the step."))
    return [picture(name, title, figures.png(figure), caption, alt) for name, title, figure, caption, alt in made]
