"""The version of the answers: whoever changes an answer counts it up, so that no cache gives an old one for a new."""

import hashlib

from ingather.extractive import VERSION, NothingFits, answer, json_answer
from tests.extractive.test_members import REPORT, Competitors, Products, Risks, Segments, schema_of
from tests.extractive.test_never_invents import ABSENT, BAKERY, schema

DIGESTS = {1: "6de7673c5fe2c892"}


def answers():
    """Answers to fixed requests: lists, figures, closed lists, refusals and plain text."""
    for model in (Segments, Products, Competitors, Risks):
        for question in (
            "What are they?",
            "- key_products: What are the main products, segments, rivals and risks?",
        ):
            yield json_answer(
                [("user", f"<document>\n{REPORT}\n</document>\n\n{question}")], schema_of(model)
            )
    for name, part in ABSENT.items():
        try:
            yield json_answer([("user", BAKERY + REPORT)], schema(**{name: part}))
        except NothingFits as refusal:
            yield str(refusal)
    yield answer([("user", f"{REPORT}\n\nSummarize the text.")])
    yield answer([("user", f"{REPORT}\n\nHow many employees are there?")])


def test_the_answers_of_this_version_are_those_that_were_recorded_for_it():
    digest = hashlib.sha256("\n".join(answers()).encode()).hexdigest()[:16]
    assert DIGESTS.get(VERSION) == digest, (
        "an answer has changed: count VERSION up, and record its digest here"
    )
