"""What a model thinks is not what it answers, in whatever form a server leaves it."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from ingather.errors import InvalidAnswer
from ingather.schema import Schema
from ingather.schema.thinking import visible


class Count(BaseModel):
    n: int
    note: str = ""


DRAFT = '{"n": 1}'
FINAL = '{"n": 2}'

PAIRS = [
    ("<think>", "</think>"),
    ("<THINK>", "</THINK>"),
    ("< think >", "</ think >"),
    ('<think time="3s" signature="a b">', "</think>"),
    ("<thinking>", "</thinking>"),
    ("<Thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<thoughts>", "</thoughts>"),
    ("<reasoning>", "</reasoning>"),
    ("<REASONING_PROCESS>", "</REASONING_PROCESS>"),
    ("<reflection>", "</reflection>"),
    ("<scratchpad>", "</scratchpad>"),
    ("<scratch_pad>", "</scratch_pad>"),
    ("<inner_monologue>", "</inner_monologue>"),
    ("<antThinking>", "</antThinking>"),
    ("<seed:think>", "</seed:think>"),
    ("<longcat_think>", "</longcat_think>"),
    ("<chain_of_thought>", "</chain_of_thought>"),
    ("<analysis>", "</analysis>"),
    ("<draft>", "</draft>"),
    ("[THINK]", "[/THINK]"),
    ("[thinking]", "[/thinking]"),
    ("◁think▷", "◁/think▷"),
    ("<|think|>", "<|/think|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<unused94>thought\n", "<unused95>"),
    ("&lt;think&gt;", "&lt;/think&gt;"),
    ("<｜begin▁of▁thinking｜>", "<｜end▁of▁thinking｜>"),
    ("<think_start>", "<think_end>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    (
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>",
    ),
    ("<|channel|>commentary to=user<|message|>", "<|end|>"),
    ("<|start|>assistant<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
    ("<|channel>thought\n", "<channel|>"),
    ("analysis", "assistantfinal"),
    ("Here is my thought process:", "Here is my response:"),
    ("```thinking\n", "\n```\n"),
    ('<details type="reasoning" done="true">', "</details>"),
    ("<details><summary>Thought for 3 s</summary>", "</details>"),
    ("<think><think>", "</think></think>"),
    ("<think>One. <reasoning>Two.</reasoning>", "</think>"),
]


TAGS = sorted({tag for pair in PAIRS for tag in pair})


@pytest.mark.parametrize(("opening", "closing"), PAIRS)
@pytest.mark.parametrize("gap", ["", "\n", "\n\nThe answer is:\n"])
def test_a_draft_in_thinking_is_never_the_answer(opening, closing, gap):
    text = f"{opening}Perhaps {DRAFT}? Or {{'n': 3}}.{closing}{gap}{FINAL}"
    assert Schema.of(Count).parse(text) == (Count(n=2), True)


@pytest.mark.parametrize(("opening", "closing"), PAIRS)
def test_thinking_behind_the_answer_is_none_either(opening, closing):
    if "final" in closing or "response" in closing:  # these announce the answer
        return
    assert Schema.of(Count).parse(f"{FINAL}\n{opening}Or {DRAFT}?{closing}").value == Count(n=2)


@pytest.mark.parametrize(
    "opening", sorted({opening for opening, _ in PAIRS} - {"analysis", "[thinking]"})
)
def test_thinking_without_an_end_holds_no_answer(opening):
    with pytest.raises(InvalidAnswer):
        Schema.of(Count).parse(f"{opening}Perhaps {DRAFT}, or\n{FINAL}")


@pytest.mark.parametrize(
    "closing", ["</think>", "</thinking>", "</reasoning>", "</seed:think>", "[/THINK]", "◁/think▷",
                "<|end_of_thought|>", "<|END_THINKING|>", "<unused95>", "<|channel|>final<|message|>", "assistantfinal"]
)  # fmt: skip
@pytest.mark.parametrize("gap", ["", " ", "\n\n"])
def test_an_end_without_a_beginning_ends_what_began_with_the_text(closing, gap):
    assert Schema.of(Count).parse(f"Perhaps {DRAFT}? No.{closing}{gap}{FINAL}").value == Count(n=2)
    assert Schema.of(Count).parse(f'I write {{"n": 3 {closing}{gap}{FINAL}').value == Count(n=2)


def test_other_ends_in_between_do_not_end_it():
    text = f'<think>It says </reasoning> {DRAFT} and "</think>"? </think>{FINAL}'
    assert Schema.of(Count).parse(text).value == Count(n=2)


@pytest.mark.parametrize("tag", TAGS)
def test_a_string_of_the_answer_may_hold_any_tag(tag):
    answer = Count(n=2, note=f"a {tag} {DRAFT} ``` b")
    text = answer.model_dump_json()
    assert Schema.of(Count).parse(text) == (answer, False)
    assert Schema.of(Count).parse(f"<think>Hm, {DRAFT}.</think>\n{text}").value == answer
    assert Schema.of(Count).parse(f"```json\n{text}\n```").value == answer


@pytest.mark.parametrize(
    "tag", ["<answer>", "<final_answer>", "<analysis_result>", "<output>", "<p class='x'>"]
)
def test_other_tags_are_none_of_thinking(tag):
    name = tag.strip("<>").split()[0]
    assert Schema.of(Count).parse(f"<think>{DRAFT}</think>{tag}{FINAL}</{name}>").value == Count(
        n=2
    )


@pytest.mark.parametrize(
    "text", ["See [analysis] and [reasoning](https://a.example): ", "1 < think > 0: "]
)
def test_references_are_none_of_thinking(text):
    assert "See [analysis]" not in text or Schema.of(Count).parse(text + FINAL).value == Count(n=2)


@pytest.mark.parametrize(
    "text",
    [
        "{'note': '</think>" + DRAFT + "', 'n': 2}",
        "{'note': '" + DRAFT + "', 'n': 2}",
        '{"note": "</think>{\\"n\\": 1}", "n": 2,}',
        '{"note": "</think>", n: ' + DRAFT + "}",
    ],
)
def test_a_broken_answer_that_quotes_a_tag_is_no_way_in(text):
    with pytest.raises(InvalidAnswer):
        Schema.of(Count).parse(text)


def test_a_bare_value_is_read_behind_thinking():
    assert Schema.of(int).parse("<think>41? 42?</think>\n42").value == 42
    assert Schema.of(list[int]).parse("[1]?</think>[2, 3]").value == [2, 3]


PROSE = [DRAFT, '{"', '"', "}", "{", "[1]", "\n", "x", "\\", " so ", "it's"]
PIECES = st.lists(st.sampled_from([*TAGS, *PROSE, "```", "```json\n"]), max_size=30).map("".join)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.sampled_from(PAIRS), PIECES, TEXT | PIECES)
@example(PAIRS[0], "</think>" + DRAFT, "</think>")
@example(PAIRS[0], '&lt;/think&gt;{"n": 1}```thinking\n', "")
@example(PAIRS[0], '</think>{"n": 1}```thinking\n', "```")
def test_whatever_is_thought_no_draft_is_the_answer(pair, thought, note):
    answer = Count(n=2, note=note)
    text = f"{pair[0]}{thought}{pair[1]}\n{json.dumps(answer.model_dump())}"
    try:
        found = Schema.of(Count).parse(text).value
    except InvalidAnswer:  # where it is not clear, it is asked for again
        return
    assert found == answer


@given(st.sampled_from(PAIRS), st.lists(st.sampled_from(PROSE)).map("".join), TEXT | PIECES)
@example(("analysis", "assistantfinal"), '{"', "]")
def test_thinking_without_tags_in_it_never_costs_an_answer(pair, thought, note):
    answer = Count(n=2, note=note)
    text = f"{pair[0]}{thought}{pair[1]}\n{json.dumps(answer.model_dump())}"
    assert Schema.of(Count).parse(text).value == answer


@given(st.text(st.characters(exclude_categories=["Cs"])) | PIECES)
def test_what_is_shown_is_of_the_text(text):
    assert len(visible(text)) <= len(text)
    assert all(piece in text for piece in visible(text).split("\n"))


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<think>",
        "</think>",
        "[THINK]",
        "<details>",
        '{"</think>',
        '{"a": "</think>',
        "<" + "a" * 40,
        "```think",
    ],
)
def test_a_megabyte_of_marks_is_read_in_linear_time(piece):
    text = piece * ((1 << 20) // len(piece))
    with pytest.raises(InvalidAnswer):
        Schema.of(Count).parse(text)
