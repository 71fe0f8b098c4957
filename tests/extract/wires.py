"""Extractions over a dialect without a wire, whose every moment and slot is known (`tests.run.stand_ins.Wire`)."""

import json
import re
from typing import Any

from pydantic import create_model

from ingather import ExtractTask

FOUR: Any = create_model("Four", a=(int, ...), b=(int, ...), c=(int, ...), d=(int, 0))
ALL = FOUR(a=1, b=1, c=1, d=1)


def fields_in(prompt):
    return re.findall(
        r"^- (\w+)", prompt.rpartition("Extract from the document:\n")[2], re.MULTILINE
    )


def ones(prompt, number=0):
    """Every field is 1, in the form that was asked for."""
    fields = fields_in(prompt)
    if not fields:  # no extraction's prompt
        return prompt
    whole = f'"properties": {{"{fields[0]}"' in prompt
    return json.dumps(dict.fromkeys(fields, 1) if whole else {"value": 1})


def one(text="Ones.", **options):
    return ExtractTask(text, FOUR, **{"split": "fields", **options})
