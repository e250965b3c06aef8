"""Numbers and names of an evaluation as a reader wants them."""
import math
import numbers


def feature_sets(prd):
    """(name, entry) of each set of features, leaving out the score beside them."""
    return [(name, entry) for name, entry in prd.items() if isinstance(entry, dict)]


def words(names):
    """Names of a program, for a reader."""
    return ", ".join(name.replace("_", " ") for name in names)


def number(value, digits=3):
    """A fixed number of decimals; a dash for what is missing or not finite."""
    return f"{value:.{digits}f}".replace("-", "−") if value is not None and math.isfinite(value) else "–"


def moments(mean, deviation):
    """Both with the decimals that show three digits of the deviation; a tiny one as a power of ten."""
    if 0 < deviation < 1e-6:
        return f"{text(mean)} ± {text(deviation)}"
    digits = max(0, 2 - math.floor(math.log10(deviation))) if deviation > 0 else 3
    return f"{number(mean, digits)} ± {number(deviation, digits)}"


def interval(bounds, digits=3):
    """Both ends in brackets; a dash for none."""
    if bounds is None:
        return "–"
    return f"[{number(bounds[0], digits)}, {number(bounds[1], digits)}]"


def text(value):
    """Any JSON value for a reader: thousands apart, four digits of a fraction, lists and dicts with commas."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {text(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(text, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, numbers.Integral):
        return f"{value:,}".replace(",", "\u202f").replace("-", "−")
    if value is None or isinstance(value, numbers.Real) and not math.isfinite(value):
        return "–"
    return f"{value:.4g}".replace("-", "−") if isinstance(value, numbers.Real) else str(value)
