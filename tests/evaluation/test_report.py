"""The page is whole, safe, self-contained HTML whose verdict says what the numbers say."""
import copy
import html.parser
import json
import re

import evaluations
import pytest
from evaluations import distance, feature_set, judged, physics_distance, response

from ecalgen.data.showers import Showers
from ecalgen.evaluation import report

HOSTILE = "<script>alert('title')</script> & \"quotes\""
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(html.parser.HTMLParser):
    """Tags, images and visible text of a page; fails on tags that do not close in order."""

    def __init__(self, source):
        super().__init__()
        self.open, self.tags, self.images, self.words, self.attributes = [], [], [], [], []
        self.figures = []
        self.feed(source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "figure":
            self.figures.append([])
        if self.open and "figure" in self.open:
            self.figures[-1].append(tag)
        if tag == "img":
            self.images.append(dict(attrs))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return re.sub("[ \n]+", " ", " ".join(self.words))


@pytest.fixture
def evaluation():
    return evaluations.evaluation()


@pytest.fixture(scope="module")
def generated(showers):
    return Showers(1.1 * showers.energy, showers.momentum, showers.point)


@pytest.fixture
def quick(monkeypatch):
    """Figures at few pixels, for the tests that look at the words."""
    png = report.figures.png
    monkeypatch.setattr(report.figures, "png", lambda figure: png(figure, dpi=20))


def test_report_is_one_whole_page(tmp_path, showers, generated, evaluation):
    before = copy.deepcopy(evaluation)
    metrics = [{"stage": "gan", "step": step, "generator_loss": 1 / step, "seconds": 1.0} for step in (1, 2, 3)]
    path = report.write_report(showers, generated, evaluation, tmp_path / "run", metrics, title="baseline (cpu)")
    source = path.read_text(encoding="utf-8")
    page = Page(source)
    assert path == tmp_path / "run" / "report.html"
    assert evaluation == before
    names = {"distributions", "mean_response", "gallery", "prd_curves", "learning_curves", "response", "profiles",
             "verdict_by_condition"}
    assert {file.stem for file in (path.parent / "figures").iterdir()} == names
    assert sorted(file.name for file in path.parent.iterdir()) == ["figures", "report.html"]
    assert len(page.images) == len(names)
    for image in page.images:
        assert image["src"].startswith("data:image/png;base64,")
        assert len(image["alt"]) > 40
    assert all({"img", "figcaption"} <= set(tags) for tags in page.figures)
    assert not {"script", "link", "iframe"} & set(page.tags)
    without_images = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", source)
    assert not re.search(r"https?:|//|@import|url\(", without_images)
    assert not re.search(r"\bnan\b|\bNone\b|\bTrue\b|\binf\b", page.text)
    for words in ("baseline (cpu)", "1\u202f280\u202f000", "612.3", "jax 0.10.2, flax 0.12.8", "f9fa4e7",
                  "0.717 ± 0.004", "[0.601, 0.621]", "−1.250 ± 0.310", "Clusters 400 400", "Runs averaged 10 10",
                  "At infinite N, in 1/N 0.767 ± 0.015", "1\u202f250 (10), 625 (2)",
                  "8.130 ± 0.020", "[0.0049, 0.0053]", "0.012 0.004", "10 GeV, 15°, track at (0, 0.5) cm",
                  "7.8 to 12 GeV 3.2°, 0.46 cm", "17.12 ± 0.05 17.12 ± 0.05", "1.23 % [0.90, 1.50] of the generated"):
        assert words in page.text
    assert "1/√N" not in page.text


def test_report_escapes_what_it_is_given(tmp_path, showers, generated, evaluation, quick):
    evaluation["provenance"]["command"] = HOSTILE
    source = report.write_report(showers, generated, evaluation, tmp_path, title=HOSTILE).read_text(encoding="utf-8")
    page = Page(source)
    assert "script" not in page.tags
    assert page.text.count(HOSTILE) == 3  # the tab, the heading and the command
    assert "trees <of> some kind" in page.text
    assert "learning" not in page.text


def test_report_does_without_what_may_be_absent(tmp_path, showers, evaluation, quick):
    """No provenance, no training, unpaired showers, and a number that could not be had."""
    del evaluation["provenance"], evaluation["training"], evaluation["memorisation"]
    del evaluation["c2st"]["observables_and_conditions"]["bins"]
    evaluation["stress"]["points"], evaluation["response"]["bins"] = [], []
    evaluation["prd"]["raw"]["ceiling_std"] = None
    evaluation["showers"] = 200
    page = Page(report.write_report(showers[:200], showers[200:], evaluation, tmp_path).read_text(encoding="utf-8"))
    assert "0.723 ± –" in page.text
    assert not [words for words in ("Provenance", "Single showers", "Stress", "Memorisation") if words in page.text]
    assert len(page.images) == 4


def test_report_draws_the_showers_that_were_judged(tmp_path, showers, generated, evaluation, quick, monkeypatch):
    sizes = []
    draw = report.figures.mean_response
    monkeypatch.setattr(report.figures, "mean_response",
                        lambda real, ours: sizes.extend([len(real), len(ours)]) or draw(real, ours))
    report.write_report(showers, generated, evaluation, tmp_path)
    assert sizes == [300, 300]


def test_a_failing_report_leaves_the_old_one(tmp_path, showers, generated, evaluation, quick):
    (tmp_path / "report.html").write_text("old")
    del evaluation["c2st"]["observables"]["floor"]
    with pytest.raises(KeyError):
        report.write_report(showers, generated, evaluation, tmp_path)
    assert (tmp_path / "report.html").read_text() == "old"


def test_verdict_quotes_the_numbers(evaluation):
    assert report.verdict(evaluation) == {
        "Good": "raw PRD-AUC 0.717 against a real-versus-real ceiling of 0.723 (ratio 0.99); 3 of 9 observables as "
                "close as two real sets (longitudinal asymmetry, transverse asymmetry, delta x); resolution as in real "
                "showers at all energies.",
        "Off": "physics PRD-AUC 0.611 against a real-versus-real ceiling of 0.927 (ratio 0.66); a classifier tells "
               "generated from real by observables (AUC 0.981 [0.977, 0.985], 0.503 between real sets); a classifier "
               "tells generated from real by observables and conditions (AUC 0.981 [0.977, 0.985], 0.503 between real "
               "sets); 6 of 9 observables are further, the furthest transverse width with Wasserstein-1 0.351 "
               "deviations against 0.020 between real sets; Frechet physics distance 8.130 against 0.310 between real "
               "sets; visible fraction off in 1 of 2 bins of energy, most by 10.0 % at 2 to 4 GeV.",
    }


def test_verdict_of_a_perfect_generator(evaluation):
    evaluation["prd"] = {"embedding": feature_set(0.93, 0.93), "legacy": feature_set(0.94, 0.93), "score": 0.93}
    evaluation["c2st"] = {"cells": judged() | {"auc": 0.51, "interval": [0.495, 0.525]}}
    evaluation["observables"] = {"delta_x": distance(0.02)}
    evaluation["physics_distance"], evaluation["response"] = physics_distance(0.33), response()
    verdict = report.verdict(json.loads(json.dumps(evaluation)))
    assert list(verdict) == ["Good"]
    assert "embedding" in verdict["Good"] and "cannot tell generated from real by cells (AUC 0.510" in verdict["Good"]


def test_verdict_warns_of_copies_and_of_few_showers(evaluation):
    evaluation["prd"] = {"raw": feature_set(0.9, 0.4) | {"n": 300}, "score": 0.9}
    evaluation["memorisation"] |= {"share": 0.05, "interval": [0.04, 0.06]}
    assert report.verdict(evaluation)["Beware"] == (
        "raw PRD-AUC 0.900 against a real-versus-real ceiling of 0.400 (ratio 2.25): it exceeds what other real "
        "showers reach, as that of copies would, and as it may where the generated showers have the very conditions of "
        "the real ones; 300 showers a set are few for 400 clusters: "
        "PRD-AUC hardly sees a difference; 5.0 % of the generated showers lie closer to a training shower than 1 % of "
        "other real ones do, as copies would, and as showers smoother than real ones may.")


def test_verdict_warns_of_another_beam(evaluation):
    evaluation["condition_distances"]["log_energy"] = distance(0.5)
    assert report.verdict(evaluation)["Beware"].startswith(
        "the generated showers belong to other particles than the real ones (log energy with Wasserstein-1 0.500 ")


def test_verdict_warns_of_what_was_done_to_files_and_of_other_particles(evaluation):
    evaluation["notes"] = ["mine.npz: EnergyDeposit converted from GeV to MeV"]
    evaluation["particles"] = {"real": [11], "generated": [22], "reference": None}
    assert report.verdict(evaluation)["Beware"] == (
        "mine.npz: EnergyDeposit converted from GeV to MeV; particle codes differ: 11 (real), 22 (generated).")


@pytest.mark.parametrize("auc, floor, said", [
    ([0.51, 0.471, 0.551], 0.428, "cannot tell"),  # not told apart, though two real sets happen to lie lower
    ([0.533, 0.515, 0.553], 0.511, "tells"), ([0.52, 0.505, 0.53], 0.52, "cannot tell")])
def test_a_classifier_tells_where_its_interval_leaves_one_half_and_the_floor(evaluation, auc, floor, said):
    evaluation["c2st"] = {"cells": judged() | {"auc": auc[0], "interval": auc[1:], "floor": floor}}
    assert f"a classifier {said} generated from real by cells" in "".join(report.verdict(evaluation).values())


def test_one_of_many_bins_is_off_by_chance(evaluation):
    """2.2 errors: off in a single bin, at 5 % / 20 not (3.0 errors); its interval meets neither real one's alike."""
    value = lambda mean: {"mean": mean, "mean_interval": [mean - 0.00196, mean + 0.00196], "resolution": 0.05,
                          "resolution_interval": [0.04, 0.06]}
    entry = {"low": 1.0, "high": 2.0, "real": value(0.17), "generated": value(0.17 + 2.2 * 0.001 * 2**0.5),
             "reference": value(0.17)}
    for bins, label in ((1, "Off"), (20, "Good")):
        evaluation["response"]["bins"] = [entry] + [entry | {"generated": value(0.17)}] * (bins - 1)
        assert "visible fraction" in report.verdict(evaluation)[label]


def test_verdict_of_a_hopeless_generator(evaluation):
    evaluation["prd"]["raw"] = feature_set(0.1, 0.723)
    evaluation["observables"] = {"delta_x": distance(3.0), "delta_y": distance(4.0)}
    for entry in evaluation["response"]["bins"]:
        entry["generated"] = {"mean": 0.1, "mean_interval": [0.1, 0.1], "resolution": 1, "resolution_interval": [1, 1]}
    verdict = report.verdict(evaluation)
    assert list(verdict) == ["Off"]
    assert verdict["Off"].startswith("raw PRD-AUC 0.100") and "delta y with Wasserstein-1 4.000" in verdict["Off"]
