"""The house ceilings, read from both packages' syntax trees: what outgrows one is split, not excused."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import quantiles

import pytest

import ingather

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "ingather"
APPLICATION = ROOT / "apps" / "tenk" / "src"

# Where all exceptions may be caught, as "module.py::function", and why. It should stay at two kinds
# of place: around a task, and around a plug-in.
BROAD_EXCEPTS: dict[str, str] = {
    "attempt.py::attempt": "whatever a provider raises is put in its class, and raised again",
    "cache.py::Cache.answer": "whatever a call fails with, those who wait for its answer fail with too",
    "call.py::Call._bought": "the retry policy decides on whatever a call raises, and raises what is final",
    "call.py::Call.result": "the one place where a task's failure becomes a value",
    "cli/failing.py::failures_told": "a crash becomes one line and exit code 1",
    "events.py::Listener.__call__": "a failure of the user's function is told once and hurts no run",
    "intake.py::Intake.pull": "what the user's input raises is raised again once what is done is delivered",
    "intake.py::Intake.wait_pull": "as Intake.pull",
    "jobs/answer_form.py::_imported": "the user's schema file may raise anything, and is told where",
    "progress/show.py::Progress._begin": "as _Showing._try",
    "progress/show.py::_Showing._try": "whatever fails in showing progress ends the showing, never the run",
    "recorder.py::Recorder._exchange": "whatever a provider raises is recorded, and raised again",
    "retrying.py::RetryExecutor.execute": "the retry policy decides, and raises what is final",
    "retrying.py::RetryExecutor.execute_sync": "as RetryExecutor.execute",
    "store/writer.py::Writer._read": "whatever the reason, who waits is told that nothing was found",
    "store/writer.py::Writer._write": "whatever the reason, who waits is told that nothing was written",
    "threads.py::_Job.run": "raised again on the loop, where the task is",
}

# Public functions that say `Any`, as above, and why no better type exists.
VAGUE_SIGNATURES: dict[str, str] = {
    "exact_json.py::loads": "any JSON value, as json.loads and orjson.loads say it",
    "result.py::LLMResponse.raw": "any JSON value, as the provider gave it",
    "result.py::TaskResult.unwrap": "whatever the task gives: only the caller knows its type",
    "retrying.py::RetryExecutor.execute": "whatever the function gives, awaited where it can be",
    "retrying.py::RetryExecutor.execute_sync": "as RetryExecutor.execute",
}

Def = ast.FunctionDef | ast.AsyncFunctionDef
Scope = Def | ast.ClassDef


@dataclass(frozen=True)
class Found:
    """A syntax node, and where it stands."""

    module: str
    scopes: tuple[Scope, ...]
    node: ast.AST

    @property
    def place(self) -> str:
        return f"{self.module}::{'.'.join(scope.name for scope in self.scopes)}"


def modules() -> list[Path]:
    return sorted([*PACKAGE.rglob("*.py"), *APPLICATION.rglob("*.py")])


def name_of(path: Path) -> str:
    """Within the library, or with the application's name before it."""
    return path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else APPLICATION).as_posix()


@cache
def nodes() -> list[Found]:
    def walk(module: str, scopes: tuple[Scope, ...], parent: ast.AST) -> Iterator[Found]:
        for node in ast.iter_child_nodes(parent):
            inner = (*scopes, node) if isinstance(node, Scope) else scopes
            yield Found(module, inner, node)
            yield from walk(module, inner, node)

    return [
        found
        for path in modules()
        for found in walk(name_of(path), (), ast.parse(path.read_bytes()))
    ]


def functions() -> list[tuple[Found, Def]]:
    return [(found, found.node) for found in nodes() if isinstance(found.node, Def)]


def span(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def lines(function: Def) -> int:
    """From `def` to the end; the docstring does not count, or nobody would write one."""
    has_docstring = ast.get_docstring(function, clean=False) is not None
    return span(function) - (span(function.body[0]) if has_docstring else 0)


def is_public(found: Found) -> bool:
    names = [*found.module.removesuffix(".py").split("/"), *(scope.name for scope in found.scopes)]
    nested = any(isinstance(scope, Def) for scope in found.scopes[:-1])
    return not nested and not any(
        name.startswith("_") and not name.endswith("__") for name in names
    )


def is_exempt_from_parameters(found: Found) -> bool:
    # typer makes a command's options from its function's parameters: their number is that of the
    # options.
    if found.module.startswith(("cli/", "tenk/cli/")):
        return True
    # A dataclass is a record, even where its __init__ is written by hand: its parameters are its
    # fields.
    owner = found.scopes[-2] if len(found.scopes) > 1 else None
    return isinstance(owner, ast.ClassDef) and any(
        "dataclass" in ast.unparse(d) for d in owner.decorator_list
    )


def positional(found: Found, function: Def) -> int:
    is_static = any(
        ast.unparse(decorator) == "staticmethod" for decorator in function.decorator_list
    )
    is_method = (
        len(found.scopes) > 1 and isinstance(found.scopes[-2], ast.ClassDef) and not is_static
    )
    return len(function.args.posonlyargs) + len(function.args.args) - is_method


def annotations(function: Def) -> str:
    given = function.args
    every = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    named = [arg.annotation for arg in every if arg is not None]
    return " ".join(
        ast.unparse(annotation)
        for annotation in (*named, function.returns)
        if annotation is not None
    )


def catches_all(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {ast.unparse(kind) for kind in caught}
    reraised = isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None
    return "Exception" in names or ("BaseException" in names and not reraised)


def test_modules_are_at_most_300_lines():
    lengths = {name_of(path): len(path.read_bytes().splitlines()) for path in modules()}
    assert {name: length for name, length in lengths.items() if length > 300} == {}


def test_functions_are_at_most_60_lines():
    lengths = {found.place: lines(function) for found, function in functions()}
    assert {place: length for place, length in lengths.items() if length > 60} == {}


def test_nearly_all_functions_are_at_most_40_lines():
    lengths = [lines(function) for _, function in functions()]
    assert quantiles(lengths, n=20)[-1] <= 40


def test_at_most_7_positional_parameters():
    counts = {
        found.place: positional(found, f)
        for found, f in functions()
        if not is_exempt_from_parameters(found)
    }
    assert {place: count for place, count in counts.items() if count > 7} == {}


@pytest.mark.parametrize("word", ["manager", "handler", "helper", "util", "wrapper"])
def test_a_module_has_a_name_from_the_field(word):
    assert [name_of(path) for path in modules() if word in name_of(path).lower()] == []


def test_all_exceptions_are_caught_only_where_listed():
    places = {
        found.place
        for found in nodes()
        if isinstance(found.node, ast.ExceptHandler) and catches_all(found.node)
    }
    assert places == set(BROAD_EXCEPTS)


def test_public_signatures_name_their_types():
    vague = {
        f.place
        for f, function in functions()
        if is_public(f) and re.search(r"\bAny\b", annotations(function))
    }
    assert vague == set(VAGUE_SIGNATURES)


def test_the_front_door_has_at_most_30_names():
    assert len(ingather.__all__) <= 30


@pytest.mark.parametrize("name", ingather.__all__)
def test_the_front_door_is_documented(name):
    thing = getattr(ingather, name)
    members = vars(thing) if inspect.isclass(thing) else {}
    documented = {
        key: inspect.getdoc(value)
        for key, value in members.items()
        if is_code(value) and key[0] != "_"
    }
    assert inspect.getdoc(thing)
    assert [key for key, doc in documented.items() if not doc] == []


def is_code(member: object) -> bool:
    return inspect.isroutine(member) or isinstance(member, property | classmethod | staticmethod)
