"""A verdict on the terminal. 80 columns, plain when piped, and never by colour alone."""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from rich.console import Console, ConsoleDimensions
from rich.style import Style
from rich.text import Text
from rich.theme import Theme

from grader.model import Check, Outcome, Tier, Verdict
from grader.reports import sentences
from grader.reports.lines import MAY_BREAK, cells, rows, wrapped
from grader.reports.plain import answer_name, answer_title, sign, tasks_of, title, warnings
from grader.reports.words import LANGUAGES, say

if TYPE_CHECKING:
    from grader.answers import Answer
    from grader.course import Section

WIDTH = 80
_BESIDE = 72  # columns that one of several answers beside each other needs
_PRINTED = 20  # lines kept of what the learner's code printed
_HTML = '<pre style="white-space: pre-wrap">{code}</pre>'
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
_STYLES = {"✓": "green", "✗": "red", "·": "yellow", "!": "yellow"}
_MARKS = {"good": "✓", "lacking": "!", "bad": "✗"}


class _Cut(NamedTuple):
    """What is left of a verdict that is longer than the screen."""

    tasks: int  # that many have their first failure told; the others only their heading
    others: bool = False  # a line each for the further failures, and for the tasks that passed
    reason: bool = False  # not what was tested, if the author explains the reason

    @staticmethod
    def of(failing: int) -> "list[_Cut]":
        """From the longest to the shortest."""
        return [_Cut(failing, others=True), *map(_Cut, range(failing, 0, -1)), _Cut(1, reason=True)]


class Seen(NamedTuple):
    """What was judged, as the learner knows it."""

    path: str
    note: str = ""  # one line about it
    place: Callable[[int], str] | None = None  # how a line of it is told; None: as path:line

    def at(self, line: int | None) -> str:
        """That line, or the whole."""
        if not line:
            return self.path
        return self.place(line) if self.place else f"{self.path}:{line}"


def console(file: IO[str] | None = None) -> Console:
    """At most 80 columns on a terminal, exactly 80 in a pipe; rich itself honours NO_COLOR and TERM."""
    made = Console(file=file, highlight=False, emoji=False, markup=False)
    made.width = min(made.width, WIDTH) if made.is_terminal else WIDTH
    return made


def answers(section: "Section", task: int | None, found: "Sequence[Answer]", lang: str) -> str:
    """Right answers as a terminal shows them: what each is, then task by task, as many beside each other as there is
    room for, without lines that hinder copying.
    """
    from rich.columns import Columns
    from rich.console import Group
    from rich.syntax import Syntax

    out = Console(highlight=False, emoji=False, markup=False)
    beside = max(1, min(len(found), out.width // _BESIDE))
    with out.capture() as captured:
        for answer in found[1:] and found:
            lines = wrapped(answer_title(answer, lang), min(out.width, WIDTH) - 2)
            out.print(Text("— " + "\n  ".join(lines)), soft_wrap=True)
        for n, name in tasks_of(section, task):
            heading = say("solution.task", lang, section=section.number, task=n, name=name)
            out.print("", Text(heading, style="bold"), "", sep="\n")
            shown = []
            for answer in found:
                code = Syntax(
                    answer.tasks.get(n, ""), "python", theme="ansi_light", background_color="default", word_wrap=True
                )
                warned = [
                    Text("\n".join(wrapped(w, out.width // beside - 1)), "yellow") for w in warnings(answer, n, lang)
                ]
                shown.append(Group(Text(f"— {answer_name(answer, lang)}", style="italic"), *warned, "", code, ""))
            out.print(Columns(shown, width=out.width // beside - 1) if beside > 1 else Group(*shown))
    return captured.get()


def markdown(text: str, width: int = 0) -> str:
    """A lesson or a hint as a terminal shows it. `width`: in so many columns, 0: in those that there are."""
    from grader.reports import prose  # 80 ms, which a pass does not need

    out = console()
    out.size = ConsoleDimensions(width or out.width, out.height)
    return prose.shown(out, text).rstrip("\n")


def screen(
    verdict: Verdict,
    section: "Section",
    seen: Seen | str,
    lang: str,
    *,
    hints_left: Mapping[int, int] | None = None,
    debug: bool = False,
    task: int | None = None,
    watched: bool = False,
    keys: bool = False,
    height: int = 0,
    file: IO[str] | None = None,
) -> str:
    """All that `learn check` says. `seen`: what was judged, or just its path; `hints_left`: how many of each task were
    not shown yet; `task`: the only one to be shown; `watched`: the line below says which file it was; `keys`: the next
    step is a key; `height`: lines that there is room for (0: any number), beyond which each task has only its first
    failure told, or, one after the other, nothing but its heading; `file`: where it will be written.
    """
    seen = Seen(seen) if isinstance(seen, str) else seen
    out = console(file)
    shown, suggestion = sentences.shown(verdict, section, lang, seen.at, hints_left or {}, task=task, keys=keys)
    with out.capture() as captured:
        _Screen(verdict, section, seen, lang, out, watched).foot(suggestion)
    foot = captured.get().splitlines(keepends=True)

    every = task is not None or (keys and not height)  # whoever asked for more gets all

    def body(cut: _Cut | None) -> list[str]:
        with out.capture() as captured:
            _body(_Screen(shown, section, seen, lang, out, watched, cut, every=every, keys=keys), debug)
        return captured.get().splitlines(keepends=True)

    def room(lines: list[str]) -> int:
        return height - rows("".join(lines + foot), out.width)

    lines = body(None)
    if height and room(lines) < 0:
        lines, foot = _close(lines), _close(foot)
        whole, failing = len(lines), [n for n in shown.tasks() if not shown.task_passed(n)]
        for cut in _Cut.of(len(failing)) if room(lines) < 0 else ():
            lines = _close(body(cut))
            if room(lines) > 0:
                break
        while keys and lines and room(lines) < 1 and room(lines) < whole - len(lines):
            lines.pop()
        if left := whole - len(lines):
            more = {"count": left, "section": section.number, "task": max(failing, default=1)}
            lines.append(say("verdict.cut" if keys else "verdict.cut_alone", lang, **more) + "\n")
    text = "".join(lines + foot).replace(MAY_BREAK, "")
    return text if out.is_terminal else _TRAILING.sub("", text)


def for_notebook(
    verdict: Verdict, section: "Section", seen: Seen, lang: str, *, task: int | None, hints_left: Mapping[int, int]
) -> dict[str, str]:
    """The same screen by media type, as HTML and plain. `task`: the only one to be shown."""
    shown, suggestion = sentences.shown(verdict, section, lang, seen.at, hints_left, task=task)
    out = Console(
        record=True,
        file=io.StringIO(),
        width=WIDTH,
        highlight=False,
        emoji=False,
        markup=False,
        force_jupyter=False,
        force_terminal=False,
        theme=Theme({"markdown.code": "bold cyan"}),  # without a ground of its own: a page may be light or dark
    )
    _body(_Screen(shown, section, seen, lang, out, every=True), False)
    _Screen(verdict, section, seen, lang, out).foot(sentences.as_magics(suggestion))
    html = out.export_html(inline_styles=True, clear=False, code_format=_HTML)
    said = {"text/html": html, "text/plain": _TRAILING.sub("", out.export_text())}
    return {kind: text.replace(MAY_BREAK, "") for kind, text in said.items()}


def _close(lines: list[str]) -> list[str]:
    """Without the empty ones."""
    return [line for line in lines if line.strip()]


def _body(screen: "_Screen", debug: bool) -> None:
    verdict = screen.verdict
    screen.head(debug)
    if verdict.unmet:
        screen.line("✗", say("kind.needs_tier", screen.lang, what=verdict.unmet))
    elif verdict.broken:
        screen.line("✗", say("verdict.broken", screen.lang))
    elif cause := sentences.common_cause(verdict.checks):
        screen.once(cause)
    else:
        screen.tasks()
    screen.printed()


def show_sign(mark: str, key: str, params: Mapping[str, Any], lang: str) -> None:
    """One line of `learn doctor`: what was looked at, and whether that is as it should be."""
    out = console()
    symbol = _MARKS[mark]
    lines = wrapped(sign(key, params, lang), out.width - 2) if out.is_terminal else [sign(key, params, lang)]
    out.print(Text.assemble((symbol, _STYLES[symbol]), " ", "\n  ".join(lines)), soft_wrap=True)


class Board:
    """What `learn watch` writes on. A terminal shows one screen at a time: a text, the keys, a line for what goes on.
    A pipe gets everything in a row.
    """

    def __init__(self, keys: str = "", file: IO[str] | None = None) -> None:
        """`keys`: what each key does, separated by " · "; "" where there are none."""
        self.keys = keys
        self.file = console(file).file
        self._status = 0  # rows that it takes now; the cursor is in the last of them

    @property
    def live(self) -> bool:
        """True on a terminal."""
        return console(self.file).is_terminal

    @property
    def width(self) -> int:
        """Columns of text, at most 80."""
        return console(self.file).width

    @property
    def height(self) -> int:
        """Lines of text that fit above keys and status."""
        return console(self.file).height - 2 - len(self._of_keys())

    def begin(self) -> None:
        """A new screen: what was there is scrolled out of sight by the terminal, not lost in a pipe."""
        self._status = 0
        if self.live:
            self.file.write("\x1b[H\x1b[2J")

    def text(self, text: str) -> None:
        """Text as it is."""
        self.file.write(f"{text}\n")

    def fitted(self, text: str) -> str:
        """Words, in lines that end where they may."""
        return "\n".join(wrapped(text, self.width)) if self.live else text

    def end(self) -> None:
        """The screen is complete: the keys below it."""
        self.file.writelines(f"{line}\n" for line in ["", *self._of_keys()])
        self.file.flush()

    def status(self, text: str, *, passing: bool = False) -> None:
        """What goes on, at the bottom. `passing`: only for somebody who sits there and waits."""
        if not self.live:
            self.file.write("" if passing else f"{text}\n")
        else:
            shown = "\n".join(wrapped(" ".join(text.split()), self.width - 1))
            up = f"\x1b[{self._status - 1}A" if self._status > 1 else ""
            self._status = rows(shown, self.width)  # before it is seen: whoever sees it may end us at once
            self.file.write(f"\r{up}\x1b[J{shown}")
        self.file.flush()

    def close(self) -> None:
        """Leaves the cursor at the start of a line."""
        if self._status:
            self.file.write("\n")
            self.file.flush()

    def _of_keys(self) -> list[str]:
        """The keys, each whole, in as many lines as they take."""
        lines: list[str] = []
        for key in self.keys.split(" · ") if self.keys else ():
            longer = f"{lines[-1]} · {key}" if lines else key
            if lines and cells(longer) < console(self.file).width:
                lines[-1] = longer
            else:
                lines.append(key)
        return lines


class _Screen:
    def __init__(
        self,
        verdict: Verdict,
        section: "Section",
        seen: Seen,
        lang: str,
        out: Console,
        watched: bool = False,
        cut: _Cut | None = None,
        *,
        every: bool = False,
        keys: bool = False,
    ) -> None:
        self.watched = watched
        self.cut = cut
        self.told = 0  # tasks whose failures were
        self.every = every  # those that fail alike are named, not counted
        self.keys = keys
        self.verdict = verdict
        self.section = section
        self.seen = seen
        self.lang = lang
        self.out = out
        # A course in one language explains in that one, whatever language the screen speaks.
        self.mistakes = next(filter(None, map(section.mistakes, (lang, *LANGUAGES))), {})

    def head(self, debug: bool) -> None:
        heading = f"{self.section.number} {title(self.section.about.title, self.lang)}"
        self.text(heading, style="bold")
        if self.seen.path not in self.seen.note and not self.watched:  # whose status line has it
            self.place(None, indent=0)
        if self.seen.note:
            self.text(self.seen.note)
        if debug:
            self.text(say("verdict.debugged", self.lang))
        elif self.verdict.sandbox.tier is Tier.T1:
            self.text(say("verdict.t1", self.lang), style="yellow")
        self.out.print()

    def once(self, cause: Check) -> None:
        """One cause for all: a syntax error is not seven failures."""
        self.line("✗", say("verdict.all_the_same", self.lang))
        self.body(cause, set())

    def tasks(self) -> None:
        failing = [c for c in self.verdict.checks if c.outcome is not Outcome.PASSED]
        friendly = bool(failing) and all(sentences.unwritten(c) or _waits_for_unwritten(c, failing) for c in failing)
        if friendly:
            began = len(failing) < len(self.verdict.checks)
            self.text(say("verdict.still_to_write" if began else "verdict.nothing_written", self.lang))
        for number, checks in self.verdict.tasks().items():
            self.task(number, checks, brief=friendly)

    def task(self, number: int, checks: tuple[Check, ...], *, brief: bool) -> None:
        failing = [c for c in checks if c.outcome is not Outcome.PASSED]
        if self.cut and not self.cut.others and not failing:
            return
        about = self.section.about.tasks.get(number)
        earned, worth = sentences.task_points(self.verdict, self.section, number)
        word = sentences.outcome(_worst(failing) if failing else checks[0], self.lang)
        points = say("verdict.points", self.lang, earned=earned, worth=worth)
        label = say("verdict.task", self.lang, task=number)
        name = f"{label}  {about.name if about else ''}".rstrip()
        self.line(_symbol(failing), f"{name}  {points}  {word}", style="bold")
        ended = self.cut is not None and self.told >= self.cut.tasks
        if brief or ended or all(map(sentences.unwritten, failing)):
            return
        waiting = [c for c in failing if c.outcome is Outcome.SKIPPED]
        wrong = sorted((c for c in failing if c.outcome is not Outcome.SKIPPED), key=self.rank)
        if all(map(sentences.unwritten, wrong)):
            wrong = []  # the heading says it
        self.told += bool(wrong)
        if self.cut and not self.cut.others:
            wrong, waiting = wrong[:1], []
        self.wrong(wrong)
        for text in dict.fromkeys(sentences.sentence(c, self.lang) for c in waiting):
            self.line("·", text, indent=4)

    def rank(self, check: Check) -> tuple[bool, bool, bool]:
        """What has the author's explanation goes first: it names the mistake, whichever test recognised it. Then what a
        visible test found, who says what came and what was wanted.
        """
        explained = sentences.explanation(check, self.mistakes) is not None
        return sentences.unwritten(check), not explained, not check.visible

    def full(self, check: Check, told: set[str]) -> None:
        """All that we know of one check. `told`: the explanations that need not be told again."""
        known = sentences.explanation(check, self.mistakes) is not None
        if not (self.cut and self.cut.reason and known):
            self.named(check)
        self.body(check, told)

    def named(self, check: Check) -> None:
        """What was tested."""
        if promise := sentences.promise(check, self.lang):
            self.line("✗" if not sentences.unwritten(check) else "·", promise, indent=4)

    def body(self, check: Check, told: set[str]) -> None:
        """Place and reason."""
        if check.where:
            self.place(check.where, indent=6)
        explained = sentences.explanation(check, self.mistakes)
        if explained is not None and explained not in told:
            told.add(explained)
            if sentences.adds(check):
                self.paragraph(sentences.sentence(check, self.lang))
            from rich.padding import Padding

            from grader.reports.prose import Prose

            self.out.print(Padding(Prose(explained, wrap_code=True), (0, 0, 0, 6)))
        else:
            self.paragraph(sentences.sentence(check, self.lang))
        for detail in sentences.details(check, self.lang):
            self.paragraph(detail)

    def wrong(self, checks: list[Check]) -> None:
        """Each in full, but of those that say the same only the first, and an explanation once; the rest is counted,
        or named. Where there is little room, only the first of all is told in full.
        """
        told: set[str] = set()
        apart: dict[tuple[object, ...], Check] = {}
        for check in checks:
            apart.setdefault(_cause(check), check)
        for n, check in enumerate(apart.values()):
            if n and self.cut:
                self.named(check)
            else:
                self.full(check, told)
        alike = [c for c in checks if c not in apart.values()]
        if self.every:
            for check in alike:
                self.named(check)
        elif alike:
            about = {"count": len(alike), "section": self.section.number, "task": alike[0].task}
            self.line("✗", say("verdict.more" if self.keys else "verdict.more_alone", self.lang, **about), indent=4)

    def printed(self) -> None:
        lines = sentences.clean(self.verdict.stdout).rstrip().splitlines()
        if not lines:
            return
        self.out.print()
        self.text(say("verdict.your_output", self.lang))
        if len(lines) > _PRINTED:
            self.text("  | " + say("verdict.lines_left_out", self.lang, count=len(lines) - _PRINTED))
        for text in lines[-_PRINTED:]:
            self.text(text, indent=4, first="  | ")

    def foot(self, suggestion: str) -> None:
        v = self.verdict
        self.out.print()
        if v.passed:
            self.line("✓", say("verdict.passed", self.lang), style="bold green")
        if not v.broken:
            numbers = list(v.tasks())
            total = say(
                "verdict.total",
                self.lang,
                earned=sentences.number(v.points),
                worth=sentences.number(v.max_points),
                passed=sum(v.task_passed(n) for n in numbers),
                tasks=len(numbers),
            )
            self.text(total)
        self.line("→", suggestion)

    def paragraph(self, text: str) -> None:
        self.text(text, indent=6)

    def place(self, where: int | None, *, indent: int) -> None:
        """path:line, in one piece, for terminals that make a link of it; and a link, for those that take one."""
        of_file = self.seen.place is None  # else of a cell, which has no address
        line = f"#L{where}" if where else ""
        link = f"{Path(self.seen.path).absolute().as_uri()}{line}" if of_file else None
        told = self.seen.at(where)
        indent = max(0, min(indent, self.out.width - cells(told)))  # where it is cut, it cannot be clicked
        text = Text.assemble(" " * indent, (told, Style(color="cyan", link=link)))
        self.out.print(text, soft_wrap=True)

    def line(self, symbol: str, text: str, *, indent: int = 0, style: str = "") -> None:
        """A text behind a sign."""
        self.text(text, indent=indent + 2, style=style, first=" " * indent + symbol + " ")

    def text(self, text: str, *, indent: int = 0, style: str = "", first: str | None = None) -> None:
        """Text in lines. `first`: what the first of them has in place of the indent."""
        blank = " " * indent
        for n, line in enumerate(wrapped(text, self.out.width - indent)):
            sign = first if first is not None and not n else blank
            self.out.print(Text.assemble((sign, _STYLES.get(sign.strip(), "")), (line, style)), soft_wrap=True)


def _cause(check: Check) -> tuple[object, ...]:
    """What checks have in common that fail for one reason: a line that raises is one, recognised or not."""
    if check.kind == "raised" and check.where:
        return check.kind, check.where
    return check.kind, check.mistake, check.where


def _symbol(failing: list[Check]) -> str:
    if not failing:
        return "✓"
    quiet = all(sentences.unwritten(c) or c.outcome is Outcome.SKIPPED for c in failing)
    return "·" if quiet else "✗"


def _worst(failing: list[Check]) -> Check:
    """The one that names the task's state: a real failure before an unwritten part, that before one that waits."""
    return min(failing, key=lambda c: (c.outcome is Outcome.SKIPPED, sentences.unwritten(c)))


def _waits_for_unwritten(check: Check, failing: list[Check]) -> bool:
    """Skipped, and nothing but unwritten tasks is to blame."""
    blamed = [c for c in failing if c.task == check.params.get("task")]
    return check.outcome is Outcome.SKIPPED and all(
        sentences.unwritten(c) or c.outcome is Outcome.SKIPPED for c in blamed
    )
