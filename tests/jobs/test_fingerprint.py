"""What a task asks, as it stands on its answer line."""

import re

from pydantic import BaseModel

from ingather import LLMMessage, LLMTask
from ingather.jobs.fingerprint import Fingerprint, batch_id, read_batch_id


class City(BaseModel):
    name: str


def test_whatever_decides_the_answer_counts():
    model = Fingerprint("openai/any")
    tasks = [
        LLMTask("Hi"),
        LLMTask("Ho"),
        LLMTask("Hi", {"temperature": 0}),
        LLMTask([LLMMessage("system", "Be brief"), LLMMessage("user", "Hi")]),
        LLMTask("Hi", response_model=City),
    ]
    texts = [model.text(task) for task in tasks] + [Fingerprint("openai/other").text(tasks[0])]
    assert len(set(texts)) == len(texts)
    assert all(re.fullmatch(r"[0-9a-f]{16}", text) for text in texts)


def test_what_does_not_decide_it_does_not():
    model = Fingerprint("openai/any")
    assert model.text(LLMTask("Hi", tag="a")) == model.text(LLMTask("Hi", tag="b", timeout=3))


def test_a_batch_line_tells_it_in_its_own_id():
    asked = Fingerprint("openai/any").text(LLMTask("Hi"))
    ids = {batch_id(asked) for _ in range(100)}
    assert len(ids) == 100
    assert {read_batch_id(each) for each in ids} == {int(asked, 16)}


def test_an_id_that_others_made_tells_nothing():
    assert {read_batch_id(batch_id(None)) for _ in range(1000)} == {0}
    assert read_batch_id("batch_req_6748e4c9a0c88190b0ac7e5a5b0c2e9f") == 0
    assert read_batch_id(None) == read_batch_id("batch_req_123") == 0
