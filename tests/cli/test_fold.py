"""What is said in a terminal keeps to its width."""

import io

import pytest

from ingather.cli.fold import fold


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_long_lines_are_folded_between_words_under_their_label():
    text = f"done\n  limited by  {'word ' * 40}\ningather: {'word ' * 40}"
    lines = fold(text, Terminal()).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[2].startswith(" " * 14 + "word")
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())


def test_a_command_is_left_whole_so_that_it_can_be_copied():
    command = "  ingather run tasks.jsonl " + "--param a=b " * 20
    assert fold(command, Terminal()) == command


def test_a_pipe_gets_lines_as_they_are():
    assert fold("word " * 40, io.StringIO()) == "word " * 40
