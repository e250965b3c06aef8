"""An evaluation of few clusters, runs and trees, for runs whose numbers no test looks at.

    python judging.py MODULE ARGUMENTS    # `python -m MODULE ARGUMENTS`, which judges quickly
"""
import dataclasses
import functools
import io
import runpy
import sys

from ecalgen.evaluation.metrics import c2st, prd
from ecalgen.evaluation.metrics.neural import image_classifier


def quick(replace=dict.__setitem__):
    """Make every evaluation of this process quick; each metric, fold and figure stays, but the figures are coarse.

    Args:
      replace: `(dict, name, value)`, such as `monkeypatch.setitem`, which undoes it at the end of a test.
    """
    for name, protocol in list(prd.PROTOCOLS.items()):
        replace(prd.PROTOCOLS, name, dataclasses.replace(protocol, clusters=20, runs=2))
    quick_classifiers(replace)
    from ecalgen.evaluation.report import figures
    replace(vars(figures), "png", _coarse)


def quick_classifiers(replace=dict.__setitem__):
    """Make every classifier of this process quick; `replace` as in `quick`."""
    for name, classifier in list(c2st.CLASSIFIERS.items()):
        make = functools.partial(image_classifier, epochs=1) if name == "images" else _few_trees
        replace(c2st.CLASSIFIERS, name, dataclasses.replace(classifier, make=make, folds=2))


def _coarse(figure):
    """A figure as PNG, in few pixels, without axes and without the search for a layout, which take most of the time."""
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_axis_off()
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=40)
    return file.getvalue()


def _few_trees(seed):
    from sklearn.ensemble import HistGradientBoostingClassifier
    return HistGradientBoostingClassifier(early_stopping=False, random_state=seed, max_iter=3)


if __name__ == "__main__":
    quick()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
