"""Rows become tasks."""

import pytest

from ingather.errors import SetupError
from ingather.jobs import Recipe, Row, Template


def line(fields, recipe=None):
    return (recipe or Recipe()).line(Row(7, fields))


def problem(fields, recipe=None) -> str:
    with pytest.raises(SetupError) as caught:
        line(fields, recipe)
    return str(caught.value)


def test_a_prompt_is_one_user_message():
    made = line({"id": "a", "prompt": "Hello"})
    assert (made.id, made.task.tag) == ("a", "a")
    assert [(message.role, message.content) for message in made.task.messages] == [
        ("user", "Hello")
    ]


def test_messages_are_taken_as_they_are():
    parts = [{"type": "text", "text": "Hi"}]
    made = line(
        {
            "messages": [
                {"role": "system", "content": "Be brief"},
                {"role": "user", "content": parts},
            ]
        }
    )
    assert [(message.role, message.content) for message in made.task.messages] == [
        ("system", "Be brief"),
        ("user", parts),
    ]


def test_metadata_travels_along():
    assert line({"prompt": "x", "metadata": {"page": 3}}).metadata == {"page": 3}


def test_params_of_a_line_go_over_those_of_the_run():
    made = line(
        {"prompt": "x", "params": {"temperature": 1}}, Recipe(params={"temperature": 0, "seed": 5})
    )
    assert made.task.config_overrides == {"temperature": 1, "seed": 5}


def test_the_system_message_is_for_rows_without_one():
    recipe = Recipe(system="Be brief")
    own = line(
        {"messages": [{"role": "system", "content": "Mine"}, {"role": "user", "content": "x"}]},
        recipe,
    )
    assert [message.content for message in line({"prompt": "x"}, recipe).task.messages] == [
        "Be brief",
        "x",
    ]
    assert [message.content for message in own.task.messages] == ["Mine", "x"]


def test_a_template_takes_any_row_as_data():
    recipe = Recipe(Template("Who is {name}? {params}"))
    made = line({"name": "Ida", "params": "not ours", "metadata": "nor this", "label": 3}, recipe)
    assert made.task.messages[0].content == "Who is Ida? not ours"
    assert made.task.config_overrides is None
    assert made.metadata is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"id": "a"}, "a"),
        ({"id": 5}, 5),
        ({"custom_id": "c"}, "c"),
        ({"id": "a", "custom_id": "c"}, "a"),
        ({"id": None}, "line-7"),
        ({}, "line-7"),
    ],
)
def test_the_id_is_the_row_s_own_or_made_of_its_line(fields, expected):
    assert line({**fields, "prompt": "x"}).id == expected


@pytest.mark.parametrize("key", [True, 1.5, "", [], {}])
def test_what_is_no_id_is_an_error(key):
    assert "'id' is text or a whole number" in problem({"id": key, "prompt": "x"})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "neither 'prompt' nor 'messages'"),
        ({"prompt": "x", "messages": []}, "both 'prompt' and 'messages'"),
        ({"prompt": 5}, "'prompt' is the text to send, not 5"),
        ({"prompt": "  "}, "'prompt' is the text to send"),
        ({"messages": []}, "not empty"),
        ({"messages": "x"}, "'messages' is a list"),
        ({"messages": ["x"]}, "message 1 has no 'role'"),
        (
            {"messages": [{"role": "user", "content": "x"}, {"role": "wizard", "content": "x"}]},
            "message 2 has no 'role'",
        ),
        ({"messages": [{"role": "user"}]}, "message 1 has no 'content'"),
        ({"messages": [{"role": "user", "content": 5}]}, "message 1 has no 'content'"),
        ({"messages": [{"role": "user", "content": [5]}]}, "an object with a 'type'"),
        ({"prompt": "x", "params": [1]}, "'params' is an object"),
        ({"prompt": "x", "params": {"api_key": "k"}}, "a line does not set 'api_key'"),
        ({"prompt": "x", "metadata": "m"}, "'metadata' is an object"),
        ({"prompt": "x", "temperature": 0}, "'temperature' is a parameter: put it under 'params'"),
        ({"prompt": "x", "parms": {}}, "did you mean 'params'?"),
        ({"text": "x", "label": 1}, "there are: 'text', 'label'"),
    ],
)
def test_a_row_that_is_no_task_says_what_to_do(fields, said):
    assert said in problem(fields)


def test_two_forms_of_an_answer_are_refused():
    assert "give one of them" in problem(
        {"prompt": "x", "params": {"response_format": {}}}, Recipe(response_model=int)
    )


@pytest.mark.parametrize(
    "text", ["a\0b", "\u05d0\u202eb", "x" * 5_000_000, "line\u2028break", "🙂"]
)
def test_unusual_texts_go_through_whole(text):
    assert line({"prompt": text}).task.messages[0].content == text
