import asyncio

import pytest

from ingather import EchoProvider, LLMMessage, LLMResponse, LLMTask, ParallelLLMExecutor, Usage
from ingather.errors import IngatherError
from ingather.testing import ErrorResponse, ResponseQueueExhaustedError, text_response


async def ask(provider, *contents, **overrides):
    messages = [LLMMessage("user", content) for content in contents]
    return (await provider.complete(messages, overrides or None)).content


async def answers(provider, *prompts):
    return [await ask(provider, prompt) for prompt in prompts]


@pytest.mark.parametrize(
    "provider",
    [EchoProvider(), EchoProvider({"provider": "echo", "model": "test"}), EchoProvider(None)],
)
async def test_it_can_be_made_with_and_without_a_configuration(provider):
    assert await ask(provider, "hello") == "Echo: hello"


# -- the order of choice


async def test_the_last_user_message_is_echoed():
    messages = [
        LLMMessage("user", "one"),
        LLMMessage("user", "two"),
        LLMMessage("assistant", "three"),
    ]
    assert (await EchoProvider().complete(messages)).content == "Echo: two"


async def test_without_a_user_message_it_says_so():
    assert (
        await EchoProvider().complete([LLMMessage("system", "s")])
    ).content == "Echo: (no user message)"
    assert (await EchoProvider().complete([])).content == "Echo: (no user message)"


async def test_the_queue_goes_before_the_echo_front_first():
    provider = EchoProvider(responses=["one", "two"])
    assert await answers(provider, "a", "b", "c") == ["one", "two", "Echo: c"]


async def test_a_pattern_goes_before_the_queue_and_takes_nothing_from_it():
    provider = EchoProvider(responses=["queued"]).add_pattern_response("math", "4")
    assert await answers(provider, "math?", "other", "more math") == ["4", "queued", "4"]


async def test_a_function_goes_before_everything():
    provider = EchoProvider(
        responses=["queued"], response_fn=lambda messages: f"saw {messages[-1].content}"
    )
    provider.add_pattern_response(".", "pattern")
    assert await answers(provider, "a", "b") == ["saw a", "saw b"]


async def test_the_first_pattern_that_matches_wins():
    provider = (
        EchoProvider()
        .add_pattern_response("bio", "first")
        .add_pattern_response("biology", "second")
    )
    assert await answers(provider, "biology", "chemistry") == ["first", "Echo: chemistry"]


@pytest.mark.parametrize(
    ("pattern", "contents", "matches"),
    [
        ("HELLO", ["say hello"], True),  # upper and lower case alike
        ("hello", ["HeLLo there"], True),
        (r"^hello", ["say hello"], False),  # searched for, as a regular expression
        (r"\d{3}", ["room 101"], True),
        ("one two", ["one", "two"], True),  # over all user messages, joined by a space
        ("onetwo", ["one", "two"], False),
        ("one", ["one", "two"], True),
    ],
)
async def test_patterns_search_all_user_messages(pattern, contents, matches):
    answer = await ask(EchoProvider().add_pattern_response(pattern, "found"), *contents)
    assert (answer == "found") is matches


async def test_patterns_do_not_search_what_others_said():
    provider = EchoProvider().add_pattern_response("secret", "found")
    messages = [
        LLMMessage("system", "secret"),
        LLMMessage("assistant", "secret"),
        LLMMessage("user", "hello"),
    ]
    assert (await provider.complete(messages)).content == "Echo: hello"


async def test_content_in_parts_is_no_text():
    provider = EchoProvider().add_pattern_response("image", "found")
    message = LLMMessage("user", [{"type": "image", "url": "data:…"}])
    assert (await provider.complete([message])).content == "Echo: (no user message)"


# -- the queue


async def test_a_cycle_starts_again_at_its_end():
    provider = EchoProvider().set_responses(["one", "two"], cycle=True)
    assert await answers(provider, *"abcde") == ["one", "two", "one", "two", "one"]


async def test_set_responses_replaces_the_queue_and_add_response_lengthens_it():
    provider = EchoProvider(responses=["old"]).set_responses(["new"]).add_response("newer")
    assert await answers(provider, *"abc") == ["new", "newer", "Echo: c"]


async def test_the_list_itself_is_left_alone():
    mine = ["one", "two"]
    await answers(EchoProvider().set_responses(mine), "a", "b")
    assert mine == ["one", "two"]


async def test_calls_that_run_at_once_take_the_queue_in_their_order():
    provider = EchoProvider(responses=["one", "two", "three"])
    assert await asyncio.gather(*(ask(provider, word) for word in "abc")) == ["one", "two", "three"]


async def test_strict_raises_where_the_queue_is_exhausted():
    provider = EchoProvider(responses=["one"], strict=True)
    assert await ask(provider, "a") == "one"
    with pytest.raises(ResponseQueueExhaustedError, match="exhausted after 2 call"):
        await ask(provider, "b")
    assert issubclass(ResponseQueueExhaustedError, IngatherError)


async def test_strict_asks_function_and_patterns_first():
    assert (
        await ask(EchoProvider(strict=True).add_pattern_response("a", "pattern"), "a") == "pattern"
    )
    assert (
        await ask(EchoProvider(strict=True, response_fn=lambda messages: "function"), "a")
        == "function"
    )


# -- what may be scripted


@pytest.mark.parametrize("way", ["queue", "pattern", "function"])
async def test_a_response_is_given_as_it_is(way):
    mine = LLMResponse("text", model="m", usage=Usage(1, 2))
    provider = {
        "queue": EchoProvider(responses=[mine]),
        "pattern": EchoProvider().add_pattern_response("a", mine),
        "function": EchoProvider(response_fn=lambda messages: mine),
    }[way]
    assert await provider.complete([LLMMessage("user", "a")]) is mine


@pytest.mark.parametrize("way", ["queue", "pattern", "function"])
async def test_an_error_response_raises_its_exception(way):
    mine = ErrorResponse(ConnectionError("down"))
    provider = {
        "queue": EchoProvider(responses=[mine]),
        "pattern": EchoProvider().add_pattern_response("a", mine),
        "function": EchoProvider(response_fn=lambda messages: mine),
    }[way]
    with pytest.raises(ConnectionError, match="down") as caught:
        await ask(provider, "a")
    assert caught.value is mine.exception


async def test_a_text_becomes_a_whole_response():
    response = await EchoProvider(responses=["a text of 20 letters"]).complete(
        [LLMMessage("user", "x" * 40)]
    )
    assert (response.content, response.model, response.finish_reason) == (
        "a text of 20 letters",
        "echo-model",
        "stop",
    )
    assert response.usage == Usage(input_tokens=10, output_tokens=5)
    assert response.cost_usd == 0.0


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 1), ("abc", 1), ("abcd", 1), ("a" * 7, 1), ("a" * 8, 2), ("a" * 400, 100)],
)
async def test_a_token_is_four_letters_and_there_is_at_least_one(text, tokens):
    response = await EchoProvider(responses=[text]).complete([LLMMessage("user", text)])
    assert response.usage == Usage(tokens, tokens)
    assert text_response(text).usage == Usage(1, tokens)


async def test_all_messages_are_in_the_prompts_tokens():
    messages = [
        LLMMessage("system", "x" * 8),
        LLMMessage("user", "x" * 12),
        LLMMessage("assistant", "x" * 16),
    ]
    response = await EchoProvider(responses=["ok"]).complete(messages)
    assert response.usage == Usage(2 + 3 + 4, 1)


def test_a_text_response_is_a_response_with_that_text():
    response = text_response("Paris", model="m", finish_reason="length")
    assert (response.content, response.model, response.finish_reason) == ("Paris", "m", "length")


# -- options


@pytest.mark.parametrize("nested", [False, True], ids=["plain", "under options"])
async def test_options_of_the_configuration(nested):
    def provider(**options):
        return EchoProvider(
            {"model": "test", "options": options} if nested else {"model": "test", **options}
        )

    assert await ask(provider(echo_prefix=">> "), "hello") == ">> hello"
    assert await answers(provider(cycle_responses=True).set_responses(["one"]), "a", "b") == [
        "one",
        "one",
    ]
    assert (await provider(mock_tokens=False).complete([])).usage is None
    assert (await provider().complete([])).model == "test"
    with pytest.raises(ResponseQueueExhaustedError):
        await ask(provider(strict=True), "a")


async def test_the_model_of_a_call_goes_over_that_of_the_provider():
    response = await EchoProvider({"model": "small"}).complete(
        [], {"model": "big", "temperature": 1}
    )
    assert response.model == "big"


@pytest.mark.looptime
@pytest.mark.parametrize(
    "provider", [EchoProvider().set_response_delay(2.5), EchoProvider({"stream_delay": 2.5})]
)
async def test_a_delay_is_slept_in_each_call(provider):
    await asyncio.gather(ask(provider, "a"), ask(provider, "b"))
    await ask(provider, "c")
    assert asyncio.get_running_loop().time() == pytest.approx(5.0)


# -- history


async def test_the_history_holds_what_was_asked_and_what_was_answered():
    provider = EchoProvider()
    assert (
        provider.call_count,
        provider.calls,
        provider.get_last_call(),
        provider.get_last_user_message(),
    ) == (
        0,
        [],
        None,
        None,
    )
    await ask(provider, "first", temperature=0.5)
    last = await provider.complete([LLMMessage("user", "one"), LLMMessage("user", "two")])
    assert provider.call_count == 2
    assert provider.get_call(0).messages == [LLMMessage("user", "first")]
    assert provider.get_call(0).config_overrides == {"temperature": 0.5}
    assert provider.get_call(-1) is provider.get_last_call()
    assert provider.get_call(1).config_overrides is None
    assert provider.get_call(1).response is last
    assert provider.get_call(1).error is False
    assert provider.get_last_user_message() == "two"
    with pytest.raises(IndexError):
        provider.get_call(2)


async def test_a_call_reads_as_a_mapping_too():
    provider = EchoProvider(responses=["ok", ErrorResponse(OSError("down"))])
    await ask(provider, "first", seed=1)
    with pytest.raises(OSError, match="down"):
        await ask(provider, "second")
    first, second = provider.calls
    assert first["messages"] == [LLMMessage("user", "first")]
    assert (first["response"], first["config_overrides"], first["error"]) == (
        first.response,
        {"seed": 1},
        False,
    )
    assert (second["response"], second["error"]) == (None, True)
    with pytest.raises(KeyError):
        first["tokens"]


async def test_a_prompt_may_be_a_string():
    provider = EchoProvider()
    assert (await provider.complete("hello")).content == "Echo: hello"
    assert provider.get_last_user_message() == "hello"


async def test_a_conversation_that_grows_later_is_remembered_as_it_was():
    provider = EchoProvider()
    messages = [LLMMessage("user", "one")]
    await provider.complete(messages)
    messages.append(LLMMessage("user", "two"))
    assert len(provider.get_call(0).messages) == 1


def broken(messages):
    raise ZeroDivisionError("in the function")


@pytest.mark.parametrize(
    ("provider", "kind"),
    [
        (EchoProvider(responses=[ErrorResponse(ConnectionError())]), ConnectionError),
        (EchoProvider(strict=True), ResponseQueueExhaustedError),
        (EchoProvider(response_fn=broken), ZeroDivisionError),
    ],
    ids=["scripted", "exhausted", "function"],
)
async def test_a_failed_call_is_remembered_with_its_error_and_no_response(provider, kind):
    with pytest.raises(kind) as caught:
        await ask(provider, "a")
    assert provider.call_count == 1
    assert provider.get_last_call().response is None
    assert provider.get_last_call().exception is caught.value
    assert provider.get_last_user_message() == "a"


async def test_attempts_of_an_executor_are_calls():
    provider = EchoProvider(responses=[ErrorResponse(OSError("blip")), "ok"])
    await ParallelLLMExecutor(provider).gather([LLMTask("a"), LLMTask("b")])
    assert [call.error for call in provider.calls] == [True, False]


# -- set-up and tear-down


async def test_every_setter_can_be_chained():
    provider = EchoProvider()
    assert (
        provider.add_response("a")
        .set_responses(["b"])
        .set_response_function(lambda messages: "c")
        .add_pattern_response("d", "e")
        .set_response_delay(0)
        .clear_responses()
        .clear_history()
        .reset()
    ) is provider


async def test_clearing_responses_keeps_the_history():
    provider = EchoProvider(responses=["one", "two"], response_fn=lambda messages: "function")
    provider.add_pattern_response("a", "pattern")
    await ask(provider, "a")
    provider.clear_responses()
    assert await ask(provider, "a") == "Echo: a"
    assert provider.call_count == 2


async def test_clearing_the_history_keeps_the_responses():
    provider = EchoProvider(responses=["one", "two"])
    await ask(provider, "a")
    assert provider.clear_history().call_count == 0
    assert await ask(provider, "b") == "two"


async def test_a_reset_forgets_both():
    provider = EchoProvider(responses=["one", "two"])
    await ask(provider, "a")
    assert provider.reset().call_count == 0
    assert await ask(provider, "b") == "Echo: b"


async def test_a_repr_shows_the_state():
    provider = EchoProvider(responses=["one", "two"])
    await ask(provider, "a")
    assert repr(provider) == "EchoProvider(1 calls, 1 scripted)"
