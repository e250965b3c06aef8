"""The regressors of figure 3, from bad to good on purpose."""
import json


def test_they_differ_in_length_widths_and_what_they_see_of_the_particle(experiment):
    module = experiment("sweeps.figure3")
    configs = module.variants(module.make_parser().parse_args([]))
    fits = {name: config.regressor for name, config in configs.items()}
    assert len(fits) >= 8 and fits["blind"].steps == 4_000 and fits["blind, 1/80"].steps == 50
    assert [fits[name].conditional for name in ("blind", "late", "early")] == [False, True, True]
    assert [fits[name].early for name in ("blind", "late", "early")] == [False, False, True]
    others = {json.dumps(config.to_dict() | {"regressor": None}) for config in configs.values()}
    assert len(others) == 1  # all else is the same


def test_the_regressors_alone_are_those_of_the_figure(experiment):
    """They share the folder and the settings that are part of the recipe."""
    figure3, alone = experiment("sweeps.figure3"), experiment("sweeps.regressors")
    ours, theirs = alone.make_parser().parse_args([]), figure3.make_parser().parse_args([])
    assert ours.workdir == theirs.workdir and ours.results.name == "figure3_regressors.json"
    assert all(getattr(ours, name) == getattr(theirs, name) for name in ("steps", "preset", "recipe", "seeds"))
