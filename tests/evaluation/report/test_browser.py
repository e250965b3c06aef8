"""Headless Chromium, driven by Playwright, finds no fault of the pages, at the width of a phone and of a desk."""
import functools
import shutil

import evaluations
import pytest

from ecalgen.data.showers import Showers
from ecalgen.evaluation.evaluate import write_evaluation
from ecalgen.evaluation.report import figures
from ecalgen.evaluation.report.compare import write_comparison
from ecalgen.evaluation.report.report_page import write_report

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright, of the extra test, is not installed")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no `chromium` on the PATH, such as Debian's")

LONG = "a-run-with_a_very_long_name_of_more_than_sixty_letters_2026-11-22_14-30-00"
CONTRAST = """() => {
  const light = text => text.match(/[0-9.]+/g).slice(0, 3).map(part => part / 255)
    .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = element => {
    const colour = getComputedStyle(element).backgroundColor;
    return colour === "rgba(0, 0, 0, 0)" ? behind(element.parentElement) : colour;
  };
  return Math.min(...[...document.querySelectorAll("h1, h2, p, strong, th, td, figcaption")].map(element => {
    const pair = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => b - a);
    return (pair[0] + 0.05) / (pair[1] + 0.05);
  }));
}"""
"""The smallest contrast between a text and its background, as WCAG 2 defines it."""


@pytest.fixture(scope="module")
def pages(showers, tmp_path_factory):
    """A report with figures of real showers, at few pixels, and a comparison of three runs, with invented numbers."""
    folder, evaluation = tmp_path_factory.mktemp("pages"), evaluations.evaluation()
    evaluation["provenance"]["commit"] = 40 * "f"
    for name, changes in (("judged", {}), (LONG, {"showers": 200}), ("old", {"format": 2, "correlation": None})):
        (folder / name).mkdir()
        write_evaluation(folder / name / "evaluation.json", evaluation | changes)
    generated = Showers(1.1 * showers.energy, showers.momentum, showers.point)
    metrics = [{"stage": "gan", "step": step, "generator_loss": 1 / step} for step in (1, 2, 3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "png", functools.partial(figures.png, dpi=30))
        written = write_report(showers, generated, evaluation, folder / "judged", metrics, title=LONG)
        compared, _ = write_comparison([folder / name for name in ("judged", LONG, "old")], folder)
    return {"report": written, "compare": compared}


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, pages):
    """`visit(name, width, scheme)` opens a page at a width in px, light or dark; a fault of the page fails the test."""
    opened, faults = [], []

    def open_page(name, width, scheme="light"):
        page = browser.new_page(viewport={"width": width, "height": 740}, color_scheme=scheme)
        opened.append(page)
        page.on("console", lambda message: faults.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: faults.append(request.url)
                if not request.url.startswith(("file:", "data:")) else None)
        page.goto(pages[name].as_uri())
        return page

    yield open_page
    for page in opened:
        page.close()
    assert not faults


@pytest.mark.parametrize("name", ["report", "compare"])
@pytest.mark.parametrize("width", [360, 390, 1280, 1600])
def test_nothing_is_wider_than_the_screen(visit, name, width):
    page = visit(name, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = page.evaluate("""width => [...document.querySelectorAll("main *, header *")].filter(element =>
        element.getBoundingClientRect().right > width + 1 && !element.closest("thead")).map(e => e.outerHTML)""", width)
    assert not cut


@pytest.mark.parametrize("width", [390, 1280, 1600])
def test_numbers_stay_on_their_line(visit, width):
    """A line of digits is as high as one line of its cell."""
    page = visit("report", width)
    broken = page.evaluate("""() => [...document.querySelectorAll("span.n")].filter(cell =>
        [...cell.getClientRects()].filter(line => line.width).length >
        cell.innerText.trim().split("\\n").length).map(cell => cell.innerText)""")
    assert page.locator("span.n").count() > 20 and not broken


def test_contents_and_figures_are_linked(visit, pages):
    page = visit("report", 1280)
    for link in page.locator("nav a").all():
        assert page.locator(link.get_attribute("href")).count() == 1
    downloads = [link.get_attribute("href") for link in page.locator("figcaption a").all()]
    assert len(downloads) >= 8 and all((pages["report"].parent / path).exists() for path in downloads)


def test_what_is_off_is_a_list(visit):
    assert visit("report", 390).locator(".box.off li").count() > 1


@pytest.mark.parametrize("name, least", [("report", 8), ("compare", 1)])
def test_every_figure_is_drawn_and_described(visit, name, least):
    page = visit(name, 360)
    drawn = page.locator("figure").all()
    assert len(drawn) >= least
    for figure in drawn:
        image = figure.locator("img")
        assert image.evaluate("image => image.complete && image.naturalWidth > 0")
        assert len(image.get_attribute("alt")) > 40
        assert len(figure.locator("figcaption").inner_text()) > 40


@pytest.mark.parametrize("name", ["report", "compare"])
def test_light_and_dark_are_both_readable(visit, name):
    grounds = {}
    for scheme in ("light", "dark"):
        page = visit(name, 360, scheme)
        grounds[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert page.evaluate(CONTRAST) >= 4.5
    assert grounds == {"light": "rgb(251, 251, 250)", "dark": "rgb(20, 22, 26)"}


@pytest.mark.parametrize("name", ["report", "compare"])
def test_it_prints_in_black_on_white(visit, name):
    page = visit(name, 700, "dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
