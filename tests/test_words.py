"""Every message is there, in both languages, with the same parameters."""

import ast
import re
import string
from pathlib import Path

import click
import pytest

import cli
from grader import rules
from grader.calibrate import ANGULAR, LOG, PLAIN
from grader.course import Course
from grader.model import Outcome, Tier
from grader.reports import sentences, words
from grader.reports.words import LANGUAGES, UnknownLanguage, language, messages, say

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [ROOT / "cli.py", *sorted(p for p in (ROOT / "grader").rglob("*.py") if "_course" not in p.parts)]
TEMPLATES = sorted((ROOT / "grader" / "reports" / "pages").glob("*.j2"))
FINDERS = [
    ROOT / "grader" / f"{name}.py" for name in ("rules", "lessons", "pictures", "proof")
]  # what `learn dev check` finds

KINDS = [
    "type", "shape", "dtype", "length", "keys", "transposed", "nan", "inf", "sign", "factor", "offset", "order",
    "off_by_one", "some", "values", "tracks_gradient", "no_gradient", "below", "above", "not_equal", "not_raised",
    "wrong_error", "rule", "raised", "argument_changed", "unsendable", "arity", "none", "missing", "not_written",
    "syntax", "import_raised", "exited", "breakpoint", "input", "died", "died_code", "timeout", "memory",
    "output_too_big", "forged", "answer_too_big", "needs", "unreadable", "section_time",
    "encoding", "denied", "internal", "hung", "killed", "needs_tier", "hidden_name", "no_module", "number", "empty",
]  # fmt: skip

UNREADABLE = [
    "not_found", "encoding", "too_big", "not_a_notebook", "is_a_folder", "not_in_archive", "twice_in_archive",
    "refused_in_archive", "archive_broken", "archive_too_big", "archive_too_many", "archive_bomb",
    "code_in_markdown", "link",
]  # fmt: skip


def _fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", messages())
def test_both_languages_and_the_same_parameters(key):
    """Each message has each language, says something, and takes the same parameters in all."""
    texts = messages()[key]
    assert list(texts) == list(LANGUAGES)
    assert all(t.strip() for t in texts.values())
    assert _fields(texts["en"]) == _fields(texts["zh"])
    assert sorted(re.findall(r"`[^`]*`", texts["en"])) == sorted(re.findall(r"`[^`]*`", texts["zh"]))


def test_chinese_keeps_to_the_glossary():
    """Messages and README name a thing as the lessons do."""
    readme = (ROOT / "README.zh.md").read_text(encoding="utf-8").splitlines()
    texts = [*(t["zh"] for t in messages().values()), *readme]
    found = zip(texts, rules.misnamed(texts, Course.ours().glossary), strict=True)
    assert [(text, [word for word, _ in rejected]) for text, rejected in found if rejected] == []


def test_chinese_is_chinese():
    """No message was left in English, commands and names aside."""
    left = [k for k, t in messages().items() if not re.search(r"[\u4e00-\u9fff]", t["zh"])]
    assert set(left) <= {
        "list.and",
        "list.also",
        "doctor.versions",
        "error.prefix",
        "solution.other",
        "class.change",
        "class.unjudged_one",
        "feedback.counted",
    }


# Chinese has punctuation of its own; but `a, b` and f() are code.
HALF_WIDTH = re.compile(r"[一-鿿」）”}`][,;:!?](?![\w{])|[,;:!?] *[一-鿿]|[一-鿿]\(|\([一-鿿]|[一-鿿]\)")


def test_chinese_has_its_own_punctuation():
    """No half-width mark beside a Chinese character, a command or a parameter, and no space after a full-width one."""
    for key, texts in messages().items():
        text = re.sub(r"`[^`]*`", "`", texts["zh"])
        assert not HALF_WIDTH.search(text), (key, HALF_WIDTH.search(text))
        assert not re.search("[，。；：？！、] (?!→)", text), key
    for wrong in ("课程; 好", "课程:好", "`learn`, 好", "{path}: 好", "课程(好)", "好!"):
        assert HALF_WIDTH.search(re.sub(r"`[^`]*`", "`", wrong)), wrong


def test_names_in_a_row_have_the_comma_of_their_language():
    """What people read is not joined by an English comma, except where Python would write one."""
    reports = [p for p in SOURCES if p.parent.name == "reports"]
    joins = [
        (path.name, ast.unparse(node))
        for path in [*reports, ROOT / "grader" / "shell.py", ROOT / "grader" / "commands" / "learner.py"]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and re.match(r"'[,;:] '\.join", ast.unparse(node.func))
    ]
    assert {name for name, _ in joins} <= {"charts.py", "sentences.py"} and len(joins) <= 3
    assert words.together(["a", "b"], "zh") == "a、b" and words.together(["a", "b"], "en") == "a, b"


def _literals():
    """String constants in the code, and the fixed start of f-strings."""
    exact, starts = set(), set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                exact.add(node.value)
            if isinstance(node, ast.JoinedStr) and isinstance(first := node.values[0], ast.Constant):
                starts.add(first.value)
    return exact | _in_templates(), starts


def _in_templates():
    """The keys that the pages' templates say."""
    return {key for path in TEMPLATES for key in re.findall(r"'(\w+\.\w+)'", path.read_text(encoding="utf-8"))}


def test_every_key_in_the_code_exists():
    """`say("...")` with a literal key always finds it."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "say":
                key = node.args[0] if node.args else None
                if isinstance(key, ast.Constant):
                    assert key.value in messages(), f"{path.name}:{node.lineno}"
    assert _in_templates() and _in_templates() <= set(messages())


def _commands(command):
    yield command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from _commands(command.get_command(context, name))


def _found():
    """Every node of the modules that find something."""
    return [n for path in FINDERS for n in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]


def test_every_key_is_used():
    """Nobody translates a message that is never said."""
    exact, starts = _literals()
    errors = (
        {f"error.{k}" for k in exact}
        | {f"{k}_near" for k in exact}
        | {f"error.{k}_near" for k in exact}
        | {f"help.{k}" for k in exact}
        | {f"{k}_by_key" for k in exact}
    )
    options = {f"help.option.{p.name}" for c in _commands(cli.learn) for p in c.params} | {"help.option.help"}
    unread = {f"error.unreadable_{k}" for k in UNREADABLE}
    findings = {f"proof.{n.value}" for n in _found() if isinstance(n, ast.Constant)}
    kinds = {f"kind.{k}" for k in KINDS} | {f"kind.{k}_bare" for k in KINDS}
    kept = ("outcome.", "list.", "doctor.tier.", "detail.", "unplaced.", "unjudged.", "layout.", "update.", "export.")
    kept += ("solution.old_", "degraded.")
    families = {s for s in starts if s in kept}
    measured = {f"{f}.{k}" for k in exact for f in ("mutants", "quality")}
    measured |= {f"calibrate.{s.name}" for s in (ANGULAR, LOG, PLAIN)}
    signs = {f"doctor.{no}{k}" for k in exact for no in ("", "no_")}
    syntax = {f"syntax.{k}" for k in sentences._SYNTAX}
    used = exact | syntax | errors | signs | measured | options | unread | kinds | findings
    assert [k for k in messages() if k not in used and not any(k.startswith(f) for f in families)] == []


def test_every_finding_has_words():
    """Whatever `learn dev check` can find, it can say."""
    kinds = [n.args[1] for n in _found() if isinstance(n, ast.Call) and ast.unparse(n.func) == "Finding"]
    named = {k.value for k in kinds if isinstance(k, ast.Constant)}
    chosen = {
        n.value
        for n in _found()
        if isinstance(n, ast.Constant) and re.match(r"(link|block|prints|picture)_(?!open)", str(n.value))
    }
    assert len(named) > 25 and len(chosen) > 8 and {f"proof.{k}" for k in named | chosen} <= set(messages())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_words(kind):
    """No verdict falls back to general words."""
    assert f"kind.{kind}" in messages()


def test_every_outcome_and_tier_has_words():
    """Nor does an outcome or a tier."""
    for lang in LANGUAGES:
        assert all(say(f"outcome.{o.value}", lang) for o in Outcome) and all(
            say(f"doctor.tier.{t}", lang) for t in Tier
        )


def test_a_missing_key_or_parameter_is_an_error():
    """Our mistakes are loud in tests."""
    with pytest.raises(KeyError):
        say("no.such.key", "en")
    with pytest.raises(KeyError):
        say("error.no_section", "en")


@pytest.mark.parametrize(
    ("flag", "remembered", "environ", "expected"),
    [
        ("en", "zh", {"LEARN_LANG": "zh", "LANG": "zh_CN.UTF-8"}, "en"),
        (None, "en", {"LEARN_LANG": "zh"}, "zh"),
        (None, "zh", {"LANG": "en_US.UTF-8"}, "zh"),
        (None, "klingon", {"LANG": "zh_TW"}, "zh"),
        (None, None, {"LANG": "zh_CN.UTF-8"}, "zh"),
        (None, None, {"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        (None, None, {"LC_ALL": "", "LC_MESSAGES": "zh_CN", "LANG": "de_DE"}, "zh"),
        (None, None, {"LANG": "de_DE.UTF-8"}, "en"),
        (None, None, {}, "en"),
    ],
)
def test_which_language(flag, remembered, environ, expected):
    """Flag, then LEARN_LANG, then what was remembered, then the locale, then English."""
    assert language(flag, remembered, environ) == expected


@pytest.mark.parametrize(("flag", "environ"), [("fr", {}), (None, {"LEARN_LANG": "fr"})])
def test_a_language_that_there_is_not(flag, environ):
    """Asked for by name, another language is refused, not replaced in silence."""
    with pytest.raises(UnknownLanguage):
        language(flag, None, environ)


def test_messages_are_read_once():
    """The file is not parsed again for each message."""
    assert words.messages() is words.messages()
