"""What is kept of limits from one process to the next, and that it can be switched off."""

import json

import pytest

from ingather.learnt import cache_directory, keep, recall
from ingather.limits.learnt import Learnt
from ingather.providers.base import QuotaKey

QUOTA = QuotaKey("openai", "api.openai.com", "sk-canary-0123456789abcdef", "gpt-5-mini")
LEARNT = Learnt(requests=20.0, cap=64.0)


@pytest.fixture(autouse=True)
def _own_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_it_comes_back_and_no_key_is_in_it():
    keep({QUOTA: LEARNT})
    assert recall(QUOTA) == LEARNT
    assert recall(QUOTA._replace(model="another")) is None
    assert "canary" not in (cache_directory() / "limits.json").read_text()


def test_after_a_day_it_is_forgotten():
    keep({QUOTA: LEARNT})
    path = cache_directory() / "limits.json"
    entries = json.loads(path.read_text())
    for entry in entries.values():
        entry["at"] -= 86_401
    path.write_text(json.dumps(entries))
    assert recall(QUOTA) is None


def test_it_is_neither_read_nor_written_where_that_is_not_wanted(monkeypatch):
    keep({QUOTA: LEARNT})
    monkeypatch.setenv("INGATHER_KEEP_LIMITS", "0")
    assert recall(QUOTA) is None
    keep({QUOTA._replace(model="another"): LEARNT})
    monkeypatch.delenv("INGATHER_KEEP_LIMITS")
    assert recall(QUOTA._replace(model="another")) is None
    assert recall(QUOTA) == LEARNT


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"x": 3}', b"\xff"])
def test_a_file_that_is_none_is_as_good_as_empty(content):
    path = cache_directory() / "limits.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert recall(QUOTA) is None
    keep({QUOTA: LEARNT})
    assert recall(QUOTA) == LEARNT
