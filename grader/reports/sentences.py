"""A check in sentences: what went wrong, where, and what to do next. Plain text; how it looks is for others."""

import contextlib
import re
import signal
import unicodedata
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import msgspec

from grader.model import Check, Outcome, Verdict, score
from grader.reports.words import all_of, messages, say, together

if TYPE_CHECKING:
    from grader.course import Section

# The file as a whole is at fault: mend that place before anything else.
_WHOLE_FILE = ("empty", "syntax", "import_raised", "no_module", "encoding")
# Ends that say nothing of one test in particular, so that equal ones mean one cause.
_NOT_ONE_VALUE = (
    "raised", "breakpoint", "input", "exited", "died", "died_code", "timeout", "memory", "output_too_big", "forged",
    "section_time", "denied", "internal", "hung", "killed", "needs_tier",
)  # fmt: skip
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


# What Python says of a text that it cannot read -> how we say it, in the reader's language: `syntax.NAME`.
_SYNTAX = {
    "full_width": r"invalid (?:non-printable )?character '(?P<what>.)'.*",
    "never_closed": r"'(?P<what>.)' was never closed",
    "never_opened": r"unmatched '(?P<what>.)'",
    "closed_otherwise": r"closing parenthesis '(?P<what>.)' does not match opening parenthesis '(?P<of>.)'.*",
    "no_colon": r"expected ':'",
    "no_block": r"expected an indented block.*",
    "indented": r"unexpected indent",
    "dedented": r"unindent does not match any outer indentation level",
    "tabs": r"inconsistent use of tabs and spaces in indentation",
    "no_quote": r"unterminated (?:f-string|triple-quoted |string).*",
    "no_comma": r"invalid syntax\. Perhaps you forgot a comma\?",
    "one_equals": r".*Maybe you meant '==' .*",
    "outside": r"'(?P<what>return|yield|await)' outside (?:async )?function",
    "plain": r"invalid syntax",
}
_HALF = str.maketrans("“”‘’、。【】《》", "\"\"'',.[]<>")  # Chinese marks that Unicode does not take for wide ones


def _syntax(message: str, lang: str) -> str:
    for name, form in _SYNTAX.items():
        if m := re.fullmatch(form, message):
            found = m.groupdict()
            half = unicodedata.normalize("NFKC", found.get("what", "").translate(_HALF))
            if name != "full_width" or half.isascii():
                return say(f"syntax.{name}", lang, **found, half=half)
    return message


def sentence(check: Check, lang: str) -> str:
    """What came out, in one sentence. Never fails: a kind without words of its own gets general ones."""
    shown = {k: _shown(v, lang) for k, v in check.params.items()}
    text = say("kind.unknown", lang, kind=check.kind or check.outcome.value)
    # The bare form does without parameters, for where the judge does not know them.
    for key in (_key(check), f"{_key(check)}_bare"):
        with contextlib.suppress(KeyError, IndexError, ValueError):
            text = say(key, lang, **_for_kind(check, shown, lang))
            break
    return say("kind.at", lang, at=shown["at"], text=text) if shown.get("at") else text


def details(check: Check, lang: str) -> list[str]:
    """What else the verdict lets us show: the error's own text, what came and what was wanted."""
    said = messages().get(_key(check), {}).get(lang, "")
    return [
        say(f"detail.{name}", lang, text=_shown(check.params[name], lang))
        for name in ("message", *(() if check.kind == "none" else ("came",)), "wanted")
        if check.params.get(name) not in (None, "") and f"{{{name}}}" not in said
    ]


def explanation(check: Check, mistakes: Mapping[str, str]) -> str | None:
    """The author's own words (Markdown), if the mistake was recognised."""
    names = (check.mistake, str(check.params.get("name", "")) if check.kind == "rule" else "")
    return next((mistakes[n] for n in names if n and n in mistakes), None)


def adds(check: Check) -> bool:
    """True if the sentence says more than the author's explanation of a mistake that is named like its kind does: what
    came out.
    """
    return check.mistake == check.kind and (
        "at" in check.params or "{" in messages().get(_key(check), {}).get("en", "")
    )


def outcome(check: Check, lang: str) -> str:
    """The outcome in a word."""
    return say(f"outcome.{check.outcome.value}", lang)


def unwritten(check: Check) -> bool:
    """True if there is nothing to judge yet."""
    return check.outcome is Outcome.NOT_WRITTEN and check.kind in ("", "not_written")


def common_cause(checks: tuple[Check, ...]) -> Check | None:
    """The one check that stands for all, if every test ended for the same reason: that is then said once."""
    ran = [c for c in checks if c.outcome is not Outcome.SKIPPED]
    if not ran or len({_cause(c) for c in ran}) > 1:
        return None
    first = max(ran, key=lambda c: len(c.params))  # only some may carry the error's own message
    if first.kind in _WHOLE_FILE:
        return first
    many = len({c.task for c in ran}) > 1 and first.kind in _NOT_ONE_VALUE
    return first if many and (first.kind != "raised" or first.where) else None


def _cause(check: Check) -> tuple[Any, ...]:
    return check.outcome, check.kind, check.where, check.mistake, str(check.params.get("error", ""))


def number(value: str | Fraction) -> str:
    """Points to two decimals: "3", "3.5", "0.67". The exact fraction is in the verdict."""
    return f"{float(Fraction(value)):.2f}".rstrip("0").rstrip(".")


def task_points(verdict: Verdict, section: "Section", task: int) -> tuple[str, str]:
    """What a task earned, and what it is worth."""
    earned, worth = score(verdict.checks, {task: section.points.get(task, 0)})
    return number(earned), number(worth)


def suggestion(
    verdict: Verdict,
    section: "Section",
    lang: str,
    at: Callable[[int | None], str],
    hints_left: Mapping[int, int],
    *,
    keys: bool = False,
) -> str:
    """The one next step. `at` tells a line of the answer, or (None) the whole; `hints_left` how many hints of each task
    were not shown yet; `keys`: it is a key of `learn watch`, not a command.
    """
    step, params = _step(verdict, section, at, hints_left)
    by_key = f"{step}_by_key"
    return say(by_key if keys and by_key in messages() else step, lang, **params)


def _step(
    verdict: Verdict, section: "Section", at: Callable[[int | None], str], hints_left: Mapping[int, int]
) -> tuple[str, dict[str, Any]]:
    if verdict.broken:
        return "suggest.doctor", {}
    if verdict.passed:
        shown = section.reference.is_file() and not section.homework
        return "suggest.next" if shown else "suggest.next_alone", {"section": section.number}
    if first := common_cause(verdict.checks):
        return "suggest.mend_line", {"section": section.number, "place": at(first.where)}
    failing = [c for c in verdict.checks if c.outcome is not Outcome.PASSED]
    wrong = [c for c in failing if not unwritten(c) and c.outcome is not Outcome.SKIPPED]
    if not wrong:
        task = next((c.task for c in failing if unwritten(c)), 1)
        started = len(failing) < len(verdict.checks)
        key = "suggest.go_on_writing" if started else "suggest.start"
        return key, {"section": section.number, "task": task}
    task = wrong[0].task
    if hints_left.get(task):
        return "suggest.hint", {"section": section.number, "task": task}
    if section.about.docs:
        return "suggest.docs", {"page": section.about.docs[0]}
    return "suggest.read", {"section": section.number}


def of_task(verdict: Verdict, section: "Section", task: int | None) -> Verdict:
    """What a verdict says of one task (None: of all); of one that is our fault, what it is. Of what was printed, it has
    what no other task's test did.
    """
    if task is None or verdict.broken:
        return verdict
    checks = tuple(c for c in verdict.checks if c.task == task)
    earned, worth = score(checks, {task: section.points.get(task, 0)})
    others = {i for c in verdict.checks if c.task != task for i in range(*c.printed)}
    stdout = "".join(char for i, char in enumerate(verdict.stdout) if i not in others)
    checks = tuple(msgspec.structs.replace(c, printed=(0, 0)) for c in checks)  # which were places in the whole
    return msgspec.structs.replace(verdict, checks=checks, points=earned, max_points=worth, stdout=stdout)


def shown(
    verdict: Verdict,
    section: "Section",
    lang: str,
    at: Callable[[int | None], str],
    hints_left: Mapping[int, int],
    *,
    task: int | None = None,
    keys: bool = False,
) -> tuple[Verdict, str]:
    """What of a verdict is shown, and the next step: after the only task that was asked for, the next one."""
    part = of_task(verdict, section, task)
    left = [n for n in verdict.tasks() if not verdict.task_passed(n)]
    if part.passed and left:
        return part, say("suggest.next_task", lang, section=section.number, task=left[0])
    return part, suggestion(part, section, lang, at, hints_left, keys=keys)


def as_magics(text: str) -> str:
    """The commands in a text as one gives them in a notebook."""
    text = re.sub(r"`learn hint \S+ (\d+)`", r"`%hint \1`", text)
    text = re.sub(r"`learn read \S+`", "`%lesson`", text)
    text = re.sub(r"`learn check \S+ (\d+)`", r"`%check \1`", text)
    text = re.sub(r"`learn check(?: [^\s`]+)?`", "`%check`", text)
    return text.replace("`learn ", "`!learn ")


def clean(text: str) -> str:
    """Text from a learner's program without what could move the cursor or colour the screen."""
    return _CONTROL.sub("", text.expandtabs(4))


def _key(check: Check) -> str:
    if check.kind == "raised" and check.params.get("origin") == "probe":
        return "kind.raised_in_probe"
    if check.kind == "keys" and not (check.params.get("missing") and check.params.get("extra")):
        return "kind.keys_missing" if check.params.get("missing") else "kind.keys_extra"
    if check.kind == "needs" and len(check.params.get("tasks", ())) > 1:
        return "kind.needs_several"
    return f"kind.{check.kind}"


def _for_kind(check: Check, shown: dict[str, str], lang: str) -> dict[str, str]:
    if check.kind == "unsendable":
        return shown | {"path": say("kind.unsendable_path", lang, path=shown["path"]) if shown.get("path") else ""}
    if check.kind == "syntax":
        return shown | {"message": _syntax(shown.get("message", "").rstrip("."), lang)}
    if check.kind == "rule" and check.mistake:
        return {}  # what has a name of its own is explained
    if check.kind == "needs" and (tasks := check.params.get("tasks") or [check.params.get("task", "")]):
        return shown | {"tasks": all_of([str(n) for n in tasks], lang)}
    if check.kind == "arity":
        return shown | {"message": shown.get("message", "").rstrip(".")}
    if check.kind == "exited" and shown.get("code") == "None":  # exit() and quit()
        return shown | {"code": "0"}
    if check.kind == "not_written" and not shown.get("name"):
        return {}
    if check.kind == "died" and isinstance(number := check.params.get("signal"), int):
        with contextlib.suppress(ValueError):
            return shown | {"signal": signal.Signals(number).name}
    return shown


def _shown(value: Any, lang: str) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        if value and all(isinstance(v, str) for v in value):
            return together(value, lang)
        inside = ", ".join(_shown(v, lang) for v in value)  # as Python writes it
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return clean(str(value))


def promise(check: Check, lang: str) -> str:
    """What the test checks, in that language or the first that it is told in."""
    return check.promise.get(lang) or next(iter(check.promise.values()), "")
