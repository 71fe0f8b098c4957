"""Which form answers have: a model named as ``FILE.py:Model``, or a JSON schema in a ``.json`` file."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingather import exact_json
from ingather.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """`model`: a response_model for tasks. `dump`: makes JSON values of its instances."""

    model: Any  # as in LLMTask
    dump: Callable[[object], object]


def load_form(written: str) -> AnswerForm:
    """The form that `written` names: ``"people.py:Person"`` or ``"person.schema.json"``.

    A Python file is run, as `python FILE.py` would run it. Raises SetupError where the file, the
    name in it, or the form is not usable.
    """
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUserError

    path, colon, name = written.rpartition(":")
    from_json = not colon and written.endswith(".json")
    model = _json_model(written) if from_json else _python_model(path, name, written)
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(model)
        adapter.json_schema()
    except PydanticUserError as error:
        raise SetupError(f"--schema {written} is no form for an answer: {error.message}") from error

    def dump(value: object) -> object:
        return adapter.dump_python(value, mode="json", by_alias=True, exclude_unset=from_json)

    return AnswerForm(model, dump)


def _json_model(path: str) -> Any:
    from ingather.jobs.json_schema import model_of

    try:
        schema = exact_json.loads(_read(path))
    except exact_json.JSONDecodeError as error:
        raise SetupError(f"--schema {path} is not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise SetupError(f"--schema {path} is no JSON schema: it is not an object")
    return model_of(schema)


def _python_model(path: str, name: str, written: str) -> Any:
    if not path or not name or not path.endswith(".py"):
        raise SetupError(f"--schema is FILE.py:Model or FILE.json, not {written!r}")
    _read(path)
    module = _imported(path)
    if not hasattr(module, name):
        there = [
            key
            for key, value in vars(module).items()
            if isinstance(value, type) and value.__module__ == module.__name__
        ]
        raise SetupError(
            f"--schema: {path} has no {name!r}; it has: {', '.join(there) or 'no class'}"
        )
    return getattr(module, name)


def _imported(path: str) -> ModuleType:
    file = Path(path).resolve()
    name = f"ingather_schema_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise SetupError(f"--schema: {path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where pydantic looks up the names in annotations
    sys.path.insert(0, str(file.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SetupError(
            f"--schema: {path} fails as it is imported: {type(error).__name__}: {error}"
        ) from error
    finally:
        sys.path.remove(str(file.parent))
    return module


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise SetupError(
            f"cannot read the schema file {path}: {getattr(error, 'strerror', error)}"
        ) from error
