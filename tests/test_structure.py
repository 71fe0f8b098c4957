"""The house ceilings, read from both packages' syntax trees: what outgrows one is split, not excused."""

import ast
import inspect
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median, quantiles

import pytest

import ingather

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "ingather"
APPLICATION = ROOT / "apps" / "tenk" / "src"

# Lines of a module and of a function: the median, the 95th percentile, the longest.
MODULE, FUNCTION = (120, 300, 400), (7, 25, 60)
MOST_ARGUMENTS = 8
MOST_NAMES = 30  # at the front door

# Where all exceptions may be caught, as "module.py::function", and why. It should stay at two kinds
# of place: around a task, and around a plug-in.
BROAD_EXCEPTS: dict[str, str] = {
    "cli/failing.py::failures_told": "a crash becomes one line and exit code 1",
    "cli/own_provider.py::factory_at": "the user's module may raise anything as it is imported",
    "engine/attempt.py::attempt": "whatever a provider raises gets its class, and is raised again",
    "engine/call.py::Call._bought": "the retry policy decides on whatever a call raises",
    "engine/call.py::Call.result": "the one place where a task's failure becomes a value",
    "engine/intake.py::Intake.pull": "what the input raises is raised again after what was begun",
    "engine/intake.py::Intake.wait_pull": "as Intake.pull",
    "engine/retrying.py::RetryExecutor.execute": "the retry policy decides on whatever is raised",
    "engine/retrying.py::RetryExecutor.execute_sync": "as RetryExecutor.execute",
    "engine/single_flight.py::SingleFlight.answer": "who waits for a call's answer fails with it",
    "events.py::Listener.__call__": "a failure of the user's function hurts no run",
    "jobs/answer_form.py::_imported": "the user's schema file may raise anything",
    "process/threads.py::_Job.run": "raised again on the loop, where the task is",
    "progress/show.py::Progress._begin": "as _Showing._try",
    "progress/show.py::_Showing._try": "what fails in showing progress ends the showing, no run",
    "store/writer.py::Writer._read": "whatever the reason, who waits is told",
    "providers/plugins.py::factory_named": "a plug-in may raise anything as it is imported",
    "store/writer.py::_do_alone": "what an application's work raises is given to who asked for it",
    "store/writer.py::Writer._write": "whatever the reason, who waits is told",
    "testing/recorder.py::Recorder._exchange": "what a provider raises is recorded, raised again",
}

# Public functions that say `Any`, as above, and why no better type exists.
VAGUE_SIGNATURES: dict[str, str] = {
    "engine/attempt.py::timed": "whatever the awaited call gives",
    "engine/retrying.py::RetryExecutor.execute": "whatever the function gives, awaited if it can be",
    "engine/retrying.py::RetryExecutor.execute_sync": "as RetryExecutor.execute",
    "exact_json.py::loads": "any JSON value, as json.loads and orjson.loads say it",
    "response.py::LLMResponse.raw": "any JSON value, as the provider gave it",
    "testing/provider_contract.py::ProviderContract.connect": "the options that the suite gives",
    "task.py::DeterministicTask.__init__": "the arguments of a function of the user's",
}

# What takes more than eight arguments, keywords counted, and why no object stands for them.
MANY_ARGUMENTS: dict[str, str] = {
    "engine/context.py::Context.__init__": "an executor's policies, as the user gives them",
    "engine/executor.py::ParallelLLMExecutor.__init__": "the public contract",
    "engine/run.py::Run.__init__": "what the executor's methods differ in",
    "errors.py::ProviderError.__init__": "what an error carries, each by name",
    "providers/connect.py::connect": "the public contract",
    "providers/dialect_provider.py::DialectProvider.__init__": "what `connect` takes",
    "tenk/again.py::components_again": "what `comprehensive_analysis` takes",
    "tenk/analysis.py::comprehensive_analysis": "the public contract of the seeds",
    "tenk/service/routes.py::begin": "the fields of the form, as FastAPI reads them",
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


def percentile_95(counts: list[int]) -> float:
    return quantiles(counts, n=20)[-1]


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


def parameters(found: Found, function: Def) -> int:
    """Keyword ones counted, but for `self` and `cls`."""
    is_static = any(
        ast.unparse(decorator) == "staticmethod" for decorator in function.decorator_list
    )
    owner = found.scopes[-2] if len(found.scopes) > 1 else None
    is_method = isinstance(owner, ast.ClassDef) and not is_static
    given = function.args
    return len(given.posonlyargs) + len(given.args) + len(given.kwonlyargs) - is_method


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


def assert_within(lengths: list[int], ceilings: tuple[int, int, int]) -> None:
    assert median(lengths) <= ceilings[0]
    assert percentile_95(lengths) <= ceilings[1]
    assert max(lengths) <= ceilings[2]


def test_modules_are_short():
    lengths = [len(path.read_bytes().splitlines()) for path in modules()]
    assert_within(lengths, MODULE)


def test_functions_are_short():
    lengths = [lines(function) for _, function in functions()]
    assert_within(lengths, FUNCTION)


def test_functions_take_few_arguments():
    counts = {
        found.place: parameters(found, function)
        for found, function in functions()
        if not is_exempt_from_parameters(found)
    }
    assert percentile_95(list(counts.values())) <= 5
    assert {place for place, count in counts.items() if count > MOST_ARGUMENTS} == set(
        MANY_ARGUMENTS
    )


def test_no_two_modules_have_one_name():
    # the baseline is to be a distribution of its own, with names of its own
    ours = [path for path in modules() if path.is_relative_to(PACKAGE)]
    names = Counter(path.stem for path in ours if path.parent.name != "extractive")
    twice = {name for name, count in names.items() if count > 1}
    assert twice <= {"__init__", "__main__", "base"}


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


def test_the_front_door_has_few_names():
    assert len(ingather.__all__) <= MOST_NAMES


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
