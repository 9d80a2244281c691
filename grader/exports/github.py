"""What GitHub Actions reads of a step: workflow commands, the summary (Markdown), outputs; and a badge."""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grader.exports.parts import Answer, Part, line_of, one_line, told, wrong
from grader.model import Check, Outcome
from grader.reports.sentences import clean, explanation, outcome, promise, unwritten
from grader.reports.words import say

ANNOTATIONS = 10  # of a kind and step; GitHub shows no more
_SUMMARY = 1_000_000  # bytes that GitHub takes of a step, and a little room
_PRINTED = 4_000  # characters of what an answer printed
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$&:])")
_COLOURS = ("#c0392b", "#b7791f", "#2e7d32")  # nothing, something, all
_SYMBOLS = {"pass": "✅", "fail": "❌", "error": "⚠️"}


def command(name: str, message: str, **properties: str | int) -> str:
    """A workflow command, in one line: `::error file=a.py,line=3::…`."""
    about = ",".join(f"{k}={_property(str(v))}" for k, v in properties.items())
    return f"::{name} {about}::{_data(message)}" if about else f"::{name}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def annotations(answers: Sequence[Answer], lang: str) -> list[str]:
    """Commands that show at the learner's lines what is wrong there: the same thing at the same line once."""
    found: dict[tuple[str, int | None, str], str] = {}
    for answer in answers:
        for check, message in _wrong(answer, lang):
            line = line_of(answer, check) if check else None
            about = {"file": answer.file} | ({"line": str(line)} if line else {})
            title = _title(answer, check, lang) if check else answer.number
            found.setdefault((answer.file, line, message), command("error", message, **about, title=title))
        if answer.note:
            found[answer.file, None, answer.note] = command("warning", answer.note, file=answer.file)
    errors = [c for c in found.values() if c.startswith("::error")]
    return errors[:ANNOTATIONS] + [c for c in found.values() if c not in errors][:ANNOTATIONS]


def _wrong(answer: Answer, lang: str) -> Iterator[tuple[Check | None, str]]:
    """What there is to mend, each with its words: the sentence, and what the authors say."""
    if answer.verdict is None:
        yield None, clean(answer.why)
        return
    for task in sorted({c.task for c in answer.verdict.checks}):
        for check in wrong([c for c in answer.verdict.checks if c.task == task]):
            if not unwritten(check) and check.outcome is not Outcome.SKIPPED:
                place = answer.cells.get(check.where or 0, "") if answer.cells else ""
                more = explanation(check, answer.mistakes) or ""
                yield check, "\n\n".join(filter(None, (place, told(check, lang), clean(more))))


def _title(answer: Answer, check: Check, lang: str) -> str:
    if check.task not in answer.tasks:
        return answer.number
    return say("ci.part", lang, section=answer.number, task=check.task, name=answer.tasks[check.task][0])


def output(name: str, value: str) -> str:
    """A line of the file GITHUB_OUTPUT; the value has one line."""
    if "\n" in value or "\r" in value:
        raise ValueError(f"{name}: more than one line")
    return f"{name}={value}\n"


def summary(answers: Sequence[Answer], parts: Sequence[Part], lang: str, *, visible: bool) -> str:
    """The step's summary: a table of tasks, then what is wrong with each, and what the answers printed."""
    score, most = sum(p.score for p in parts), sum(p.max_score for p in parts)
    key = "ci.points_visible" if visible else "ci.points"
    lines = [f"## {say(key, lang, score=score, max_score=most)}", ""]
    if visible:
        lines += [say("ci.visible", lang), ""]
    lines += [f"| | {say('ci.task', lang)} | {say('ci.earned', lang)} | {say('ci.what', lang)} |", "|---|---|---:|---|"]
    for p in parts:
        lines.append(f"| {_SYMBOLS[p.status]} | {_text(p.name)} | {p.score}/{p.max_score} | {_text(p.message)} |")
    for answer in answers:
        lines += ["", *_section(answer, lang)]
    tiers = {a.verdict.sandbox.tier.value for a in answers if a.verdict}
    lines += ["", say("ci.sandbox", lang, tier=", ".join(sorted(tiers))) if tiers else ""]
    return _cut("\n".join(lines).rstrip() + "\n", lang)


def _section(answer: Answer, lang: str) -> list[str]:
    lines = [f"### {_text(f'{answer.number} {answer.title}')}", "", _text(answer.file)]
    if answer.note:
        lines += ["", f"⚠️ {_text(answer.note)}"]
    if answer.verdict is None:
        return [*lines, "", f"❌ {_text(answer.why)}"]
    failing = [c for c in answer.verdict.checks if c.outcome is not Outcome.PASSED]
    for check in wrong(failing) if failing else []:
        place = answer.cells.get(check.where or 0, "") if answer.cells else ""
        if not place and check.where:
            place = say("ci.line", lang, line=check.where)
        head = " · ".join(filter(None, (_title(answer, check, lang), outcome(check, lang), place)))
        lines += ["", f"**{_text(head)}**", ""]
        lines += [_text(promise(check, lang)), "", _text(told(check, lang))]
        if words := explanation(check, answer.mistakes):
            lines += ["", *(f"> {line}" for line in clean(words).splitlines())]
    if not failing:
        lines += ["", f"✅ {say('ci.all_passed', lang)}"]
    if printed := clean(answer.verdict.stdout)[:_PRINTED]:
        lines += ["", f"<details><summary>{say('ci.printed', lang)}</summary>", "", *_fenced(printed), "", "</details>"]
    return lines


def _fenced(text: str) -> list[str]:
    """As it is: the fence is longer than any in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return [f"{fence}text", text.rstrip("\n"), fence]


def _text(text: str) -> str:
    """One line in which nothing is markup and nothing is linked."""
    return _MARKDOWN.sub(r"\\\1", one_line(text))


def _cut(text: str, lang: str) -> str:
    """GitHub refuses a summary that is too long as a whole."""
    data = text.encode(errors="replace")
    if len(data) <= _SUMMARY:
        return data.decode()
    kept = data[:_SUMMARY].decode(errors="ignore").rpartition("\n\n")[0]
    return f"{kept}\n\n{say('ci.cut', lang)}\n"


def badge(parts: Sequence[Part]) -> Mapping[str, Any]:
    """The points in the form that shields.io's endpoint reads."""
    score, most = sum(p.score for p in parts), sum(p.max_score for p in parts)
    colour = _COLOURS[bool(score) + (score == most and all(p.status == "pass" for p in parts))]
    return {"schemaVersion": 1, "label": "PyTorch", "message": f"{score}/{most}", "color": colour}


def badge_json(parts: Sequence[Part]) -> str:
    """The same as text."""
    return json.dumps(badge(parts)) + "\n"


def badge_svg(parts: Sequence[Part]) -> str:
    """The same as a picture of its own."""
    about = badge(parts)
    label, message = html.escape(about["label"]), html.escape(about["message"])
    left, right = 7 * len(about["label"]) + 10, 7 * len(about["message"]) + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img"'
        f' aria-label="{label}: {message}"><title>{label}: {message}</title>'
        f'<rect width="{left}" height="20" fill="#444"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{about["color"]}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2}" y="14">{label}</text><text x="{left + right / 2}" y="14">{message}</text></g></svg>\n'
    )
