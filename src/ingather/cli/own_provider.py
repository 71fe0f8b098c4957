"""A provider of one's own on the command line: ``--provider module:factory``, or ``FILE.py:factory``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ingather.errors import SetupError

if TYPE_CHECKING:
    from types import ModuleType

    from ingather.providers.plugins import Factory


def factory_at(written: str) -> Factory:
    """The factory that is meant. Raises SetupError where it is not there, or cannot be imported."""
    place, _, name = written.rpartition(":")
    if not place or not name.isidentifier():
        raise SetupError(f"--provider is module:factory or FILE.py:factory, not {written!r}")
    sys.path.insert(0, str(Path(place).parent.resolve() if place.endswith(".py") else Path.cwd()))
    try:
        module = _loaded(place)
    except Exception as error:
        raise SetupError(
            f"--provider: {place} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    finally:
        del sys.path[0]
    factory = getattr(module, name, None)
    if not callable(factory):
        raise SetupError(f"--provider: {place} has no function or class {name!r}")
    return factory  # type: ignore[no-any-return]  # what is imported so has no type


def _loaded(place: str) -> ModuleType:
    if not place.endswith(".py"):
        return importlib.import_module(place)
    spec = importlib.util.spec_from_file_location(f"ingather_provider_{Path(place).stem}", place)
    if spec is None or spec.loader is None:
        raise ImportError("it is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return module
