"""The picture of a report in the README: the page's head, its observables and its showers, drawn by a browser.

    python -m experiments.tables.report_picture runs/anchored/report.html

It needs Playwright, and `chromium` on the PATH.
"""
import io
import pathlib
import shutil

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from experiments.command import new_parser

WIDTH = 1000
"""Width of the window, in pixels."""
COLUMNS = ((".verdict", "figure.gallery img"), ("figure.distributions img",))
"""Parts of the page in each column, from top to bottom."""


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__)
    parser.add_argument("report", type=pathlib.Path, help="the report of a run")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs/report.png"), help="(docs/report.png)")
    return parser


def main():
    """Open the page without a window, draw the parts, and join them."""
    args = make_parser().parse_args()
    from playwright.sync_api import sync_playwright
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": WIDTH, "height": 800})
        page.goto(args.report.resolve().as_uri())
        args.out.parent.mkdir(parents=True, exist_ok=True)
        drawn = [[plt.imread(io.BytesIO(page.locator(part).first.screenshot()))[..., :3] for part in column]
                 for column in COLUMNS]
        browser.close()
    below = [joined(column, axis=0) for column in drawn]
    pixels = np.uint8(255 * joined(below, axis=1))
    Image.fromarray(pixels).quantize(128).save(args.out, optimize=True)
    print(args.out)


def joined(pictures, axis, gap=16):
    """Pictures `[H, W, 3]` below each other (axis 0) or beside each other (axis 1), on white."""
    length = max(picture.shape[1 - axis] for picture in pictures)
    pads = [[(0, gap), (0, length - picture.shape[1 - axis])] for picture in pictures]
    return np.concatenate([np.pad(picture, [*(pad[::-1] if axis else pad), (0, 0)], constant_values=1)
                           for picture, pad in zip(pictures, pads, strict=True)], axis)


if __name__ == "__main__":
    main()
