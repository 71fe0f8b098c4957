"""What the bundled filing tells in words and percentages agrees with its facts."""

import re
from decimal import ROUND_HALF_UP, Decimal

import pytest

from apps.tenk.tests.samples.reading import SEGMENTS, YEARS, along, fact, facts, item, text, total

CHANGE = re.compile(
    r"(increased|decreased) ([\d.]+)% to \$([\d.]+) million in (20\d\d) from \$([\d.]+) million in "
    r"(20\d\d)"
)
ROW = re.compile(
    r"^ *([A-Z][^\n$]*?) \$? ?([\d,]+) +\$? ?([\d,]+) +\$? ?(\(?[\d,]+ ?\)?) +(\(?[\d.]+ ?\)?%)",
    re.MULTILINE,
)


def test_each_change_that_is_told_with_its_amounts_is_right():
    changes = CHANGE.findall(text())
    assert len(changes) > 20
    for verb, percent, now, _, before, _ in changes:
        half = Decimal("0.05")
        least = (Decimal(now) - half) / (Decimal(before) + half) * 100 - 100
        most = (Decimal(now) + half) / (Decimal(before) - half) * 100 - 100
        told = Decimal(percent) * (1 if verb == "increased" else -1)
        assert least - half <= told <= most + half, (verb, percent, now, before)


def millions(value: Decimal) -> str:
    return str((value / 1_000_000).quantize(Decimal("0.1"), ROUND_HALF_UP))


def test_each_amount_of_such_a_change_is_a_fact_of_its_year():
    by_year = {year: {millions(f.value) for f in facts() if f.ended[:4] == year} for year in YEARS}
    for _, _, now, this, before, last in CHANGE.findall(text()):
        assert now in by_year[this]
        assert before in by_year[last]


def number(shown: str) -> Decimal:
    digits = Decimal(re.sub(r"[^\d.]", "", shown))
    return -digits if shown.startswith("(") else digits


def test_the_table_of_results_gives_the_changes_of_its_rows():
    rows = ROW.findall(item("7", "7A"))
    assert len(rows) >= 12
    for label, now, before, change, percent in rows:
        assert number(change) == number(now) - number(before), label
        assert abs(number(percent) - number(change) * 100 / number(before)) <= Decimal("0.05"), (
            label
        )


def test_shares_of_revenue_are_right():
    revenue = {year: fact("Revenues", year) for year in YEARS}
    shares = re.findall(
        r"^ *(Metering|Network Intelligence|Irrigation) \(([\d.]+)% of 2025 revenue\)",
        text(),
        re.MULTILINE,
    )
    parts = along("Revenues", "2025", SEGMENTS)
    assert len(shares) == 3
    for name, share in shares:
        assert round(parts[f"{name.replace(' ', '')}Member"] * 100 / revenue["2025"], 1) == Decimal(
            share
        )


@pytest.mark.parametrize(
    ("ratio", "above", "below"),
    [
        (r"Gross margin was ([\d.]+)%, against ([\d.]+)%", ["GrossProfit"], "Revenues"),
        (r"effective tax rate was ([\d.]+)%, against ([\d.]+)%", ["IncomeTaxExpenseBenefit"], ""),
        (
            r"and was ([\d.]+)% of revenue after ([\d.]+)%",
            ["SellingGeneralAndAdministrativeExpense"],
            "Revenues",
        ),
    ],
)
def test_a_ratio_that_is_told_is_right(ratio, above, below):
    (told,) = re.findall(ratio, item("7", "7A"))
    for year, percent in zip(YEARS, told, strict=False):
        whole = (
            fact(below, year) if below else total(year, "NetIncomeLoss", "IncomeTaxExpenseBenefit")
        )
        assert round(total(year, *above) * 100 / whole, 1) == Decimal(percent)
