"""Whatever fails and however often: what was had is not asked for again, and all that was sent is counted."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, model_validator

from ingather import ParallelLLMExecutor, RetryConfig, Usage
from ingather.errors import AuthFailed, BadRequest, MissingFields, Refused, ServerFault, TooLong
from tests.extract.stand_ins import PART_USAGE, Raw, Reader, extracted, says


class Firm(BaseModel):
    products: list[str]
    seat: str
    founded: int
    motto: str = ""
    people: list[str] = []
    share: float | None = None


SAID = {
    "products": ["boats"],
    "seat": "Oslo",
    "founded": 1990,
    "motto": "Float.",
    "people": ["Kari"],
    "share": 0.5,
}
NEEDED = {"products", "seat", "founded"}
FAILURES = st.sampled_from(
    [Raw("?"), Raw("{}"), Raw('{"seat": "Rome", "founded": "x"}'), ServerFault("500"), BadRequest("400"),
     TooLong("long"), Refused("no"), ValueError("odd"), AuthFailed("401")]
)  # fmt: skip
RUNGS = st.sets(st.sampled_from(["retry", "single", "partial"])).map(tuple)
SCRIPTS = st.fixed_dictionaries({name: st.lists(FAILURES, max_size=3) for name in SAID})
OPTIONS = st.fixed_dictionaries(
    {
        "split": st.sampled_from(["fields", "single", "auto"]),
        "fallback": RUNGS,
        "prime": st.booleans(),
    }
)


@given(SCRIPTS, OPTIONS, st.sampled_from([1, 2, 10]), st.integers(1, 2))
def test_what_was_had_is_asked_for_no_more_and_every_call_is_counted(
    failures, options, bound, tries
):
    scripts = {name: says(*failures[name], SAID[name]) for name in SAID}
    provider = Reader(scripts)
    policy = RetryConfig(max_attempts=tries, initial_delay=1e-6, max_delay=1e-6)
    executor = ParallelLLMExecutor(provider, bound, default_retry=policy)
    result = extracted(provider, Firm, executor=executor, **options)

    assert result.attempts == len(provider.calls)
    assert_had_once(provider, result)
    assert_consistent(result, options["fallback"])
    assert_paid(provider, result)


def assert_had_once(provider, result):
    """Each field that was had was had by the last call that asked for it."""
    last = {name: call for call in provider.calls for name in call.fields}
    asked = Counter(name for call in provider.calls for name in call.fields)
    for name, part in result.parts.items():
        if part.success:
            assert last[name].answer == part.response.content, name
        assert asked[name] <= 3 * 2  # each rung once, and twice by the policy


def assert_consistent(result, fallback):
    had = {name for name, part in result.parts.items() if part.success}
    assert set(result.missing) == SAID.keys() - had
    assert list(result.parts) == [name for name in SAID if name in result.parts]
    whole = not result.missing or ("partial" in fallback and had >= NEEDED and not is_final(result))
    assert result.success == whole
    if result.success:
        assert {name: getattr(result.value, name) for name in had} == {
            name: part.value for name, part in result.parts.items() if part.success
        }
    elif isinstance(result.error, MissingFields):
        assert set(result.error.fields) <= set(result.missing)
        assert result.error.__cause__ is not None
    else:
        assert isinstance(result.error, AuthFailed)
    assert all((part.error is None) == part.success for part in result.parts.values())


def is_final(result):
    return isinstance(result.error, AuthFailed)


def assert_paid(provider, result):
    answered = sum(call.answer is not None for call in provider.calls)
    times = Usage(
        PART_USAGE.input_tokens * answered, PART_USAGE.output_tokens * answered, 64 * answered
    )
    assert result.usage == (times if answered else None)
    assert result.cost_usd is None or abs(result.cost_usd - 0.001 * answered) < 1e-9


@given(SCRIPTS, st.integers(0, 2))
def test_a_whole_that_does_not_fit_is_asked_for_once_at_most(failures, wrong):
    """The one case in which what was had is asked for again."""

    class Odd(Firm):
        @model_validator(mode="after")
        def _of_one_mind(self):
            if self.founded == 1:
                raise ValueError("too old")
            return self

    scripts = {name: says(*failures[name], SAID[name]) for name in SAID}
    scripts["founded"] = says(*failures["founded"], *[1] * wrong, 1990)
    provider = Reader(scripts)
    result = extracted(provider, Odd, split="fields")
    assert result.attempts == len(provider.calls)
    assert sum(len(call.fields) == len(SAID) for call in provider.calls) <= 2
    assert_paid(provider, result)
    if result.success:
        assert result.value.founded == 1990
