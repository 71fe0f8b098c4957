import json

import pytest

from ingather.extractive import answer, json_answer
from ingather.extractive.prompt import Source, embedded_schema, source

TEXT = "Acme sells boats. Its office is in Oslo."


@pytest.mark.parametrize(
    ("prompt", "question"),
    [
        (f"Extract the facts: {TEXT}", "Extract the facts:"),
        (f"Summarize: {TEXT}", "Summarize:"),
        (f"Where is its office?\n\n{TEXT}", "Where is its office?"),
        (f"{TEXT}\n\nWhere is its office?", "Where is its office?"),
        (f"{TEXT} Where is its office?", "Where is its office?"),
        (f"Summarize the following text:\n\n{TEXT}", "Summarize the following text:"),
        (
            f"You are an analyst. Answer in one sentence.\n\nText: {TEXT}",
            "You are an analyst.\nAnswer in one sentence.",
        ),
        (f"Text: {TEXT}\nQuestion: where is its office?", "Question: where is its office?"),
        (TEXT, ""),
    ],
)
def test_question_and_text_are_told_apart(prompt, question):
    found = source([("user", prompt)])
    assert found.question == question
    assert found.text.split() == TEXT.split()


@pytest.mark.parametrize(
    "text",
    [
        "Name: Ann Lee\nAge: 30",
        "Return on equity was 5%. State taxes rose.",
        "For the year ended in May we grew. When rates fall, we grow.",
        "List prices rose. Names matter.",
    ],
)
def test_statements_that_open_like_orders_stay_text(text):
    assert source([("user", text)]) == Source("", text)


def test_the_system_asks_and_the_assistant_says_nothing_to_extract():
    turns = [
        ("system", "Extract."),
        ("user", TEXT),
        ("assistant", '{"name": "Bob"}'),
        ("user", "Extract the name again."),
    ]
    assert source(turns) == Source("Extract.\nExtract the name again.", TEXT)


def test_a_prompt_that_only_asks_is_its_own_text():
    assert source([("user", "Name a prime")]).text == "Name a prime"
    assert source([("user", "What is it?")]).text == "What is it?"


def test_the_best_sentence_is_verbatim():
    assert answer([("user", f"{TEXT}\n\nWhere is the office?")]) == "Its office is in Oslo."


def test_a_summary_is_in_the_order_of_the_text():
    text = "Boats are sold. Oslo is far. Cats sleep. Boats and Oslo are what Acme has."
    summary = answer([("user", f"Summarize what is said of Acme, boats and Oslo:\n\n{text}")])
    assert [summary.index(part) for part in ("Boats are", "Oslo is", "Boats and")] == [0, 16, 29]


@pytest.mark.parametrize(
    "turns", [[], [("user", "")], [("user", " \n")], [("assistant", "x")], [("user", "?")]]
)
def test_nothing_asked_is_answered_all_the_same(turns):
    assert isinstance(answer(turns), str)
    assert isinstance(json.loads(json_answer(turns)), dict)


def test_a_schema_in_the_prompt_is_followed():
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    prompt = f"Reply in JSON that fits this schema: {json.dumps(schema)}\n\n{TEXT}"
    assert json.loads(answer([("user", prompt)])) == {"city": "Oslo"}
    assert json.loads(
        json_answer([("system", f"Schema: {json.dumps(schema)}"), ("user", TEXT)])
    ) == {"city": "Oslo"}


def test_braces_that_are_no_schema_stay_text():
    text = 'a {"properties"} and {"x": 1} b'
    assert embedded_schema(text) == (None, text)


def test_words_about_the_form_of_the_answer_are_no_part_of_the_question():
    schema = {"type": "object", "properties": {"value": {"type": "integer"}}, "required": ["value"]}
    form = f"Answer with JSON only, one value that fits the JSON schema below: no prose.\n\n{json.dumps(schema)}"
    turns = [("system", form), ("user", "Lars is 52 years old. How old is he?")]
    assert json_answer(turns, schema) == '{"value": 52}'
    assert json_answer(turns) == '{"value": 52}'
