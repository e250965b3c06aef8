"""A page of the evaluation: one HTML file that needs nothing else, from a template beside this file."""
import base64
import pathlib

import jinja2

from ecalgen.machine.files import write_bytes


def picture(name, title, png, caption, alt):
    """One figure as the templates want it: PNG bytes `png`, which the page holds itself."""
    source = "data:image/png;base64," + base64.b64encode(png).decode()
    return {"name": name, "title": title, "png": png, "caption": caption, "alt": alt, "source": source}


def write_page(path, template, pictures, **values):
    """Write the page `path` and its pictures as `figures/*.png` beside it, each whole or not at all; return `path`."""
    (path.parent / "figures").mkdir(parents=True, exist_ok=True)
    for drawn in pictures:
        write_bytes(path.parent / "figures" / f"{drawn['name']}.png", drawn["png"])
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent), autoescape=True,
                                     undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    write_bytes(path, environment.get_template(template).render(pictures=pictures, **values).encode())
    return path
