"""What speaks for a value of a closed list: its own words, and a modest set of words for common kinds of values."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from ingather.extractive.related import FORM
from ingather.extractive.words import name_words, stem, stems

if TYPE_CHECKING:
    from ingather.extractive.schema import JSON

NEUTRAL = (
    "not_stated", "not_found", "not_applicable", "n/a", "neutral", "unknown", "unspecified", "undefined", "unclear",
    "none", "other",
)  # fmt: skip

# Each word of a value, and what in a text speaks for it. A phrase counts where all of its words
# stand in a sentence.
_TABLE = """
positive: amazing, best, excellent, fantastic, good, great, happy, love, perfect, strong, wonderful, record, growth,
    increased, improved, exceeded, pleased
negative: awful, bad, broken, disappointed, hate, horrible, poor, slow, terrible, weak, worse, worst, decline,
    decreased, loss, deteriorated, adverse
cautious: uncertain, challenging, volatile, headwinds, caution, pressure, softness, may not
high: materially adversely, severe, significantly, substantial, critical, serious, material adverse,
    materially harm, catastrophic
medium: adversely affect, harm, negatively impact, moderate, adverse
low: minor, immaterial, not material, limited impact, insignificant
up: increase, rose, grew, higher, growth, up, improved, gain, favorable
down: decrease, decline, fell, lower, down, reduced, drop, unfavorable
flat: unchanged, flat, same level, consistent with
mixed: partially offset, offset by
occurred: have experienced, has experienced, occurred, in the past, have had, has led, incurred, have been subject,
    have caused, was subject
likely: likely, expect, will continue, probable
possible: may, could, might, possible
remote: unlikely, remote
guidance: guidance, outlook, target range, forecast
expectation: expect, anticipate, believe, estimate, project
intention: intend, plan, aim, seek, commit, will continue to
possibility: may, could, might, possible
planned: plan, intend, will, propose, expect to begin
way: continue, ongoing, currently, began, begun, investing, expanding, developing
done: completed, acquired, launched, introduced, announced, opened
now: currently, now, today, this year, continue
year: next year, fiscal year, twelve months, 12 months
multi: long-term, over time, years, future generations, multi-year
market: demand, competition, competitors, prices, economic, consumer, market conditions, industry, customers
operational: manufacturing, defects, disruption, quality, facilities, execute, product,
    inventory, integrate
financial: debt, indebtedness, credit, liquidity, interest rates, currency, goodwill, impairment, investments,
    stock price, dividend, capital, financing, tax
legal: litigation, lawsuits, legal, proceedings, patent, infringement, liability, laws, intellectual
regulatory: regulation, laws, government, compliance, regulators, legislation, tax
technology: technology, technological, software, systems, product development, new products
cyber: cyber, cyberattacks, cyber-attacks, security, breach, hack, malware, data, privacy, unauthorized access
supply: suppliers, supply, components, shortage, third parties manufacture, foundry, raw materials, single source
chain: suppliers
geopolitical: export, international, countries, political, tariff, trade, war, terrorism, sanctions, china, foreign
people: personnel, employees, talent, key management, retain, hire, executives, directors
reputation: reputation, brand image, publicity
climate: climate, weather, environmental, earthquake, natural disaster, carbon, catastrophic events
supplier: supplier, manufacturer, foundry, vendor, supply, component
customer: customer, buyer, purchaser, end user, client
partner: partner, alliance, distributor, reseller, relationship, hospital, physician
person: officer, founder, executive, management, key personnel, employee
licence: licence, license, patent, permit
country: china, taiwan, country, countries, region, government
product: product, computer, device, drug, medicine, formulation, equipment, chip, processor, hardware
service: service, support, consulting, care, benefits, subscription, plan
platform: platform, ecosystem, infrastructure
brand: brand, trademark, reputation, name
scale: scale, largest, size, breadth, leading, broad, global
ip: patent, intellectual, proprietary, trademark, copyright
network: network, ecosystem, community, developers, relationships
switching: switching, retain, loyalty, installed base, renewal
cost: cost, efficient, low-cost, economies
distribution: distribution, channel, sales force, distributor, retail
regulation: regulation, approval, license, exclusivity, permit
revenue: revenue, sales
recognition: recognize
tax: tax, taxes, deferred
leases: lease, rent
debt: notes, borrowings, indebtedness, credit facility, debt
acquisitions: acquired, acquisition, purchase price, merger, business combination
goodwill: goodwill, intangible, impairment
pensions: pension, retirement, postretirement, benefit plan
stock: stock-based, share-based, stock options, restricted stock, equity awards
compensation: compensation
subsequent: subsequent, after the balance sheet date
event: events
unqualified: present fairly, presents fairly
qualified: except for
disclaimer: do not express, not express an opinion
adverse: do not present fairly, not maintained effective
equity: stockholders' equity, shareholders' equity, shareholders' investment
receivables: receivable
eps: earnings per share, income per share, per share
urgent: immediately, urgent, asap, emergency
active: active, current
"""


@lru_cache(maxsize=1)
def _table() -> dict[str, tuple[tuple[str, ...], ...]]:
    cues = dict[str, tuple[tuple[str, ...], ...]]()
    for line in _TABLE.replace("\n    ", " ").strip().splitlines():  # lines that go on are indented
        word, _, said = line.partition(":")
        cues[stem(word)] = tuple(stems_of(phrase) for phrase in said.split(","))
    return cues


_HEDGES = frozenset(map(stem, ("possible", "possibility")))
_HEDGED = 0.3  # weight of *may* and *could*, which stand beside whatever else is said
_PLAIN = re.compile(r"[^\W_]+")


def stems_of(phrase: str) -> tuple[str, ...]:
    """All stems of a phrase: here even *may* and *not* count."""
    return tuple(stem(word) for word in _PLAIN.findall(phrase.lower()))


@lru_cache(maxsize=4096)
def own_words(value: str) -> tuple[str, ...]:
    """The stems of a value itself: *supply_chain* is *supply* and *chain*."""
    return stems_of(" ".join(name_words(value)))


@lru_cache(maxsize=4096)
def explained(value: str, description: str) -> tuple[str, ...]:
    """The stems with which a description explains a value: of the clause behind ``value:`` or ```value` where``."""
    found = re.search(
        rf"[`'\"*]?\b{re.escape(value)}\b[`'\"*]?\s*(?::|=|-|–|—|\(|where|if|when|for|means)\s*([^;.`\n)]+)",
        description,
    )
    return tuple(word for word in stems(found[1]) if word not in FORM) if found else ()


def speaks_for(value: JSON, has: frozenset[str], description: str = "") -> float:
    """How strongly a sentence with these stems speaks for a value: 2 for its own words, less for others' cues."""
    if value is None or isinstance(value, bool | list | dict):
        return 0.0
    said = value if isinstance(value, str) else json.dumps(value)
    own = own_words(said)
    score = 2.0 if own and has.issuperset(own) else 0.0
    table = _table()
    for word in own:
        cues = table.get(word, ())
        score += (_HEDGED if word in _HEDGES else 1.0) * min(
            2.0, sum(has.issuperset(cue) * (1.0 if len(cue) == 1 else 1.5) for cue in cues)
        )
    clue = explained(said, description) if description else ()
    if clue:
        score += 2.0 * sum(word in has for word in clue) / len(clue)
    return score
