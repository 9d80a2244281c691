"""A verdict on the terminal. 80 columns, plain when piped, and never by colour alone."""

import re
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from grader.model import Check, Outcome, Tier, Verdict
from grader.reports import sentences
from grader.reports.plain import MAY_BREAK, title
from grader.reports.words import LANGUAGES, say

if TYPE_CHECKING:
    from grader.course import Section

WIDTH = 80
_PRINTED = 20  # lines kept of what the learner's code printed
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
_STYLES = {"✓": "green", "✗": "red", "·": "yellow"}


def console(file: IO[str] | None = None) -> Console:
    """At most 80 columns on a terminal, exactly 80 in a pipe; rich itself honours NO_COLOR and TERM."""
    made = Console(file=file, highlight=False, emoji=False, markup=False)
    made.width = min(made.width, WIDTH) if made.is_terminal else WIDTH
    return made


def show_markdown(text: str, file: IO[str] | None = None) -> None:
    """A lesson or a hint: rendered on a terminal, as it is written in a pipe."""
    out = console(file)
    if out.is_terminal:
        out.file.write(markdown(text, out))
        out.file.flush()
    else:
        out.out(text, highlight=False)


def markdown(text: str, out: Console | None = None) -> str:
    """A lesson or a hint as a terminal shows it."""
    from grader.reports import prose  # 80 ms, which a pass does not need

    return prose.shown(out or console(), text)


def show_verdict(
    verdict: Verdict,
    section: "Section",
    path: str,
    lang: str,
    *,
    hints_left: Mapping[int, int] | None = None,
    debug: bool = False,
    file: IO[str] | None = None,
) -> None:
    """The whole screen of `learn check`. `hints_left`: how many of each task were not shown yet."""
    out = console(file)
    with out.capture() as captured:
        screen = _Screen(verdict, section, path, lang, out)
        _compose(screen, debug, hints_left or {})
    text = captured.get().replace(MAY_BREAK, "")
    out.file.write(text if out.is_terminal else _TRAILING.sub("", text))
    out.file.flush()


def _compose(screen: "_Screen", debug: bool, hints_left: Mapping[int, int]) -> None:
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
    screen.foot(sentences.suggestion(verdict, screen.section, screen.lang, screen.path, hints_left))


class _Screen:
    def __init__(self, verdict: Verdict, section: "Section", path: str, lang: str, out: Console) -> None:
        self.verdict = verdict
        self.section = section
        self.path = path
        self.lang = lang
        self.out = out
        # A course in one language explains in that one, whatever language the screen speaks.
        self.mistakes = next(filter(None, map(section.mistakes, (lang, *LANGUAGES))), {})

    def head(self, debug: bool) -> None:
        heading = f"{self.section.number} {title(self.section.about.title, self.lang)}"
        self.out.print(Text(heading, style="bold"))
        if debug:
            self.out.print(Text(say("verdict.debugged", self.lang)))
        elif self.verdict.sandbox.tier is Tier.T1:
            self.out.print(Text(say("verdict.t1", self.lang), style="yellow"))
        self.out.print()

    def once(self, cause: Check) -> None:
        """One cause for all: a syntax error is not seven failures."""
        self.line("✗", say("verdict.all_the_same", self.lang))
        self.body(cause)

    def tasks(self) -> None:
        failing = [c for c in self.verdict.checks if c.outcome is not Outcome.PASSED]
        friendly = bool(failing) and all(sentences.unwritten(c) or _waits_for_unwritten(c, failing) for c in failing)
        if friendly:
            began = len(failing) < len(self.verdict.checks)
            self.out.print(Text(say("verdict.still_to_write" if began else "verdict.nothing_written", self.lang)))
        for number, checks in self.verdict.tasks().items():
            self.task(number, checks, brief=friendly)

    def task(self, number: int, checks: tuple[Check, ...], *, brief: bool) -> None:
        failing = [c for c in checks if c.outcome is not Outcome.PASSED]
        about = self.section.about.tasks.get(number)
        earned, worth = sentences.task_points(self.verdict, self.section, number)
        word = sentences.outcome(_worst(failing) if failing else checks[0], self.lang)
        points = say("verdict.points", self.lang, earned=earned, worth=worth)
        label = say("verdict.task", self.lang, task=number)
        name = f"{label}  {about.name if about else ''}".rstrip()
        self.line(_symbol(failing), f"{name}  {points}  {word}", style="bold")
        if brief or not failing:
            return
        waiting = [c for c in failing if c.outcome is Outcome.SKIPPED]
        wrong = sorted((c for c in failing if c.outcome is not Outcome.SKIPPED), key=self.rank)
        for check in wrong[:1]:
            self.full(check)
        self.others(wrong)
        for text in dict.fromkeys(sentences.sentence(c, self.lang) for c in waiting):
            self.line("·", text, indent=4)

    def rank(self, check: Check) -> tuple[bool, bool]:
        """What has the author's explanation goes first: it names the mistake, whichever test recognised it."""
        return sentences.unwritten(check), sentences.explanation(check, self.mistakes) is None

    def full(self, check: Check) -> None:
        """All that we know of one check."""
        if promise := sentences.promise(check, self.lang):
            self.line("✗" if not sentences.unwritten(check) else "·", promise, indent=4)
        self.body(check)

    def body(self, check: Check) -> None:
        """Place and reason."""
        if check.where:
            # Unwrapped, so that the terminal makes it a link.
            self.out.print(Text(f"      {self.path}:{check.where}", style="cyan"), soft_wrap=True)
        if (explained := sentences.explanation(check, self.mistakes)) is not None:
            if check.mistake == check.kind:  # recognised by what came out: say what that was
                self.paragraph(sentences.sentence(check, self.lang))
            from grader.reports.prose import Prose

            self.out.print(Padding(Prose(explained, wrap_code=True), (0, 0, 0, 6)))
        else:
            self.paragraph(sentences.sentence(check, self.lang))
        for detail in sentences.details(check, self.lang):
            self.paragraph(detail)

    def others(self, wrong: list[Check]) -> None:
        """One line each; those that say the same as the first are only counted."""
        same = [
            c for c in wrong[1:] if (c.kind, c.mistake, c.where) == (wrong[0].kind, wrong[0].mistake, wrong[0].where)
        ]
        for check in wrong[1:]:
            if check not in same:
                text = f"{sentences.promise(check, self.lang) or check.name} {sentences.sentence(check, self.lang)}"
                place = f" {self.path}:{check.where}" if check.where else ""
                self.line("✗", text, indent=4, one_line=self.out.is_terminal, after=place)
        if same:
            self.line("✗", say("verdict.more", self.lang, count=len(same)), indent=4)

    def printed(self) -> None:
        lines = sentences.clean(self.verdict.stdout).rstrip().splitlines()
        if not lines:
            return
        self.out.print()
        self.out.print(Text(say("verdict.your_output", self.lang)))
        if len(lines) > _PRINTED:
            self.out.print(Text("  | " + say("verdict.lines_left_out", self.lang, count=len(lines) - _PRINTED)))
        for text in lines[-_PRINTED:]:
            self.out.print(Text(f"  | {text}"), overflow="fold")

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
            self.out.print(Text(total))
        self.out.print(Text(f"→ {suggestion}"), soft_wrap=True)

    def paragraph(self, text: str) -> None:
        self.out.print(Padding(Text(text), (0, 0, 0, 6)))

    def line(
        self, symbol: str, text: str, *, indent: int = 0, style: str = "", one_line: bool = False, after: str = ""
    ) -> None:
        body = Text(text, style=style)
        if one_line:
            body = Text(" ".join(text.split()), style=style)
            body.truncate(max(20, self.out.width - indent - 2), overflow="ellipsis")
        line = Text.assemble((symbol, _STYLES.get(symbol, "")), " ", body)
        self.out.print(Padding(line, (0, 0, 0, indent)))
        if after:
            self.out.print(Text(" " * (indent + 1) + after, style="cyan"), soft_wrap=True)


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
