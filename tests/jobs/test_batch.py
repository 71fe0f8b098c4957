"""OpenAI batch lines become tasks."""

import json
from pathlib import Path

import pytest

from ingather.errors import SetupError
from ingather.jobs import Recipe, Row, Source, Template, check
from ingather.jobs.batch import CHAT, is_batch

BODY: dict[str, object] = {
    "model": "gpt-4o-mini",
    "messages": [{"role": "user", "content": "Hi"}],
    "temperature": 0,
}
GOOD: dict[str, object] = {
    "custom_id": "a",
    "method": "POST",
    "url": "/v1/chat/completions",
    "body": BODY,
}


def line(changes=None, recipe=None, **body):
    fields = {**GOOD, "body": {**BODY, **body}, **(changes or {})}
    return (recipe or Recipe()).line(
        Row(7, {name: value for name, value in fields.items() if value is not ...})
    )


def problem(changes=None, recipe=None, **body) -> str:
    with pytest.raises(SetupError) as caught:
        line(changes, recipe, **body)
    return str(caught.value)


def test_a_batch_line_is_a_task_under_its_custom_id():
    made = line()
    assert (made.id, made.endpoint, made.metadata) == ("a", CHAT, None)
    assert [(message.role, message.content) for message in made.task.messages] == [("user", "Hi")]
    assert made.task.config_overrides == {"temperature": 0}


def test_the_line_s_model_is_asked_only_where_each_line_s_own_is():
    assert line(recipe=Recipe(own_models=True)).task.config_overrides == {
        "temperature": 0,
        "model": "gpt-4o-mini",
    }


@pytest.mark.parametrize(
    ("fields", "asked"),
    [({"model": "m", "prompt": "x"}, "m"), ({"prompt": "x", "params": {"model": "p"}}, "p")],
)
def test_lines_of_our_own_may_name_their_model_too(fields, asked):
    task = Recipe(own_models=True).line(Row(1, fields)).task
    assert task.config_overrides == {"model": asked}
    assert Recipe().line(Row(1, fields)).task.config_overrides is None


def test_a_column_may_name_the_model():
    recipe = Recipe(Template("{text}"), own_models=True)
    assert recipe.line(Row(1, {"text": "x", "model": "m"})).task.config_overrides == {"model": "m"}


@pytest.mark.parametrize("model", [..., "", 5, None])
def test_a_line_without_a_model_is_an_error_where_each_has_to_name_one(model):
    body = {name: value for name, value in {**BODY, "model": model}.items() if value is not ...}
    said = problem({"body": body}, Recipe(own_models=True))
    assert "'model'" in said
    assert "--model DIALECT/NAME for one for all" in said


def test_a_system_message_and_parameters_of_the_run_are_for_lines_without_them():
    made = line(recipe=Recipe(system="Be brief", params={"temperature": 1, "seed": 5}))
    assert [message.role for message in made.task.messages] == ["system", "user"]
    assert made.task.config_overrides == {"temperature": 0, "seed": 5}


def test_what_sets_nothing_is_no_matter():
    assert line(n=1, stream=False, stop=None).task.config_overrides == {"temperature": 0}


EVERYTHING: dict[str, object] = {
    "audio": {"voice": "ash", "format": "wav"},
    "frequency_penalty": 0.5,
    "functions": [{"name": "f"}],
    "function_call": "auto",
    "logit_bias": {"50256": -100},
    "logprobs": True,
    "max_completion_tokens": 9,
    "max_tokens": 9,
    "metadata": {"job": "7"},
    "modalities": ["text"],
    "parallel_tool_calls": False,
    "prediction": {"type": "content", "content": "x"},
    "presence_penalty": -0.5,
    "prompt_cache_key": "k",
    "prompt_cache_retention": "24h",
    "reasoning_effort": "low",
    "response_format": {"type": "json_object"},
    "safety_identifier": "u",
    "seed": 7,
    "service_tier": "auto",
    "stop": ["a"],
    "store": False,
    "stream_options": {"include_usage": True},
    "tool_choice": "auto",
    "tools": [{"type": "function", "function": {"name": "f"}}],
    "top_logprobs": 3,
    "top_p": 0.5,
    "user": "u",
    "verbosity": "low",
    "web_search_options": {},
}


def test_all_parameters_of_openais_chat_completions_go_through(caplog):
    assert line(**EVERYTHING).task.config_overrides == {"temperature": 0, **EVERYTHING}
    assert caplog.text == ""


RESPONSES_BODY: dict[str, object] = {
    "include": ["reasoning.encrypted_content"],
    "instructions": "Be brief",
    "max_output_tokens": 9,
    "max_tool_calls": 2,
    "metadata": {"job": "7"},
    "parallel_tool_calls": True,
    "prompt_cache_key": "k",
    "reasoning": {"effort": "low", "summary": "auto"},
    "safety_identifier": "u",
    "service_tier": "flex",
    "store": True,
    "text": {"format": {"type": "text"}, "verbosity": "low"},
    "tool_choice": {"type": "function", "name": "f"},
    "tools": [{"type": "web_search"}],
    "top_logprobs": 3,
    "truncation": "auto",
    "user": "u",
}


def test_all_parameters_of_openais_responses_go_through(caplog):
    body = {"model": "m", "input": "Hi", "background": False, "stream": False, **RESPONSES_BODY}
    made = line({"url": "/v1/responses", "body": body}, Recipe(speaks_responses=True))
    assert made.task.config_overrides == RESPONSES_BODY
    assert caplog.text == ""


@pytest.mark.parametrize(
    "url", ["/v1/chat/completions", "/chat/completions", "/v1/chat/completions/"]
)
def test_url_may_be_written_as_azure_writes_it(url):
    assert line({"url": url}).endpoint is CHAT


def test_a_conversation_with_tools_goes_through_whole():
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    messages = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c", "content": "5"},
    ]
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    made = line(messages=messages, tools=tools, tool_choice="auto")
    assert made.task.messages[1].tool_calls == calls
    assert made.task.messages[2].metadata == {"tool_call_id": "c"}
    assert made.task.config_overrides == {"temperature": 0, "tools": tools, "tool_choice": "auto"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"custom_id": ...}, "this one has no 'custom_id'"),
        ({"custom_id": 5}, "'custom_id' is text, not 5"),
        ({"custom_id": ""}, "'custom_id' is text or a whole number"),
        ({"method": "GET"}, "'method' is \"POST\", not 'GET'"),
        ({"method": ...}, "no 'method'"),
        ({"url": "/v1/responses"}, "'body' has no 'input'"),
        (
            {"url": "/v1/embeddings"},
            "'/v1/embeddings' is not supported: lines for /v1/chat/completions and /v1/resp",
        ),
        ({"url": "/v1/moderations"}, "'/v1/moderations' is not supported"),
        (
            {"url": "/v1/chat"},
            "'url' is one of /v1/chat/completions, /v1/responses, not '/v1/chat'",
        ),
        (
            {"url": "https://evil.example/v1/chat/completions"},
            "'url' is one of /v1/chat/completions",
        ),
        ({"url": ["/v1/chat/completions"]}, "'url' is one of"),
        ({"body": "x"}, "'body' is an object"),
        ({"body": {"model": "m"}}, "'body' has no 'messages'"),
        ({"body": {"messages": []}}, "not empty"),
        ({"note": "x"}, "has no field 'note'"),
    ],
)
def test_a_batch_line_that_is_none_says_what_is_wrong(changes, said):
    assert said in problem(changes)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"stream": True}, "always taken whole"),
        ({"n": 0}, "one answer a task"),
        ({"n": -1}, "one answer a task"),
        ({"n": "2"}, "one answer a task"),
        ({"extra_body": {"n": 2}}, "one answer a task"),
        ({"n": True}, "one answer a task"),
        ({"Base-URL": "http://evil"}, "a line does not set 'Base-URL'"),
        ({"extra_body": {"api_key": "x"}}, "a line does not set 'api_key'"),
        ({"base_url": "http://evil"}, "a line does not set 'base_url'"),
        ({"extra_headers": {}}, "a line does not set headers"),
        ({"temperature": "hot"}, "'temperature' is a number"),
        (
            {"messages": [{"role": "user", "content": "x", "metadata": 5}]},
            "message 1: its 'metadata' is an object",
        ),
    ],
)
def test_parameters_are_those_that_any_line_may_set(body, said):
    assert said in problem(**body)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (GOOD, True),
        ({"body": {}}, True),
        ({"custom_id": "a", "method": "POST", "url": "/v1/x"}, True),
        ({"custom_id": "a", "prompt": "x"}, False),
        ({"url": "http://…", "body": "a page's text"}, False),
        ({"id": "a", "messages": [], "method": "x", "url": "y", "body": "z"}, False),
    ],
)
def test_which_lines_are_batch_lines(fields, expected):
    assert is_batch(fields) is expected


def test_with_a_template_a_batch_line_is_data():
    made = Recipe(Template("{url}")).line(Row(1, dict(GOOD)))
    assert made.task.messages[0].content == "/v1/chat/completions"
    assert made.endpoint is None


@pytest.fixture
def file(tmp_path: Path):
    def write(*lines: dict) -> Source:
        path = tmp_path / "batch.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return Source(str(path))

    return write


def test_a_custom_id_that_comes_twice_names_both_lines(file):
    with pytest.raises(SetupError, match="line 2: the id 'a' is already that of line 1"):
        check(file(GOOD, GOOD), Recipe())


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (
            GOOD,
            {"prompt": "x"},
            "line 2: this is a line of our own form, but line 1 is an OpenAI batch line",
        ),
        (
            {"prompt": "x"},
            GOOD,
            "line 2: this is an OpenAI batch line, but line 1 is a line of our own form",
        ),
    ],
)
def test_one_file_has_one_form(file, first, second, said):
    with pytest.raises(SetupError, match=said):
        check(file(first, second), Recipe())
