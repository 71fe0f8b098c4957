"""Writes docs/reference.md from the docstrings: ``python docs/make_reference.py``."""  # noqa: INP001 - a script

from __future__ import annotations

import dataclasses
import inspect
import re
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import ingather
import ingather.errors
import ingather.progress
import ingather.report
import ingather.stats
import ingather.testing
import ingather.testing.simulator.faults

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).with_name("reference.md")
HEAD = """\
# Reference

Made from the docstrings by `python docs/make_reference.py`: change those, and run it again. Times are in seconds unless
a name ends in `_ms`, money is in USD."""
_WIDTH = 100
_EXAMPLE = re.compile(r"^>>> .*?(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)


def page() -> str:
    """The whole page, as Markdown."""
    parts = [HEAD]
    for module in (ingather, ingather.testing):
        parts.append(f"## {module.__name__}")
        for name in module.__all__:
            parts += _entry(name, getattr(module, name))
    parts += [
        "## ingather.stats",
        *_entry("Stats", ingather.stats.Stats),
        *_entry("Times", ingather.stats.Times),
    ]
    parts += ["## ingather.progress", *_entry("Progress", ingather.progress.Progress)]
    parts += ["## ingather.report", *_entry("Report", ingather.report.Report)]
    parts += _entry("Summary", ingather.report.Summary)
    for module in (ingather.errors, ingather.testing.simulator.faults):
        parts += [f"## {module.__name__}", _fenced(inspect.getdoc(module) or "")]
    return "\n\n".join(parts) + "\n"


def _entry(name: str, thing: object) -> Iterator[str]:
    yield f"### {name}"
    if not inspect.isclass(thing):
        yield _fenced(_signature(name, thing))
        yield _documented(thing)
        return
    if issubclass(thing, Enum):
        yield _fenced("\n".join(f"{name}.{member.name} = {member.value!r}" for member in thing))
    elif not issubclass(thing, Exception) and thing is not ingather.Task:
        yield _fenced(_signature(name, thing))
    for each in thing.__mro__:
        if each is thing or _is_only_told_here(each, thing):
            yield ("" if each is thing else f"**{each.__name__}.** ") + _documented(each)
    for key, member in vars(thing).items():
        yield from () if key.startswith("_") else _member(key, member)


def _is_only_told_here(base: type, of: type) -> bool:
    """Whether what a base class says stands nowhere else on the page."""
    if issubclass(of, Exception) or base.__name__ in ingather.__all__:
        return False
    return base.__module__.startswith("ingather.")


def _member(name: str, member: object) -> Iterator[str]:
    code = member.__func__ if isinstance(member, classmethod | staticmethod) else member
    if isinstance(code, property):
        yield f"#### .{name}"
    elif inspect.isfunction(code):
        waited = "await " if inspect.iscoroutinefunction(code) else ""
        yield f"#### {waited}.{name}()"
        yield _fenced(_signature(name, code))
    else:
        return
    yield _documented(code)


def _signature(name: str, thing: object) -> str:
    """As in the source, one line each where they are long."""
    assert callable(thing)  # noqa: S101 - what is asked for is
    signature = inspect.signature(thing)
    given = [each for each in signature.parameters.values() if each.name not in ("self", "cls")]
    shown, starred = [], False
    for each in given:
        if each.kind is each.KEYWORD_ONLY and not starred:
            shown.append("*")
        starred = starred or each.kind in (each.KEYWORD_ONLY, each.VAR_POSITIONAL)
        shown.append(_parameter(each))
    gives = "" if inspect.isclass(thing) else f" -> {_annotation(signature.return_annotation)}"
    line = f"{name}({', '.join(shown)}){gives}"
    inside = "".join(f"    {one},\n" for one in shown)
    return line if len(line) <= _WIDTH else f"{name}(\n{inside}){gives}"


def _parameter(parameter: inspect.Parameter) -> str:
    stars = str(parameter).removesuffix(str(parameter).lstrip("*"))
    default = "" if parameter.default is parameter.empty else f" = {_default(parameter.default)}"
    return f"{stars}{parameter.name}: {_annotation(parameter.annotation)}{default}"


def _annotation(annotation: object) -> str:
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return text.replace("T_co", "T")


def _default(value: object) -> str:
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if dataclasses.is_dataclass(value):
        return f"{type(value).__name__}(…)"
    text = repr(value)
    return "…" if text.startswith("<") else text  # what a factory makes


def _documented(thing: object) -> str:
    """The docstring; its examples, which run where they stand, as text."""
    return _EXAMPLE.sub(lambda match: _fenced(match[0]), inspect.getdoc(thing) or "")


def _fenced(text: str) -> str:
    return f"```text\n{text}\n```"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
