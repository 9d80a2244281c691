"""Lessons as they are read: on a terminal, and as HTML."""

import io
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from grader.reports import prose
from grader.reports.markdown import to_html

TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n`#*[]()!$<>|-中文，。“”"), max_size=200
)


def terminal(text, width=40):
    """What a terminal of that width shows, without colours."""
    return prose.shown(Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None), text)


def html(text, lead=lambda target: target, picture=lambda name: None):
    return str(to_html(text, lead, picture))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("张量有形状，\n也有类型", "张量有形状，也有类型"),
        ("张量\n形状", "张量形状"),
        ("**张量**\n形状", "张量形状"),
        ("调用 `backward`\n之后", "调用 backward 之后"),
        ("PyTorch\n张量", "PyTorch 张量"),
        ("用 PyTorch，\nNumPy 也行", "用 PyTorch，NumPy 也行"),
        ("a tensor\nhas a shape", "a tensor has a shape"),
    ],
)
def test_where_a_line_ends(written, read):
    """No space comes between Chinese characters where the Markdown has a line break; between words one does."""
    assert terminal(written).strip() == read
    assert re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html(written))).strip() == read


def test_code_is_copied_as_it_is_written():
    """A long line of code is one line however narrow the terminal, and begins at the margin."""
    code = "loss = criterion(model(inputs.to(device)), targets.to(device)) + 0.01 * sum(p.pow(2).sum() for p in params)"
    out = terminal(f"Text.\n\n```python\nif True:\n    {code}\n```\n", width=30)
    assert f"\nif True:\n    {code}\n" in out


def test_chinese_fills_its_lines():
    """A Chinese paragraph breaks anywhere but before what closes and after what opens, with a word of code in it."""
    out = terminal("调用“前向”之后，用 `optimizer.step()` 更新（只更新一次）。" * 6, width=24)
    lines = out.strip().splitlines()
    cells = [sum(2 if ord(c) > 0x2E7F else 1 for c in line.rstrip()) for line in lines]
    assert all(n <= 24 for n in cells) and sum(n < 6 for n in cells[:-1]) == 0
    assert not any(line[0] in "，。）”" or line.rstrip()[-1] in "（“" for line in lines)
    assert "\x1f" not in out


def test_a_picture_is_told_in_words():
    """On a terminal its alternative text stands for it, in brackets, and then its file."""
    assert terminal("![the graph of y](y.svg)").strip() == "[the graph of y] (y.svg)"


def test_formulas():
    """A formula is MathML on a page, and as it is written on a terminal; money is no formula."""
    page = html(r"The mean $\frac{1}{n} \sum x_i$, and" + "\n\n$$\na < b\n$$\n")
    inline, block = (ET.fromstring(m) for m in re.findall(r"<math.*?</math>", page, re.DOTALL))
    assert inline.get("display") == "inline" and block.get("display") == "block"
    assert [e.text for e in block.iter() if e.text and e.text.strip()] == ["a", "<", "b"]
    assert r"\frac{1}{n}" in terminal(r"The mean $\frac{1}{n} x$") and "a < b" in terminal("$$\na < b\n$$")
    assert "<math" not in html("It costs $5, or $6 for two.")


@pytest.mark.parametrize("tex", [r"\text{<img src=x onerror=alert(1)>}", r"\href{javascript:alert(1)}{x}", r"\frac{"])
def test_a_formula_smuggles_nothing_in(tex):
    """What TeX can say about links and text stays text."""
    math = ET.fromstring(re.search(r"<math.*?</math>|<code>.*?</code>", html(f"${tex}$"), re.DOTALL)[0])
    assert all(e.tag.rpartition("}")[2].startswith("m") or e is math for e in math.iter())
    assert not {"href", "style", "onerror"} & {name for e in math.iter() for name in e.attrib}


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <b onclick=x>b</b>",
        "<!-- x -->",
        "[x](javascript:alert(1))",
        "[x](vbscript:x)",
        "[x](data:text/html,x)",
        "![x](javascript:alert(1))",
        "```<script>\nx\n```",
    ],
)
def test_nothing_runs(text):
    """Raw HTML is shown as it is written, and no link leads to a script."""
    page = html(text)
    assert not re.search(r"<(script|b|!--)|(href|src)=\"(?!https)", page)


@settings(max_examples=150, deadline=None)
@given(text=TEXT)
def test_any_text_is_shown(text):
    """Whatever the Markdown, both ways show it, and HTML holds only what this module writes."""
    assert isinstance(terminal(text), str)
    tags = {t.lower() for t in re.findall(r"<\s*/?\s*([a-zA-Z!][\w-]*)", html(text))}
    known = (
        "a p pre code em strong s ul ol li h1 h2 h3 h4 h5 h6 hr br blockquote table thead tbody tr th td img span div"
    )
    formula = {t for t in tags if t.startswith("m")}
    assert tags - formula <= {*known.split(), "eq", "eqn", "section"}


def test_links_lead_where_they_may():
    """A link to nowhere is its text; others keep what they enclose."""
    page = html("[a](https://pytorch.org) [**b**](https://evil.example)", lambda t: t if "pytorch" in t else None)
    assert '<a href="https://pytorch.org">a</a> <strong>b</strong>' in page


def test_pictures_are_inside():
    """An SVG becomes a data address, with its words; one that knows no dark mode stays on white."""
    files = {"plain.svg": b"<svg/>", "both.svg": b"<svg><style>@media (prefers-color-scheme: dark){}</style></svg>"}
    page = html('![a "b"](plain.svg) ![c](both.svg) ![d](lost.svg)', picture=files.get)
    assert 'class="light" src="data:image/svg+xml;base64,PHN2Zy8+" alt="a &quot;b&quot;"' in page
    assert page.count("<img") == 2 and '<span class="lost">d</span>' in page
