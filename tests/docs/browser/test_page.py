"""The page in the browser makes showers in headless Chromium, at the width of a desk and of a phone."""
import functools
import http.server
import re
import shutil
import threading

import documentation
import pytest

pytest.importorskip("mkdocs", reason="mkdocs, of the extra docs, is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright, of the extra test, is not installed")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no `chromium` on the PATH, such as Debian's")
MADE = "wanted => Number(document.getElementById('browser').dataset.showers) >= wanted"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *words):
        pass


@pytest.fixture(scope="module")
def address(shared_folder):
    folder = shared_folder("site", documentation.build_site)
    if not (folder / "browser" / "geant4.json").exists():
        pytest.skip("npm is not installed, or did not install onnxruntime-web")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/browser/"
        server.shutdown()


@pytest.fixture
def visit(address):
    """`visit(width)` opens the page; a fault, or a request to another host, fails the test."""
    faults = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM)

        def open_page(width):
            page = browser.new_page(viewport={"width": width, "height": 800})
            page.set_default_timeout(120_000)
            page.on("console", lambda message: faults.append(f"{message.type}: {message.text}"))
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("request", lambda request: faults.append(request.url)
                    if not request.url.startswith((address[:address.index("/", 8)], "data:", "blob:")) else None)
            page.goto(address)
            return page

        yield open_page
        browser.close()
    assert not faults


def numbers(page, name):
    """The numbers of one line, such as `3484 ± 3 MeV, σ 58.7`."""
    return [float(number) for number in re.findall(r"[\d.]+", page.inner_text(f"[data-name={name}]"))]


@pytest.mark.parametrize("width", [1280, 390])
def test_showers_are_those_of_geant4(visit, width):
    page = visit(width)
    page.wait_for_function(MADE, arg=200)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for index in range(3):
        (mean, error, deviation), (wanted, uncertainty, spread) = (
            numbers(page, f"{kind}-{index}") for kind in ("generated", "geant4"))
        assert abs(mean / wanted - 1) < 0.02 and 0.7 < deviation / spread < 1.4 and uncertainty < error
        assert page.evaluate("""index => { const canvas = document.querySelector(`[data-name=histogram-${index}]`);
            return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some(value => value); }
            """, index)


def test_another_particle_begins_anew(visit):
    page = visit(1280)
    page.wait_for_function(MADE, arg=100)
    before = numbers(page, "generated-0")[0]
    page.locator("[data-name=energy]").fill("4.0")
    page.wait_for_function(MADE, arg=50)
    assert page.inner_text("[data-name=energy-value]") == "54.6 GeV"
    assert numbers(page, "generated-0")[0] / before == pytest.approx(54.6 / 20.1, rel=0.03)
    assert numbers(page, "geant4-0")[0] == pytest.approx(numbers(page, "generated-0")[0], rel=0.02)


def test_a_pause_keeps_the_shower_and_another_one_may_be_asked_for(visit):
    page = visit(1280)
    page.wait_for_function(MADE, arg=20)
    page.click("[data-name=pause]")
    page.wait_for_timeout(1500)
    text, shower = (page.inner_text(f"[data-name={name}]") for name in ("status", "shower-0"))
    page.wait_for_timeout(500)
    assert page.inner_text("[data-name=status]") == text and page.inner_text("[data-name=shower-0]") == shower
    page.click("[data-name=another]")
    page.wait_for_function("before => document.querySelector('[data-name=shower-0]').innerText !== before", arg=shower)
    single = page.evaluate("document.querySelector('[data-name=cells]').toDataURL()")
    page.check("[data-name=mean]")
    assert page.evaluate("document.querySelector('[data-name=cells]').toDataURL()") != single
    page.hover("[data-name=cells]")
    assert re.fullmatch(r"cell \(1[45], 1[45]\): [\d.e+]+ MeV", page.inner_text("[data-name=cell]"))
