"""ecalgen simulate geant4|gflash|generator --events N --seed S --out FILE: simulated showers in a file."""
import argparse
import dataclasses

from ecalgen.errors import UserError
from ecalgen.machine.host import cores
from ecalgen.sampling.production import Production, generate, parametrise, produce
from ecalgen.simulation.beam import BEAMS, PARTICLES, SPECTRA
from ecalgen.simulation.calorimeter import CALORIMETERS
from ecalgen.simulation.geant4 import PHYSICS, Setup


def main(argv=None):
    """Simulate as the command line says; a user's error ends in one line, not a traceback."""
    args = make_parser().parse_args(argv)
    try:
        production = Production(make_setup(args), args.events, args.first, args.chunk)
        if args.simulation == "geant4":
            path = produce(production, args.out, args.workers, args.data, args.dtype, args.scheduler)
        elif args.simulation == "generator":
            path = generate(production, args.model, args.out, args.dtype)
        else:
            path = parametrise(production, args.out, args.dtype)
    except (UserError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    except KeyboardInterrupt:
        kept = "goes on after the chunks that are finished" if args.simulation == "geant4" else "begins anew"
        raise SystemExit(f"interrupted; the same command {kept}") from None
    print(f"{args.events} showers in {path}")


def make_setup(args):
    """The `Setup` that the options describe; other fields are those of the named beam."""
    beam = BEAMS[args.beam or ("layered" if args.calorimeter == "layered" else "5d")]
    options = {field.name: getattr(args, field.name, None) for field in dataclasses.fields(beam)}
    beam = dataclasses.replace(beam, **{name: value for name, value in options.items() if value is not None})
    names = ("physics", "cut", "repeat") if args.simulation == "geant4" else ()
    physics = {name: getattr(args, name) for name in names}
    return Setup(CALORIMETERS[args.calorimeter], beam, args.seed, **physics)


def make_parser():
    """The options; `--help` explains them."""
    parser = argparse.ArgumentParser(prog="ecalgen simulate", description=__doc__.split(": ")[1])
    commands = parser.add_subparsers(dest="simulation", required=True)
    common = argparse.ArgumentParser(add_help=False)
    add = common.add_argument
    add("--events", type=int, required=True, help="how many showers")
    add("--seed", type=int, required=True, help="of the sequence of events")
    add("--out", required=True, help="file to write: .npz, .root or .h5")
    add("--first", type=int, default=0, help="index of the first event in the sequence of its seed (0)")
    add("--calorimeter", choices=CALORIMETERS, default="shashlik", help="what is hit (shashlik)")
    add("--beam", choices=BEAMS, help="5d: all varies; 1d: normal incidence at the centre, only the energy varies; "
                                      "layered: the AdaGAN paper's. The options below change parts of it")
    add("--particle", choices=PARTICLES, help="(e-)")
    add("--energy", type=energies, metavar="E or LOW,HIGH", help="GeV: fixed, or between two (1,100)")
    add("--spectrum", choices=SPECTRA, help="of energies: density 1/E, or flat (reciprocal; uniform in layered)")
    add("--slope", type=pair, metavar="TX,TY", help="mean px/pz and py/pz (0,0)")
    add("--slope-spread", type=float, metavar="S", help="their standard deviation (0.175; 0 in 1d)")
    add("--track", type=place, metavar="X,Y", help="centre of the square that tracks cross 15 cm behind the "
                                                         "front face, cm (0,0)")
    add("--track-spread", type=length, metavar="D", help="its half width, cm (1.01; 0 in 1d)")
    add("--dtype", choices=("float32", "float16"), default="float32", help="of the energies; float16 rounds by 0.05 %%")
    full = commands.add_parser("geant4", parents=[common], help="real Geant4 (extra geant4)")
    full.add_argument("--physics", choices=PHYSICS, default="standard",
                      help="standard: the electromagnetic part of FTFP_BERT; fast: quicker, the same visible energy; "
                           "option1 and option2: quicker still, but wrong in thin tiles (standard)")
    full.add_argument("--cut", type=float, default=0.7, help="production cut, mm (0.7)")
    full.add_argument("--repeat", type=int, default=0, help="k: the same particles for the k-th time again, with other "
                                                            "random numbers (0: the first time)")
    full.add_argument("--chunk", type=int, help="events simulated and kept at a time (a fiftieth of all, at most 100)")
    full.add_argument("--workers", type=int, default=cores(), help="processes (one a core)")
    full.add_argument("--scheduler", metavar="ADDRESS or FILE.json",
                      help="of a Dask cluster that simulates in place of --workers (extra dask)")
    full.add_argument("--data", help="folder of Geant4's data ($GEANT4_DATA_DIR, or where its wheel downloads to)")
    fast = commands.add_parser("gflash", parents=[common], help="parametrised showers (Grindhammer and Peters)")
    trained = commands.add_parser("generator", parents=[common], help="showers of a trained generator")
    trained.add_argument("--model", default="anchored", help="a run's folder, or what ships (anchored)")
    for quick in (fast, trained):
        quick.set_defaults(chunk=10_000)
    return parser


def pair(text):
    """`0.1,0` as two numbers."""
    try:
        x, y = (float(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not two numbers, such as 0.1,0") from None
    return x, y


def energies(text):
    """`20` or `1,100` as (lowest, highest)."""
    return pair(text if "," in text else f"{text},{text}")


def length(text):
    """cm -> mm."""
    return 10 * float(text)


def place(text):
    """`0.5,0` in cm -> mm."""
    return tuple(10 * x for x in pair(text))


if __name__ == "__main__":
    main()
