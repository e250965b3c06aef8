"""Errors that a user can remedy; the command line prints them as one line, without a traceback."""


class UserError(ValueError):
    """Input, settings or files that cannot be used; the message names the thing and the remedy."""


class ConfigError(UserError):
    """A field of the config with a faulty value."""


class RunError(UserError):
    """A run that cannot start or go on as asked; the message says what to change."""
