"""The recipes: the files in `configs/` of a clone. An installed package holds them in this folder."""
import pathlib

__path__ = [str(pathlib.Path(__file__).parents[2] / "configs")]
