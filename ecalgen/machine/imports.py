"""A user's own functions, named on the command line or in a config as `module:function`."""
import importlib

from ecalgen.errors import UserError


def import_named(name):
    """The object that `module:function` names.

    Raises:
      UserError: the name has no such form, the module cannot be imported, or it holds no such object.
    """
    module, colon, function = name.partition(":")
    if not (module and colon and function):
        raise UserError(f"{name!r} does not have the form module:function")
    try:
        return getattr(importlib.import_module(module), function)
    except Exception as error:  # the module may be anyone's, and fail in any way
        raise UserError(f"{name} cannot be imported ({error}); give module:function, of a module in this folder or "
                        "installed") from error
