import pytest

from ingather.extractive.figures import numbers
from ingather.extractive.finders import dates, labelled, listed, names, roles


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("John Smith is here", "John Smith"),
        ("Revenue grew at Acme Inc. in May", "Acme Inc"),
        ("He met Dr. Anna Lee, a nurse", "Dr. Anna Lee"),
        ("It is the Bank of America", "Bank of America"),
        ("We like Acme's boats", "Acme"),
        ("Apple sells phones", "Apple"),
        ("We saw Zoë Ångström", "Zoë Ångström"),
    ],
)
def test_a_name_is_a_run_of_capitals(text, first):
    assert names(text)[0] == first


def test_small_words_are_no_names():
    assert names("The boats are at no place of ours. We saw it; She did too.") == ()
    assert names("The Acme Boat sank")[0] == "Acme Boat"


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("Ann is a 30-year-old software engineer", "software engineer"),
        ("Ann was the chief of staff at IBM", "chief of staff"),
        ("Tom is a 32 years old DevOps engineer.", "DevOps engineer"),
    ],
)
def test_a_role_is_what_somebody_is(text, role):
    assert roles(text) == [role]


@pytest.mark.parametrize(
    "text",
    [
        "on 2024-03-05 we",
        "March 5, 2024",
        "Mar. 5 2024",
        "5 March 2024",
        "the 5th of March 2024",
        "3/5/2024",
    ],
)
def test_dates_become_iso(text):
    assert [iso for _, iso in dates(text)] == ["2024-03-05"]


def test_days_that_are_not_are_no_dates():
    assert dates("2/30/2024, 13/13/2024, 2023-00-01") == []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("$3.2 billion", [3.2e9]),
        ("up 12% from 2,900", [12, 2900]),
        ("it lost -5.5 points", [-5.5]),
        ("Form 10-K, B2B, v1.2.3, A4", []),
        ("a 30-year-old", [30]),
        ("1,234,567.89 and 0.5", [1234567.89, 0.5]),
    ],
)
def test_numbers(text, values):
    assert [number.value for number in numbers(text)] == values


def test_money_percent_and_years_are_seen():
    money, percent, year = numbers("$5 and 12% in 1999")
    assert (money.money, percent.percent, year.year) == (True, True, True)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("Name: Ann Lee\nAge: 30", [("Name", "Ann Lee"), ("Age", "30")]),
        ("name=Al, age=5", [("name", "Al"), ("age", "5")]),
        ("- Occupation: nurse, midwife", [("Occupation", "nurse, midwife")]),
        ('{"a": "b", "c": 4}', [("a", "b"), ("c", "4")]),
        ("It was 10:30 then", []),
    ],
)
def test_labelled_values(text, pairs):
    assert list(labelled(text)) == pairs


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("Our segments: Sailing; Motor; and Repair.", ["Sailing", "Motor", "Repair"]),
        ("It sells boats, cars and planes.", ["boats", "cars", "planes"]),
        ("Skills: Python, Go, and Rust", ["Python", "Go", "Rust"]),
        ("It is late, but fine.", []),
        ("nothing here", []),
    ],
)
def test_lists_within_a_sentence(text, members):
    assert listed(text) == members
