"""Every field of a recipe, with its unit or source; the other configs override some of them."""
import ml_collections
from ml_collections import config_dict


def get_config():
    """The fields that all systems share."""
    config = ml_collections.ConfigDict()
    config.system = "base"  # name of the recipe's file
    config.preset = "full"  # and the options that were chosen, for the name of the folder
    config.seed = 0  # of initial parameters, batches and noise

    config.data = data = ml_collections.ConfigDict()
    data.source = "ecal_shashlik/electron_5d"  # a TFDS name, or the path of a file of showers
    data.dir = config_dict.placeholder(str)  # TFDS folder; its default when None
    data.conventions = "detect"  # units and axes of a file are detected; as_is takes them as they are
    data.columns = ml_collections.ConfigDict()  # of a file whose columns have other names than ours, see docs/files.md
    data.columns.energy = config_dict.placeholder(str)  # cells
    data.columns.momentum = config_dict.placeholder(tuple)  # one name, or those of px, py and pz
    data.columns.incident_energy = config_dict.placeholder(str)  # in place of the momentum
    data.columns.direction = config_dict.placeholder(tuple)  # of the particle of that energy; along z without it
    data.columns.point = config_dict.placeholder(tuple)  # one name, or those of x and y
    data.columns.pdg = config_dict.placeholder(str)  # PDG code of the particle
    data.tree = config_dict.placeholder(str)  # of a ROOT file, or group of an HDF5 file; the usual one when None
    data.calorimeter = config_dict.placeholder(str)  # of a file that does not say its grid: a name in data/grid.py
    data.grid = ml_collections.ConfigDict()  # or its cells, see data/grid.py
    data.grid.shape = config_dict.placeholder(tuple)  # cells along x and y, and along z where the depth is read out
    data.grid.pitch = config_dict.placeholder(tuple)  # cm, along each of these axes
    data.grid.reference_depth = config_dict.placeholder(float)  # cm
    data.grid.symmetries = config_dict.placeholder(int)  # 8, 4 or 1
    data.grid.radii = config_dict.placeholder(tuple)  # cm, edges of rings; cells are then sectors of rings
    data.binning = config_dict.placeholder(str)  # or a binning file of the calorimeter challenge
    data.on_device = 200_000  # training showers (3.6 kB each) at most; more stream, in blocks of half this number
    data.transform = ml_collections.ConfigDict(dict(name="sqrt", scale=100.0))  # scale in MeV

    config.init = config_dict.placeholder(str)  # a shipped generator or a run's folder to start from; None: afresh
    config.stages = ("gan",)  # what is trained, in this order
    # name: one of models/build.py; the other fields are the arguments of the class of that name
    config.generator = ml_collections.ConfigDict()
    config.discriminator = ml_collections.ConfigDict()
    config.regressor = ml_collections.ConfigDict()  # of the auxiliary systems, see aux_multitask.py; empty without one

    config.train = train = ml_collections.ConfigDict()
    train.steps = 100_000  # of the stage; one of a GAN updates the discriminator, then the generator
    train.batch_size = 256  # showers a step on all devices together
    train.discriminator_steps = 1  # updates of the discriminator a step
    train.generator_rate = 5e-4  # learning rate of Adam
    train.discriminator_rate = 1e-3  # learning rate of Adam
    train.constant_fraction = 0.5  # of the steps are at these rates, which then fall linearly
    train.final_fraction = 0.1  # of the rates, at the last step
    train.warmup = 0  # steps in which the rates rise linearly from 0; part of the constant ones
    train.clip = 10.0  # global norm of the gradients
    train.loss = "hinge"  # or wasserstein, relativistic (real and generated shower as a pair), module:name of your own
    train.r1 = 0.0  # weight of the penalty on the discriminator's gradient at real showers
    train.r2 = 0.0  # the same at generated showers
    train.r1_every = 1  # steps from one of these penalties to the next, which are multiplied by this number
    train.gradient_penalty = 0.0  # weight of the penalty on (norm - 1)^2, between real and generated showers
    train.energy_score = 0.0  # weight of the distance in features of two generated showers and a real one
    train.energy_features = "observables"  # whitened; rings: and lit neighbours; regressor: its outputs and embedding
    train.ema = 0.999  # decay a step of the average of the generator's parameters, which makes the showers
    train.log_every = 100  # steps
    train.checkpoint_every = 1_000  # steps, a multiple of log_every
    train.divergence = 1e4  # a loss above it stops the run

    config.evaluation = evaluation = ml_collections.ConfigDict()
    evaluation.protocol = "paper"  # or competition: features, clusters and runs of the PRD
    evaluation.showers = 5_000  # generated, and as many real ones of the test split
    evaluation.bootstrap = 200  # resamplings of the showers for each interval

    config.tensorboard = False  # also write a TensorBoard log (extra tensorboard)
    return config


def keep(config, section, *names):
    """Leave only these fields in a section of the config, so that no field can be set that the system does not use."""
    for name in set(config[section]) - set(names):
        del config[section][name]


def split_options(preset, **options):
    """`"cpu,regressor=cnn"` -> `("cpu", {"regressor": "cnn", ...})`; any part may be missing.

    Args:
      options: name -> what it may be, its default first.

    Raises:
      ValueError: an unknown option, or another choice.
    """
    parts = [part for part in preset.split(",") if part]
    given = dict(part.split("=", 1) for part in parts if "=" in part)
    presets = [part for part in parts if "=" not in part]
    known = ", ".join(f"{name}=..." for name in options)
    if unknown := [name for name in given if name not in options]:
        raise ValueError(f"there is no option {unknown[0]}=...; this recipe has {known}")
    if len(presets) > 1:
        raise ValueError(f"{preset!r} is not one preset and {known}, with a comma between them")
    for name, choice in given.items():
        if choice not in options[name]:
            raise ValueError(f"{name}={choice} is not one of {', '.join(options[name])}")
    return (presets or [""])[0], {name: given.get(name, next(iter(choices))) for name, choices in options.items()}


def name_choices(config, chosen, **options):
    """The config, whose `preset` also names the choices that are not the options' defaults, so that runs differ."""
    others = [choice for name, choice in chosen.items() if choice != next(iter(options[name]))]
    config.preset = "-".join([config.preset, *others])
    return config


def apply_preset(config, preset, presets):
    """Override fields by the preset of that name; none is the full recipe.

    Args:
      presets: name -> {"train.steps": 10, ...}.

    Raises:
      ValueError: for an unknown name.
    """
    if not preset:
        return config
    if preset not in presets:
        options = "; this recipe has no options (aux_twostep has regressor= and targets=)" if "=" in preset else ""
        raise ValueError(f"preset {preset!r} is not one of {', '.join(presets)}{options}")
    config.preset = preset
    config.update_from_flattened_dict(presets[preset])
    return config
