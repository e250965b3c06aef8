"""The page is complete, safe, self-contained HTML, and its verdict agrees with the numbers."""
import copy
import html.parser
import re

import evaluations
import pytest

from ecalgen.data.showers import Showers
from ecalgen.evaluation.report import figures
from ecalgen.evaluation.report.report_page import write_report

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
    """Draw figures at few pixels, for tests of the text."""
    png = figures.png
    monkeypatch.setattr(figures, "png", lambda figure: png(figure, dpi=20))


def test_report_is_one_whole_page(tmp_path, showers, generated, evaluation):
    before = copy.deepcopy(evaluation)
    metrics = [{"stage": "gan", "step": step, "generator_loss": 1 / step, "seconds": 1.0} for step in (1, 2, 3)]
    path = write_report(showers, generated, evaluation, tmp_path / "run", metrics, title="baseline (cpu)")
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
                  "7.8 to 12 GeV 3.2°, 0.46 cm", "17.12 ± 0.05 17.12 ± 0.05",
                  "1.23 % [0.90, 1.50] of the generated showers"):
        assert words in page.text
    assert "1/√N" not in page.text and "Geant4 repeated" not in page.text


def test_report_escapes_what_it_is_given(tmp_path, showers, generated, evaluation, quick):
    evaluation["provenance"]["command"] = HOSTILE
    source = write_report(showers, generated, evaluation, tmp_path, title=HOSTILE).read_text(encoding="utf-8")
    page = Page(source)
    assert "script" not in page.tags
    assert page.text.count(HOSTILE) == 3  # the tab, the heading and the command
    assert "trees <of> some kind" in page.text
    assert "learning" not in page.text


def test_report_does_without_what_may_be_absent(tmp_path, showers, evaluation, quick):
    """There is no provenance, no training, a number is None, and the showers belong to different particles."""
    del evaluation["provenance"], evaluation["training"], evaluation["memorisation"]
    del evaluation["c2st"]["observables_and_conditions"]["bins"]
    evaluation["stress"]["points"], evaluation["response"]["bins"] = [], []
    evaluation["prd"]["raw"]["ceiling_std"] = None
    evaluation["showers"] = 200
    page = Page(write_report(showers[:200], showers[200:], evaluation, tmp_path).read_text(encoding="utf-8"))
    assert "0.723 ± –" in page.text and "regressor" not in page.text
    assert not [words for words in ("Provenance", "Single showers", "Stress", "Memorisation") if words in page.text]
    assert len(page.images) == 4


def test_report_shows_the_ceiling_of_repeated_particles(tmp_path, showers, generated, evaluation, quick):
    evaluation["prd"]["raw"] |= {
        "matched_n": 1200, "matched_auc": 0.7011, "matched_std": 0.002, "matched_interval": [0.69, 0.71],
        "matched_ceiling": 0.7321, "matched_ceiling_std": 0.003, "matched_ceiling_interval": [0.722, 0.742]}
    evaluation["c2st"]["observables"] |= {"matched_n": 1200, "matched_auc": 0.622, "matched_interval": [0.61, 0.63],
                                          "matched_floor": 0.498, "matched_floor_interval": [0.48, 0.51]}
    page = Page(write_report(showers, generated, evaluation, tmp_path).read_text(encoding="utf-8"))
    for words in ("At particles that Geant4 repeated 0.701 ± 0.002 –",
                  "Ceiling there, repeated against real 0.732 ± 0.003",
                  "95 % interval of that ceiling [0.722, 0.742]", "N of these 1\u202f200",
                  "Observables, at 1\u202f200 particles that Geant4 repeated 0.622 [0.610, 0.630] 0.498 [0.480, 0.510]",
                  "made showers of the first particles a second time"):
        assert words in page.text, words


def test_report_lists_what_a_regressor_predicts(tmp_path, showers, generated, evaluation, quick):
    evaluation["regressor"] = {
        "delta_x": {"weight": 0.5, "unexplained": 0.312, "w1": 0.0421, "w1_reference": 0.018},
        "mine:count": {"weight": 1.0, "unexplained": 1.0, "w1": None, "w1_reference": 0.02}}
    page = Page(write_report(showers, generated, evaluation, tmp_path).read_text(encoding="utf-8"))
    assert "weight 0.5; leaves 31.2 % of its variance" in page.text and "generated showers 0.042" in page.text
    assert "generated showers –, of other real ones 0.020" in page.text


def test_report_draws_the_showers_that_were_judged(tmp_path, showers, generated, evaluation, quick, monkeypatch):
    sizes = []
    draw = figures.mean_response
    monkeypatch.setattr(figures, "mean_response",
                        lambda real, ours: sizes.extend([len(real), len(ours)]) or draw(real, ours))
    write_report(showers, generated, evaluation, tmp_path)
    assert sizes == [300, 300]


def test_a_failing_report_leaves_the_old_one(tmp_path, showers, generated, evaluation, quick):
    (tmp_path / "report.html").write_text("old")
    del evaluation["c2st"]["observables"]["floor"]
    with pytest.raises(KeyError):
        write_report(showers, generated, evaluation, tmp_path)
    assert (tmp_path / "report.html").read_text() == "old"
