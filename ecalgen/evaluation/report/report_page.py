"""The page of one evaluation: a verdict in words, tables and figures, in one HTML file that needs no other file."""
import pathlib

from ecalgen.data.showers import same_particles
from ecalgen.evaluation.metrics.features import observable_columns
from ecalgen.evaluation.metrics.precision_recall import feature_sets
from ecalgen.evaluation.report import figures, physics_figures
from ecalgen.evaluation.report.page import picture, write_page
from ecalgen.evaluation.report.tables import sections, small_tables
from ecalgen.evaluation.report.verdict import verdict
from ecalgen.evaluation.wording import number, text, words


def write_report(real, generated, evaluation, out_dir, metrics=None, title="Evaluation"):
    """Write `out_dir/report.html`, whole or not at all, and its figures to `out_dir/figures/*.png`.

    Args:
      real, generated: the `Showers` given to `evaluate`; as many of each are drawn as it judged.
      evaluation: the dict of `evaluate`, with `provenance` and `training` where they are known.
      metrics: rows of `metrics.jsonl`, for the learning curves.
      title: heading of the page.

    Returns:
      Path of the page.
    """
    count = evaluation["showers"]
    written = dict(title=title, verdict=verdict(evaluation), showers=text(count), sections=sections(evaluation),
                   matched=evaluation.get("conditions") == "matched", tables=small_tables(evaluation))
    made = [*_observables(real[:count], generated[:count], evaluation), *_physics(evaluation),
            *_single_showers(real[:count], generated[:count]), *_prd_curves(evaluation["prd"]),
            *_learning_curves(metrics or [])]
    pictures = [picture(name, heading, figures.png(figure), caption, alt)
                for name, heading, figure, caption, alt in made]
    return write_page(pathlib.Path(out_dir) / "report.html", "report.html.jinja", pictures, **written)


def _observables(real, generated, evaluation):
    scores, columns = evaluation["observables"], [observable_columns(showers) for showers in (real, generated)]
    distances = ", ".join(f"{words([name])} {number(scores[name]['w1'])}" for name in figures.LABELS)
    yield ("distributions", "Observables", figures.distributions(*columns, real.lateral[0].size, scores),
           "Share of showers in each bin, real (points) and generated (line, with the band of its statistical error), "
           "above the ratio generated / real. Triangles are ratios above 2. The outer bins also hold the values beyond "
           "them. Above each panel are the Wasserstein-1 distance in standard deviations of the real showers, and the "
           "one between two real sets.",
           f"Six pairs of histograms with ratios; Wasserstein-1 distances: {distances}.")
    yield ("mean_response", "Mean response", figures.mean_response(real, generated),
           "Mean energy of each cell over all showers, and generated / real. Cells without energy are grey.",
           "Maps of cells: mean energy of real and of generated showers on one scale, and their ratio.")


def _physics(evaluation):
    if bins := evaluation["response"]["bins"]:
        yield ("response", "Linearity and resolution", physics_figures.response(bins),
               "Mean visible fraction and its relative standard deviation in octaves of the incident energy, with 95 % "
               "intervals. The band is the interval of other real showers.",
               f"Visible fraction and resolution at {len(bins)} energies, real and generated.")
    yield ("profiles", "Profiles", physics_figures.profiles(evaluation["profile"]),
           "Mean energy per GeV of incident energy in bins along and across the track, and generated / real with 95 % "
           "intervals. The outermost bins also hold the energy beyond them. The band is the interval of other real "
           "showers.",
           "Two profiles about the track, real and generated, with their ratios below.")
    if "depth" in evaluation["profile"]:
        yield ("depth_profile", "Profile in depth", physics_figures.depth_profile(evaluation["profile"]),
               "Mean energy per GeV of incident energy in each layer, and generated / real with 95 % intervals. The "
               "band is the interval of other real showers.",
               "The longitudinal profile, real and generated, with its ratio below.")
    for test in evaluation["c2st"].values():
        if any(test.get("bins", {}).values()):
            figure = physics_figures.verdict_by_condition(test["bins"])
            yield ("verdict_by_condition", "Classifier by condition", figure,
                   "AUC of the classifier of observables and conditions in bins of the incident particle, with 95 % "
                   "intervals. The dashed line is the AUC of sets that cannot be told apart.",
                   "Area under the ROC curve in bins of energy, angle, azimuth and entry point.")


def _single_showers(real, generated):
    if same_particles(real, generated):
        yield ("gallery", "Single showers", figures.gallery(real, generated),
               "Real above generated showers of the same particle, on one log scale. Grey cells hold no energy. The "
               f"cross is where the track crosses the reference plane, {real.grid.reference_depth:g} cm deep.",
               "Pairs of maps of cells: real showers above the generated ones of the same particles.")


def _prd_curves(prd):
    curves = "; ".join(f"{name} features reach AUC {number(entry['auc'])}, two real sets {number(entry['ceiling'])}"
                       for name, entry in feature_sets(prd))
    yield ("prd_curves", "Precision and recall", figures.prd_curves(prd),
           "Precision against recall of the distributions (PRD); dashed, real against other real showers.",
           f"Precision falls as recall rises: {curves}.")


def _learning_curves(metrics):
    if any(name.endswith("loss") or name == "w1" for row in metrics for name in row):
        yield ("learning_curves", "Learning curves", figures.learning_curves(metrics),
               "Losses of every stage and, where it was monitored, the mean Wasserstein-1 distance of the observables.",
               "Lines of the training losses against the step.")
