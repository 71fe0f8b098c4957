"""The tagged schedule of a 1990s submission becomes facts of one year."""

from datetime import date

import pytest

from tenk.facts import Period
from tenk.schedule import read_schedule


def value(facts, tag, period):
    return facts.find([f"fds:{tag}"], period).value


SCHEDULE = b"""<DOCUMENT>
<TYPE>10-K
<TEXT>
<CASH> 5 is no line of the schedule
</TEXT>
</DOCUMENT>
<DOCUMENT>
<TYPE>EX-27
<TEXT>
<TABLE> <S> <C>
<ARTICLE> 5
<MULTIPLIER> 1,000
<S>                             <C>             <C>
<PERIOD-TYPE>                   12-MOS          12-MOS
<FISCAL-YEAR-END>               JUN-30-1998     JUN-30-1997
<PERIOD-END>                    JUN-30-1998     JUN-30-1997
<CASH>                          1,203           9
<PP&E>                          700
<OTHER-SE>                      (42)
<NET-INCOME>                    -17
<EPS-PRIMARY>                   (.61)
<LEGEND> nothing
</TABLE>
</TEXT>
</DOCUMENT>
"""


def test_the_lines_are_multiplied_out_but_for_those_per_share():
    facts = read_schedule(SCHEDULE)
    day, year = Period(None, date(1998, 6, 30)), Period(date(1997, 7, 1), date(1998, 6, 30))
    assert (facts.document, year.is_year, facts.source) == (year, True, "schedule")
    assert value(facts, "CASH", day) == 1_203_000
    assert value(facts, "PP&E", day) == 700_000
    assert value(facts, "OTHER-SE", day) == -42_000
    assert value(facts, "NET-INCOME", year) == -17_000
    assert value(facts, "EPS-PRIMARY", year) == -0.61
    assert {fact.unit for fact in facts.facts if fact.concept == "fds:EPS-PRIMARY"} == {
        "USD/shares"
    }


def test_what_is_no_amount_is_no_fact():
    tags = {fact.concept for fact in read_schedule(SCHEDULE).facts}
    assert tags == {"fds:CASH", "fds:PP&E", "fds:OTHER-SE", "fds:NET-INCOME", "fds:EPS-PRIMARY"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><p>no schedule</p></html>",
        SCHEDULE.replace(b"12-MOS", b"3-MOS"),
        SCHEDULE.replace(b"JUN-30-1998", b"JUN-31-1998"),
        SCHEDULE.replace(b"<PERIOD-END>", b"<PERIOD-ENDS>"),
    ],
)
def test_without_a_schedule_for_a_year_there_are_no_facts(content):
    assert not read_schedule(content)


def test_the_schedule_of_a_real_submission_is_read(filings):
    facts = read_schedule((filings / "aapl-1994.txt").read_bytes())
    assert facts.fiscal_years.keys() == {1994}
    assert value(facts, "TOTAL-REVENUES", facts.document) == 9_188_748_000
    assert value(facts, "EPS-DILUTED", facts.document) == 2.61
