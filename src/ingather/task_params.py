"""Parameters of a call that are given as keyword arguments of its task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_OTHERWISE = {
    "api_key": "give it to connect()",
    "base_url": "give it to connect()",
    "headers": "give them to connect()",
    "max_concurrency": "give it to the executor",
    "prompt": "it goes first, without a name",
    "system_prompt": "write system=",
    "max_retries": "write retry=RetryConfig(max_attempts=…)",
    "retries": "write retry=RetryConfig(max_attempts=…)",
    "num_retries": "write retry=RetryConfig(max_attempts=…)",
    "params": "write them as keyword arguments, or as config_overrides={…}",
}
_NOT_OURS = {"samplers"}  # llama.cpp's, near as it is to `sample`


def with_params(overrides: Mapping[str, object] | None, params: Mapping[str, object]) -> Mapping[str, object] | None:
    """`overrides` and `params` together. Raises TypeError where both give one, and for overrides of another form.

    >>> with_params({"seed": 1}, {"temperature": 0})
    {'seed': 1, 'temperature': 0}
    """
    if overrides is not None and not isinstance(overrides, Mapping):
        raise TypeError(f"config_overrides is a mapping of parameters, not {overrides!r:.80}")
    if not params:
        return overrides
    twice = [name for name in params if name in (overrides or {})]
    if twice:
        raise TypeError(f"{twice[0]!r} is given twice: by {twice[0]}= and in config_overrides")
    return {**(overrides or {}), **params}


def refuse_unknown(params: Mapping[str, object], kind: type[DataclassInstance], *also: str) -> None:
    """Raise TypeError for a keyword argument that is a slip, and no parameter of the provider's.

    `kind`: the class of the task; `also`: its keyword arguments that are no fields.
    """
    if not params:
        return
    own = [*(item.name for item in fields(kind)), *also]
    for name in params:
        if name in _OTHERWISE:
            raise TypeError(f"{kind.__name__} takes no {name}=: {_OTHERWISE[name]}")
        close = [] if name in _NOT_OURS else get_close_matches(name, own, n=1, cutoff=0.75)
        if close:
            raise TypeError(f"{kind.__name__} takes no {name}=: did you mean {close[0]}=?")
