"""Pages of the evaluation: each is one HTML file that needs no other file, from a template in this folder."""
import base64
import pathlib
import re

import jinja2

from ecalgen.machine.files import write_bytes


def picture(name, title, png, caption, alt):
    """A figure for the templates, with its PNG bytes `png` as the source."""
    source = "data:image/png;base64," + base64.b64encode(png).decode()
    return {"name": name, "title": title, "png": png, "caption": caption, "alt": alt, "source": source}


def write_page(path, template, pictures, **values):
    """Write the page `path`, and its pictures to `figures/*.png` beside it, each whole or not at all; return `path`."""
    (path.parent / "figures").mkdir(parents=True, exist_ok=True)
    for drawn in pictures:
        write_bytes(path.parent / "figures" / f"{drawn['name']}.png", drawn["png"])
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent), autoescape=True,
                                     undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["anchor"], environment.tests["numeric"] = anchor, is_numeric
    write_bytes(path, environment.get_template(template).render(pictures=pictures, **values).encode())
    return path


def anchor(heading):
    """`Wasserstein-1 distance` -> `wasserstein-1-distance`, which names the section in a link."""
    return re.sub(r"\W+", "-", heading.lower()).strip("-")


def is_numeric(cell):
    """Whether each line of a cell is a few numbers, such as a value with its interval, which must not break."""
    return bool(re.fullmatch(r"([\d.,\[\]()/±%+\-− ]{1,32}\n?)+", str(cell)))
