import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.tenk.tests.layouts import submission
from tenk import document
from tenk.document import Document, main_document, read_bytes
from tenk.errors import NotAFiling, TooLarge, Unreadable


def parts(content: bytes) -> list[Document]:
    return document.submission(content, "the file")


def text(content: bytes) -> str:
    return Document("", content).text("the file")


@given(st.binary(max_size=2000).filter(lambda content: not content.startswith(b"\x1f\x8b")))
def test_gzip_is_unpacked_also_where_it_is_several_files_in_one(content):
    assert read_bytes(content, "x") == content
    assert read_bytes(gzip.compress(content), "x") == content
    assert read_bytes(gzip.compress(content[:100]) + gzip.compress(content[100:]), "x") == content


def test_a_file_is_read_by_its_path(tmp_path):
    (tmp_path / "filing.gz").write_bytes(gzip.compress(b"FORM 10-K"))
    assert read_bytes(str(tmp_path / "filing.gz"), "x") == b"FORM 10-K"
    assert read_bytes(tmp_path / "filing.gz", "x") == b"FORM 10-K"


def test_a_gzip_bomb_is_refused_before_it_is_unpacked():
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join([packer.compress(bytes(2**24)) for _ in range(20)]) + packer.flush()
    with pytest.raises(TooLarge, match=r"unpacks from [\d,]+ to more than"):
        read_bytes(bomb, "bomb.gz")


@pytest.mark.parametrize(
    "broken", [gzip.compress(b"x" * 1000)[:-9], b"\x1f\x8bnothing", b"\x1f\x8b"]
)
def test_a_broken_gzip_is_told(broken):
    with pytest.raises(Unreadable, match=r"cannot unpack cut\.gz"):
        read_bytes(broken, "cut.gz")


def test_a_path_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(Unreadable, match="No such file"):
        read_bytes(tmp_path / "none.htm", "none.htm")
    with pytest.raises(Unreadable, match="Is a directory"):
        read_bytes(tmp_path, "folder")
    with pytest.raises(Unreadable, match="null byte"):
        read_bytes("a\0b", "a?b")


def test_what_is_larger_than_any_filing_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(document, "LARGEST", 1000)
    monkeypatch.setattr(document, "LARGEST_DOCUMENT", 100)
    (tmp_path / "large").write_bytes(b"x" * 1001)
    for source in (tmp_path / "large", b"x" * 1001):
        with pytest.raises(TooLarge, match="at most 1,000"):
            read_bytes(source, "large")
    with pytest.raises(TooLarge, match="at most 100 are read"):
        text(b"x" * 101)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7\n", "a PDF"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b'{"items": []}', "JSON"),
        (b" \n[1, 2]", "JSON"),
        (bytes(range(256)) * 20, "binary data"),
        (b"", "empty"),
        (b" \r\n\t ", "empty"),
    ],
)
def test_what_cannot_be_text_is_called_by_its_name(content, kind):
    with pytest.raises(NotAFiling, match=kind):
        parts(content)


def test_a_submission_is_its_documents():
    found = parts(
        submission(("10-K405", "the body"), ("EX-13", "the report"), ("EX-27", "data")).encode()
    )
    assert [part.type for part in found] == ["10-K405", "EX-13", "EX-27"]
    assert "the body" in main_document(found, "x").text("x")
    assert main_document(parts(b"FORM 10-K"), "x").type == ""


def test_documents_need_no_end_tags():
    found = parts(b"<DOCUMENT>\n<TYPE>10-K\n<TEXT>\none\n<DOCUMENT>\n<TYPE>EX-13\n<TEXT>\ntwo\n")
    assert [(part.type, part.text("x")) for part in found] == [("10-K", "one"), ("EX-13", "two")]


def test_a_submission_without_a_10_k_names_what_it_holds():
    with pytest.raises(NotAFiling, match="its documents are 10-Q, EX-27"):
        main_document(parts(submission(("10-Q", "x"), ("EX-27", "y")).encode()), "x")


@pytest.mark.parametrize("declared", ["", '<meta charset="utf-8">', '<?xml encoding="ASCII"?>'])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-8-sig", "utf-16"])
def test_bytes_are_decoded_by_what_they_are_not_by_what_they_say(encoding, declared):
    page = f"<html>{declared}<body><p>Management’s “discussion” – 5 €</p></body></html>"
    assert parts(page.encode(encoding))[0].text("x") == "Management’s “discussion” – 5 €"


def test_a_text_filing_loses_its_tags_and_keeps_its_columns():
    old = b"Sales<PAGE>\r\n<TABLE>\n<CAPTION>\n<S>    <C>\n  1994    5 &amp; 6  \n</TABLE>\x0c\x00\n\n\n\n\nend"
    assert text(old) == "Sales\n\n\n  1994    5 & 6\n\n\nend"
    assert Document("", old).markup is None
