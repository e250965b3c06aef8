"""Steps at equal time."""


def test_equal_time_is_equal_steps_for_the_same_recipe_and_fewer_for_a_slower_one(experiment, monkeypatch):
    module, anchored = experiment("sweeps.equal_time"), experiment("sweeps.ablation").anchored
    usual, slower, alone = (anchored.get_config("cpu") for _ in range(3))
    slower.generator.latent = 3 * usual.generator.latent
    alone.stages = ("prior",)
    monkeypatch.setattr(module, "make_steps", lambda config: lambda: config.generator.latent)
    monkeypatch.setattr(module, "_timed", lambda step: step())
    variants = {"full": anchored.get_config("cpu"), "slower": slower, "alone": alone}
    assert module.equal_steps(variants, usual, 1_200) == {"full": 1_200, "slower": 400, "alone": 1_200}
