"""On a server of one's own, an answer without an end ends: at a limit that no right answer comes near."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, create_model

from ingather import Budget, ExtractTask, ParallelLLMExecutor, connect, run_sync
from ingather.errors import Filtered, TooLong, Truncated
from ingather.extract.output_cap import LEAST, MOST, RAISED, output_cap
from ingather.schema import Schema
from ingather.transport import Reply


class Names(BaseModel):
    names: list[str]
    seat: str = ""


class Server:
    """Answers each request by what its own text says; a script per field, for each time that it is asked for."""

    def __init__(self, answer):
        self.answer = answer
        self.bodies: list[Any] = []

    async def post(self, endpoint, body):
        asked = json.loads(body)
        self.bodies.append(asked)
        status, said = self.answer(asked)
        return Reply(status, {}, json.dumps(said).encode())

    async def aclose(self):
        pass


def said(text, finish="stop"):
    return 200, {"choices": [{"message": {"content": text}, "finish_reason": finish}]}


def right(asked):
    value = {"items": ["Ann"]} if "- names" in str(asked["messages"]) else {"value": "Oslo"}
    return said(json.dumps(value))


def extracted(
    server,
    model="openai/m",
    *,
    params: Any = None,
    executor: Any = None,
    task: Any = None,
    **options: Any,
):
    provider: Any = connect(
        model, **{"base_url": "http://localhost:8000/v1", **options}, **(params or {})
    )
    provider._transport = server
    task = {"split": "fields", **(task or {})}
    (result,) = run_sync(
        ParallelLLMExecutor(provider, 1, **(executor or {})).gather(
            [ExtractTask("…", Names, **task)]
        )
    )
    return result


CAPS = {"max_tokens", "max_completion_tokens", "max_output_tokens", "n_predict"}


def test_each_part_has_a_limit_where_nobody_set_one():
    server = Server(right)
    assert extracted(server).value == Names(names=["Ann"], seat="Oslo")
    assert [body["max_tokens"] for body in server.bodies] == [
        output_cap(Schema.of(list[str]).wire),
        LEAST,
    ]


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("where", ["params", "executor", "task"])
def test_whoever_sets_one_in_any_spelling_keeps_it_alone(name, where):
    server = Server(right)
    given = {"params": {name: 77}, "executor": {"default_config_overrides": {name: 77}},
             "task": {"config_overrides": {name: 77}}}[where]  # fmt: skip
    extracted(server, **{where: given})
    for body in server.bodies:
        assert {key: body[key] for key in CAPS & body.keys()} == {name: 77}


# since most servers call it max_tokens
@pytest.mark.filterwarnings("ignore:'max_new_tokens' is sent as it is")
@pytest.mark.parametrize("name", ["n_predict", "num_predict", "max_new_tokens"])
@pytest.mark.parametrize("is_within", [False, True])
def test_so_does_whoever_sets_one_that_only_servers_of_one_s_own_know(name, is_within):
    server = Server(lambda asked: said('{"items": ["Ann"', "length"))
    given = {"extra_body": {name: 77}} if is_within else {name: 77}
    extracted(server, task={"config_overrides": {**given, "temperature": 0}})
    assert len(server.bodies) == 2  # under the same limit the same would come
    assert all(body[name] == 77 and "max_tokens" not in body for body in server.bodies)


def test_none_is_a_wish_for_no_limit():
    server = Server(right)
    extracted(server, task={"config_overrides": {"max_tokens": None}})
    assert not any(CAPS & body.keys() for body in server.bodies)


def test_a_provider_at_home_sets_its_own():
    server = Server(right)
    extracted(server, base_url=None, api_key="k", api="chat")
    assert not any(CAPS & body.keys() for body in server.bodies)


@pytest.mark.parametrize("temperature", [0, 1])
def test_a_part_that_was_cut_is_asked_again_with_more_room_once(temperature):
    server = Server(lambda asked: said('{"items": ["Ann", "Ann"', "length"))
    result = extracted(server, task={"config_overrides": {"temperature": temperature}})
    caps = [body["max_tokens"] for body in server.bodies if "- names" in str(body["messages"])]
    assert caps == [output_cap(Schema.of(list[str]).wire) * times for times in (1, RAISED)]
    assert isinstance(result.error.__cause__, Truncated)
    assert all("Ann" not in str(body["messages"]) for body in server.bodies)


@pytest.mark.parametrize("temperature", [0, 1])
def test_one_that_was_filtered_is_asked_again_only_where_it_may_differ(temperature):
    server = Server(lambda asked: said("", "content_filter"))
    result = extracted(server, task={"config_overrides": {"temperature": temperature}})
    assert len([body for body in server.bodies if "- names" in str(body["messages"])]) == (
        1 if temperature == 0 else 3
    )
    assert isinstance(result.error.__cause__, Filtered)


def test_the_room_that_it_then_has_may_be_enough():
    server = Server(
        lambda asked: right(asked) if asked["max_tokens"] >= RAISED * LEAST else said("{", "length")
    )
    result = extracted(server)
    assert result.value == Names(names=["Ann"], seat="Oslo")
    assert {part.origin for part in result.parts.values()} == {"retry"}


@pytest.mark.parametrize(
    "message",
    ["The maximum context length is 2048 tokens. You requested 6096 (2000 in the messages, 4096 in the completion).",
     "max_tokens must be at most 2048", "'max_completion_tokens' is too large: 4096",
     "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 300 `inputs` tokens",
     ("'max_tokens' is too large: 4096. This model's maximum context length is 4096 tokens and your request has 300 "
     "input tokens"),
     "max_new_tokens exceeds the limit of 2048", "max_tokens cannot be greater than 2048"],
)  # fmt: skip
@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_server_that_refuses_the_limit_is_asked_without_and_from_then_on(message, status):
    server = Server(
        lambda asked: (
            (status, {"error": {"message": message}}) if "max_tokens" in asked else right(asked)
        )
    )
    assert extracted(server).value == Names(names=["Ann"], seat="Oslo")
    sent = len(server.bodies)
    assert extracted(server).success  # by another executor, which finds that out for itself
    assert 3 <= sent <= 4  # the second part was perhaps under way
    assert not any("max_tokens" in body for body in server.bodies[sent - 2 : sent])


@pytest.mark.parametrize(
    "message",
    [("This model's maximum context length is 4096 tokens. However, you requested 9096 tokens (5000 in "
     "the messages, 4096 in the completion). Please reduce the length of the messages or completion."),
     ("'max_tokens' is too large: 4096. This model's maximum context length is 4,096 tokens and your request has 5,000 "
     "input tokens (4096 > 4096 - 5000).")],
)  # fmt: skip
@pytest.mark.parametrize("status", [400, 500])
def test_a_prompt_that_is_too_long_alone_is_not_sent_again_without_the_limit(message, status):
    server = Server(lambda asked: (status, {"error": {"message": message}}))
    result = extracted(server)
    assert isinstance(result.error.__cause__, TooLong)
    assert len(server.bodies) == 1


def test_with_a_budget_the_limit_is_what_is_reserved():
    server = Server(right)
    result = extracted(server, executor={"budget": Budget(max_tokens=100_000)})
    assert result.success


def test_it_grows_with_the_schema_within_bounds():
    row: Any = create_model("Row", **{f"f{number}": (str, ...) for number in range(10)})  # type: ignore[call-overload]
    assert output_cap(Schema.of(int).wire) == LEAST
    assert (
        LEAST
        < output_cap(Schema.of(list[str]).wire)
        < output_cap(Schema.of(list[row]).wire)
        == MOST
    )

    class Tree(BaseModel):
        name: str
        children: list["Tree"]

    assert output_cap(Schema.of(Tree).wire) == MOST
