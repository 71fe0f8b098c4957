import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenk.markup import plain_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div><div>one</div></div>two", "one\n\ntwo"),
        ("one<br>two", "one\ntwo"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a\tb\nc"),
        ("<table><tr><td><p>a</p></td><td><p>b</p></td></tr></table>", "a\tb"),
        ("<table><tr><td>a</td><td></td><td>b</td></tr></table>", "a\tb"),
        ("<p>x</p><table><tr><td></td><td>a</td></tr></table><p>y</p>", "x\n\na\n\ny"),
        ("<table><tr><td><p>a</p><p>b</p></td></tr></table>", "a\n\nb"),
        ("<p>so\r\n  many\t\tblanks&nbsp;&nbsp; here</p>", "so many blanks here"),
        ("<b>I</b><font size=1>TEM</font> 1", "ITEM 1"),
        ("<p>&nbsp;</p><p>a</p><p>&#160;</p><p>b</p>", "a\n\nb"),
        ("<pre>a   b\n  c</pre>", "a   b\n  c"),
        ("Management&#146;s &ldquo;view&#148; &amp; more", "Management’s “view” & more"),
        ("ris\u00adk fac\u200btors", "risk factors"),
        ("<title>no</title><style>no</style><script>no</script><!-- no -->yes", "yes"),
        (
            "<ix:header><p>no</p></ix:header><p style='color: red; DISPLAY: none'>no<br><i>no</i></p>yes",
            "yes",
        ),
        ("<p>a<ix:nonFraction name='x'>5</ix:nonFraction>b", "a5b"),
        ("", ""),
        ("<p></p>", ""),
    ],
)
def test_text_is_what_a_reader_sees(markup, text):
    assert plain_text(markup) == text


@given(st.text(max_size=300))
def test_any_markup_gives_text_without_runs_of_blanks(markup):
    text = plain_text(markup)
    assert text == text.strip()
    assert "\0" not in text


@given(
    st.lists(
        st.sampled_from(
            ["<div>", "</div>", "<p>", "<td>", "</tr>", "<table>", "<i>", "</b>", "<br>", "w"]
        )
    )
)
def test_no_word_is_lost_in_malformed_markup(pieces):
    assert plain_text("<html><body>" + "".join(pieces)).count("w") == pieces.count("w")


def test_depth_is_no_matter():
    deep = "<div>" * 100_000
    assert plain_text(f"{deep}at the bottom") == "at the bottom"
    assert (
        plain_text(f"{deep}at the bottom{'</div>' * 100_000}<p>and after")
        == "at the bottom\n\nand after"
    )
