"""CSV and TSV: a header, then a row each."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather.jobs import BadLine, Row
from ingather.jobs.tables import read_csv, read_tsv


def csv_rows(text: str | bytes):
    raw = text if isinstance(text, bytes) else text.encode()
    return list(read_csv(io.BytesIO(raw), "tasks.csv"))


def tsv_rows(text: str):
    return list(read_tsv(io.BytesIO(text.encode()), "tasks.tsv"))


def only_problem(items) -> str:
    [bad] = [item for item in items if isinstance(item, BadLine)]
    return str(bad)


def test_csv_rows_carry_the_header_s_names():
    assert csv_rows("id,text\n1,hello\n2,bye\n") == [
        Row(2, {"id": "1", "text": "hello"}),
        Row(3, {"id": "2", "text": "bye"}),
    ]


def test_a_quoted_field_may_span_lines_and_the_row_is_where_it_begins():
    assert csv_rows('id,text\n1,"a ""b"",\nc"\n2,d\n') == [
        Row(2, {"id": "1", "text": 'a "b",\nc'}),
        Row(4, {"id": "2", "text": "d"}),
    ]


def test_blank_lines_between_csv_rows_are_skipped():
    assert [row.line for row in csv_rows("id\n\n1\n\n2\n")] == [3, 5]


def test_a_csv_field_may_be_a_whole_document():
    [row] = csv_rows("text\n" + "x" * 1_000_000 + "\n")
    assert len(row.fields["text"]) == 1_000_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,text\n1\n", "line 2: 1 cell where the header has 2"),
        ("id,text\n1,a,b\n", "line 2: 3 cells where the header has 2"),
        ("id,id\n1,2\n", "line 1: the header names 'id' twice"),
        (",column 1\n1,2\n", "line 1: the header names 'column 1' twice"),
        ('id\n"a"b\n', "line 2: no row"),
        ('id\n"never closed\n', "line 2: no row"),
        (b"id\nok\n\xff\n", "line 3: not UTF-8: byte 0xff"),
        ("id\n1\n".encode("utf-16"), "line 1: the file is UTF-16"),
        ("id,text\n1,a\rb\n", "line 2: no row: a carriage return without a line feed"),
        ("id,text\r1,a\r", "line 1: no row: a carriage return without a line feed"),
    ],
)
def test_a_bad_csv_says_where_and_why(text, said):
    assert only_problem(csv_rows(text)).startswith("tasks.csv, " + said)


def test_a_csv_with_a_byte_order_mark_has_its_first_column():
    assert csv_rows(b"\xef\xbb\xbfid\n1\n") == [Row(2, {"id": "1"})]


def test_an_empty_field_is_empty_text():
    assert csv_rows('id,text,note\n1,,""\n') == [Row(2, {"id": "1", "text": "", "note": ""})]


def test_rows_after_a_bad_one_are_still_rows():
    good = [item for item in csv_rows('id,text\n1\n2,"a"b\n3,c\n') if isinstance(item, Row)]
    assert [(row.line, row.fields["id"]) for row in good] == [(4, "3")]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_header_says_what_parts_the_cells(sign):
    text = sign.join(["id", "text", "price"]) + "\n" + sign.join(["1", '"a\nb"', "2.50"]) + "\n"
    assert csv_rows(text) == [Row(2, {"id": "1", "text": "a\nb", "price": "2.50"})]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("id;price\n1;2,50\n", {"id": "1", "price": "2,50"}),
        ("id;price, net;x\n1;2,50;y\n", {"id": "1", "price, net": "2,50", "x": "y"}),
        ("id,text\n1,a;b;c\n", {"id": "1", "text": "a;b;c"}),
        ("id,a;b\n1,x\n", {"id": "1", "a;b": "x"}),
        ('id,"a;b;c"\n1,x;y;z\n', {"id": "1", "a;b;c": "x;y;z"}),
        ('"a;b"\nx\n', {"a;b": "x"}),
        ("question\nyes; or no\n", {"question": "yes; or no"}),
        ('"one\ntwo";id\nx;1\n', {"one\ntwo": "x", "id": "1"}),
        ('id;"say ""hi"", you"\n1;x\n', {"id": "1", 'say "hi", you': "x"}),
    ],
)
def test_signs_that_part_nothing_are_text(text, row):
    assert [found.fields for found in csv_rows(text)] == [row]


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_first_line_that_names_the_sign_is_no_header(bom, sign):
    text = f"sep={sign}\r\nid{sign}a.b\r\n1{sign}x\r\n2\r\n"
    row, bad = csv_rows(bom + text.encode())
    assert row == Row(3, {"id": "1", "a.b": "x"})
    assert str(bad).startswith("tasks.csv, line 4: 1 cell where the header has 2")


def test_a_ragged_table_of_semicolons_names_them():
    assert "a semicolon or quote too many?" in only_problem(csv_rows("id;text\n1;a;b\n"))


def test_no_more_lines_are_read_than_the_header_takes():
    def lines():
        yield b"id;text\n"
        yield b"1;a\n"
        raise AssertionError("read ahead")

    assert next(iter(read_csv(lines(), "-"))) == Row(2, {"id": "1", "text": "a"})


def test_tabs_part_the_cells_of_a_tsv():
    assert tsv_rows('id\ttext\n1\thello, "you"\n2\t"a\tb"\n') == [
        Row(2, {"id": "1", "text": 'hello, "you"'}),
        Row(3, {"id": "2", "text": "a\tb"}),
    ]


def test_a_ragged_tsv_names_the_line_and_the_tab():
    assert only_problem(tsv_rows("id\ttext\n1\n")) == (
        "tasks.tsv, line 2: 1 cell where the header has 2; a tab or quote too many?"
    )


def test_a_stray_quote_does_not_swallow_the_rest_of_a_big_file():
    text = 'id\n"' + "x" * 70_000_000 + "\n1\n"
    first, *rest = csv_rows(text)
    assert isinstance(first, BadLine)
    assert "field larger than" in str(first)
    assert rest == [Row(3, {"id": "1"})]


@pytest.mark.parametrize("delimiter", [",", "\t"])
@given(st.data())
def test_any_table_that_is_written_comes_back(delimiter, data):
    cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"))
    header = data.draw(
        st.lists(st.text("abcdefgh", min_size=1), min_size=2, max_size=4, unique=True)
    )
    table = data.draw(st.lists(st.lists(cells, min_size=len(header), max_size=len(header))))
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="\n").writerows([header, *table])
    lines = io.BytesIO(written.getvalue().encode())
    read = list((read_csv if delimiter == "," else read_tsv)(lines, "t"))
    assert [row.fields for row in read if isinstance(row, Row)] == [
        dict(zip(header, row, strict=True)) for row in table
    ]


@pytest.mark.parametrize("header", [b",q, ", b'"",q,""', b";q;"])
def test_a_column_without_a_name_is_called_by_where_it_stands(header):
    sign = b";" if b";" in header else b","
    (row,) = read_csv([header + b"\r\n", sign.join((b"0", b"hi", b"x")) + b"\r\n"], "pandas.csv")
    assert row == Row(2, {"column 1": "0", "q": "hi", "column 3": "x"})
