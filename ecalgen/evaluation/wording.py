"""Numbers and names of an evaluation as text for a reader."""
import math
import numbers


def words(names):
    """Names with spaces for underscores, separated by commas."""
    return ", ".join(name.replace("_", " ") for name in names)


def number(value, digits=3):
    """A number with a fixed number of decimals; a dash for None and for a number that is not finite."""
    return f"{value:.{digits}f}".replace("-", "−") if value is not None and math.isfinite(value) else "–"


def moments(mean, deviation):
    """Mean ± deviation, to three digits of the deviation; deviations below 1e-6 are powers of ten."""
    if 0 < deviation < 1e-6:
        return f"{text(mean)} ± {text(deviation)}"
    digits = max(0, 2 - math.floor(math.log10(deviation))) if deviation > 0 else 3
    return f"{number(mean, digits)} ± {number(deviation, digits)}"


def bracketed(bounds, digits=3):
    """[low, high] of a pair; a dash for None."""
    if bounds is None:
        return "–"
    return f"[{number(bounds[0], digits)}, {number(bounds[1], digits)}]"


def text(value):
    """Any JSON value: thousands are set apart, fractions have four digits, and items of lists and dicts have commas."""
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
