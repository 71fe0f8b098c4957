"""A number within a schema's bounds. Arithmetic only."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from ingather.extractive.schema import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingather.extractive.schema import Node


def allowed(node: Node, value: float, *, whole: bool) -> bool:
    """Whether `value` is within the bounds and a multiple as `node` wants it."""
    return bounded(node, value, whole=whole) == value


def bounded(node: Node, value: float, *, whole: bool) -> int | float:
    """`value`, or the nearest one that the bounds and ``multipleOf`` of `node` allow. SchemaError where none is."""
    low, above = _bound(node, "minimum", "exclusiveMinimum", max)
    high, below = _bound(node, "maximum", "exclusiveMaximum", min)
    step = _fraction(node.get("multipleOf")) or (Fraction(1) if whole else None)
    if whole and step is not None and step.denominator != 1:
        step = Fraction(step.numerator)  # the least multiple of a/b that is whole
    if step is not None:
        first = (
            None if low is None else math.floor(low / step) + 1 if above else math.ceil(low / step)
        )
        last = (
            None
            if high is None
            else math.ceil(high / step) - 1
            if below
            else math.floor(high / step)
        )
        if first is not None and last is not None and first > last:
            raise SchemaError(f"no number lies within the bounds of {_said(node)}")
        times = round(Fraction(value) / step)
        times = times if first is None else max(times, first)
        exact = step * (times if last is None else min(times, last))
        return (
            int(exact) if exact.denominator == 1 and (whole or abs(exact) < 2**53) else float(exact)
        )
    return _clamped(value, (low, above), (high, below), node)


def _clamped(
    value: float,
    lower: tuple[Fraction | None, bool],
    upper: tuple[Fraction | None, bool],
    node: Node,
) -> int | float:
    low, high = (None if bound is None else float(bound) for bound, _ in (lower, upper))
    if low is not None and (value < low or (lower[1] and value == low)):
        value = (
            low
            if not lower[1]
            else low + 1
            if high is None or low + 1 < high
            else low + (high - low) / 2
        )
    if high is not None and (value > high or (upper[1] and value == high)):
        value = (
            high
            if not upper[1]
            else high - 1
            if low is None or high - 1 > low
            else low + (high - low) / 2
        )
    if low is not None and (value < low or (lower[1] and value <= low)):
        value = math.nextafter(low, math.inf)
    if high is not None and (value > high or (upper[1] and value >= high)):
        raise SchemaError(f"no number lies within the bounds of {_said(node)}")
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else value


def _bound(
    node: Node, inclusive: str, exclusive: str, tighter: Callable[[Fraction, Fraction], Fraction]
) -> tuple[Fraction | None, bool]:
    plain, strict = _fraction(node.get(inclusive)), _fraction(node.get(exclusive))
    if node.get(exclusive) is True:  # the form of draft 4
        return plain, True
    if plain is None or strict is None:
        return (strict, True) if plain is None else (plain, False)
    return (strict, True) if tighter(plain, strict) == strict else (plain, False)


def _fraction(value: object) -> Fraction | None:
    return (
        Fraction(Decimal(repr(value)))
        if isinstance(value, int | float) and not isinstance(value, bool)
        else None
    )


def _said(node: Node) -> str:
    keys = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf")
    return json.dumps({key: node[key] for key in keys if key in node})
