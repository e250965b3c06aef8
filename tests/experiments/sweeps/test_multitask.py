"""Multi-task training with and without the adversarial gradient in the regressor."""


def test_it_continues_table_1(experiment):
    """Its first variant and its settings are those of table 1, so that both may share a file of results."""
    table1, multitask, engine = (experiment(f"sweeps.{name}") for name in ("table1", "multitask", "engine"))
    ours, theirs = (module.make_parser().parse_args(["--recipe=paper", "--steps=12000"])
                    for module in (multitask, table1))
    assert engine.settings(ours) == engine.settings(theirs)
    through, apart = multitask.variants(ours).values()
    assert through.to_json() == table1.variants(theirs)["multitask"].to_json()
    apart.regressor.adversarial_gradient = True
    assert through.to_json() == apart.to_json()
