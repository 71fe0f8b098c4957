import copy
import dataclasses
import functools
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import DeterministicTask, LLMMessage, LLMTask, RetryConfig

# -- messages


def test_a_message_has_a_role_and_a_content():
    assert (LLMMessage(role="user", content="hi").role, LLMMessage("user", "hi").content) == (
        "user",
        "hi",
    )
    assert LLMMessage("user", "hi") == LLMMessage("user", "hi")


def test_messages_do_not_share_their_metadata():
    first, second = LLMMessage("user", "a"), LLMMessage("user", "b")
    first.metadata["seen"] = True
    assert second.metadata == {}


def test_a_mapping_becomes_a_message_and_nothing_of_it_is_lost():
    message = LLMMessage.of(
        {
            "role": "tool",
            "content": "42",
            "name": "sum",
            "tool_call_id": "c1",
            "metadata": {"from": "test"},
        }
    )
    assert message == LLMMessage(
        "tool", "42", name="sum", metadata={"from": "test", "tool_call_id": "c1"}
    )


def test_a_message_stays_itself():
    message = LLMMessage("user", "hi")
    assert LLMMessage.of(message) is message


@pytest.mark.parametrize(
    "bad", ["hi", 42, None, [], {}, {"content": "no role"}, {"role": 1}, {"role": None}]
)
def test_what_is_no_message_raises_and_says_what_one_is(bad):
    with pytest.raises(TypeError, match="role"):
        LLMMessage.of(bad)


@given(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["system", "user", "assistant", "tool"]),
            "content": st.text() | st.none(),
        },
        optional={
            "name": st.text(),
            "extra": st.integers(),
            "metadata": st.dictionaries(st.text(), st.integers()),
        },
    )
)
def test_a_mapping_is_read_whole_and_left_alone(mapping):
    before = copy.deepcopy(mapping)
    message = LLMMessage.of(mapping)
    assert mapping == before
    assert (message.role, message.content, message.name) == (
        mapping["role"],
        mapping["content"],
        mapping.get("name"),
    )
    if "extra" in mapping:
        assert message.metadata["extra"] == mapping["extra"]


# -- LLMTask


def test_a_string_is_one_user_message():
    assert LLMTask("hi").messages == [LLMMessage("user", "hi")]


def test_messages_and_mappings_may_stand_side_by_side():
    task = LLMTask([{"role": "system", "content": "s"}, LLMMessage("user", "u")])
    assert task.messages == [LLMMessage("system", "s"), LLMMessage("user", "u")]


def test_a_tuple_of_messages_will_do():
    assert LLMTask((LLMMessage("user", "u"),)).messages == [LLMMessage("user", "u")]


def test_the_list_of_messages_is_the_tasks_own():
    mine = [LLMMessage("user", "one")]
    task = LLMTask(mine)
    mine.append(LLMMessage("user", "two"))
    assert len(task.messages) == 1


def test_the_order_of_the_arguments_is_the_seeds():
    retry = RetryConfig(max_attempts=2)
    task = LLMTask([LLMMessage("user", "hi")], {"temperature": 0.9}, retry, "tag", 5.0)
    assert (task.config_overrides, task.retry, task.tag, task.timeout) == (
        {"temperature": 0.9},
        retry,
        "tag",
        5.0,
    )


def test_the_defaults():
    task = LLMTask("hi")
    assert (task.config_overrides, task.retry, task.tag, task.timeout, task.deadline) == (
        None,
        None,
        "",
        None,
        None,
    )
    assert (task.response_model, task.sample) == (None, 0)


@pytest.mark.parametrize(
    "bad", [None, 42, b"bytes", LLMMessage("user", "one"), {"role": "user"}, iter([]), {"a"}]
)
def test_messages_of_another_form_raise(bad):
    with pytest.raises(TypeError, match="messages is a string or a list"):
        LLMTask(bad)


def test_a_list_with_something_else_in_it_raises():
    with pytest.raises(TypeError, match="a message is"):
        LLMTask(["hi"])  # type: ignore[list-item]


@pytest.mark.parametrize("bad", ["temperature", [("temperature", 1)], 42])
def test_overrides_that_are_no_mapping_raise(bad):
    with pytest.raises(TypeError, match="config_overrides"):
        LLMTask("hi", bad)


@pytest.mark.parametrize("name", ["timeout", "deadline"])
@pytest.mark.parametrize("bad", [0, -1, math.inf, math.nan])
@pytest.mark.parametrize(
    "kind",
    [functools.partial(LLMTask, "hi"), functools.partial(DeterministicTask, len)],
    ids=["model", "function"],
)
def test_times_that_are_not_positive_raise(kind, name, bad):
    with pytest.raises(ValueError, match=name):
        kind(**{name: bad})


@pytest.mark.parametrize(
    "task",
    [
        LLMTask("hi", {"seed": 1}, RetryConfig(), "t", 1.0, 2.0, None, 3),
        DeterministicTask(len, ("x",), {}, "t", 1.0),
    ],
)
def test_tasks_can_be_compared_copied_replaced_and_pickled(task):
    assert copy.copy(task) == task
    assert copy.deepcopy(task) == task
    assert dataclasses.replace(task) == task
    assert pickle.loads(pickle.dumps(task)) == task
    assert dataclasses.replace(task, tag="other").tag == "other"
    assert task.tag == "t"


# -- DeterministicTask


def test_a_function_with_its_arguments():
    task = DeterministicTask(fn=sorted, args=([2, 1],), kwargs={"reverse": True}, tag="sort")
    assert task.fn(*task.args, **task.kwargs) == [2, 1]
    assert (
        DeterministicTask(len).args,
        DeterministicTask(len).kwargs,
        DeterministicTask(len).tag,
    ) == ((), {}, "")


def test_functions_do_not_share_their_keyword_arguments():
    first, second = DeterministicTask(len), DeterministicTask(len)
    first.kwargs["key"] = 1
    assert second.kwargs == {}


@pytest.mark.parametrize("bad", [None, 42, "len", len([])])
def test_what_cannot_be_called_raises(bad):
    with pytest.raises(TypeError, match="callable"):
        DeterministicTask(bad)
