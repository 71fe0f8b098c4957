"""Files are replaced only by what is whole, and keep what they are."""

import os
import stat

import pytest

from tenk.errors import TenkError
from tenk.saving import check_writable, save


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "out.json"
    path.write_text("old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TenkError, match="No space left"):
        save(path, "new")
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["out.json"]


def test_permissions_and_symbolic_links_stay(tmp_path):
    real, link = tmp_path / "real.json", tmp_path / "out.json"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    save(link, "new")
    assert (link.is_symlink(), real.read_text(), stat.S_IMODE(real.stat().st_mode)) == (
        True,
        "new",
        0o640,
    )


@pytest.mark.parametrize("name", ["out.md", "out.csv", "out.JSONL"])
def test_a_name_that_says_another_format_is_refused(tmp_path, name):
    with pytest.raises(TenkError, match=r"name it .*out\.json"):
        check_writable(tmp_path / name, "filing.htm", (".json",))


def test_the_filing_is_not_replaced(tmp_path):
    filing = tmp_path / "filing.json"
    filing.write_text("{}")
    with pytest.raises(TenkError, match="is the filing that is read"):
        check_writable(filing, str(filing), (".json",))
