"""What goes wrong by the user's hand: the command line prints these as one line, without a traceback."""


class UserError(ValueError):
    """Input, settings or files that cannot be used; the message names the thing and the remedy."""


class ConfigError(UserError):
    """A field of the config that cannot be as it is."""


class RunError(UserError):
    """A run that cannot start or go on as asked; the message says what to change."""
