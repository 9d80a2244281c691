"""`learn watch`: follows one section's file and judges each save. Of an older save nothing is shown or kept.

One loop waits for keys, for word that the file may have changed (or the terminal been resized), and for the verdict of
the check under way. A check is a fork of this small process, so that it can be given up in the middle, and then goes
the way that Ctrl-C takes in `learn check`. Whatever wakes the loop, the file itself decides: its text is read, and what
was judged is not judged again. So a save that no event tells of, as on a network drive, is seen within a second.
"""

import contextlib
import multiprocessing
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType

import msgspec
import watchfiles

from grader import editor, guide
from grader.course import CourseError, Section
from grader.keys import Keys
from grader.model import Outcome, Verdict
from grader.reports import plain, terminal, words
from grader.reports.lines import cells, rows
from grader.shell import Shell, Usage, told
from grader.workspace import WorkspaceError

_STEP, _DEBOUNCE, _LOOK = 50, 400, 1000  # ms: without a save; of saves in a row; between looks without any event
_SLOW = 0.4  # seconds until a check that is not done is spoken of
_DYING = 5.0  # seconds that an abandoned check may take to go
_FORK = multiprocessing.get_context("fork")
_OURS = (signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGWINCH)


class Check:
    """A check under way, in a process of its own."""

    def __init__(self, shell: Shell, section: Section, text: str) -> None:
        self.began = time.monotonic()
        self.told = False  # True once the learner knows that it takes its time
        self.answer, theirs = _FORK.Pipe(duplex=False)
        self.process = _FORK.Process(target=_judge, args=(shell, section, text, theirs), daemon=True)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # until the child can take it
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        theirs.close()

    def verdict(self) -> Verdict | str:
        """What came of it; a sentence, if that is no verdict. Raises EOFError if the process died."""
        answer = self.answer.recv_bytes()
        try:
            return Verdict.from_json(answer)
        except msgspec.DecodeError:
            return answer.decode()

    def abandon(self) -> None:
        """Ends it, wherever it is; what it may have said is lost."""
        self.answer.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid or 0, signal.SIGINT)
        self.process.join(_DYING)
        self.process.kill()
        self.process.join()


def _judge(shell: Shell, section: Section, text: str, answer: Connection) -> None:
    """The child's part."""
    os.setpgid(0, 0)  # Ctrl-C and Ctrl-Z reach the parent, who knows what is to be done
    for number in _OURS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with Path(os.devnull).open("r+b") as nothing:  # the screen is the parent's
        for fd in (0, 1, 2):
            os.dup2(nothing.fileno(), fd)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        said = shell.judge_text(section, text).to_json()
    except Exception as e:
        ours = words.say("error.ours", shell.lang, error=f"{type(e).__name__}: {e}")
        said = (told(e, shell.lang) or ours).encode()
    answer.send_bytes(said)


class Watch:
    """One run of `learn watch`. `path`: a file that was asked for; None for the learner's own of that section; `pager`:
    shows a text that is longer than the screen.
    """

    def __init__(
        self, shell: Shell, section: Section, path: Path | None, pager: Callable[[str], object], *, keys: bool
    ) -> None:
        self.shell = shell
        self.pager = pager
        self.lang = shell.lang
        self.section = section
        self.asked = path
        self.board = terminal.Board(words.say("watch.keys", self.lang) if keys else "")
        self.text: str | None = None  # of the save at hand; None if it cannot be judged
        self.trouble = ""  # why not, as it was told
        self.check: Check | None = None
        self.verdict: Verdict | None = None
        self.draw: Callable[[], None] = self._show_verdict
        self.done = False
        self.selector = selectors.DefaultSelector()
        self.wakes, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        self.unseen = threading.Event()  # the terminal was resized, or taken away for a while
        self.leaving = threading.Event()
        self.keys = Keys(0, self.resized) if keys else None
        if path is not None:
            shell.text(section, path)
        self.path = self._find() or shell.workspace.file(section)

    # -- the loop

    def run(self) -> None:
        """Until it is told to end."""
        with self._signals(), self.keys or contextlib.nullcontext(), contextlib.ExitStack() as stack:
            stack.callback(self.board.close)
            stack.callback(self._abandon)
            stack.callback(self._follow_none)
            self.selector.register(self.wakes, selectors.EVENT_READ, self._woken)
            if self.keys:
                self.selector.register(self.keys.fd, selectors.EVENT_READ, self._pressed)
            self._begin()
            while not self.done:
                for key, _ in self.selector.select(self._patience()):
                    key.data()
                if self.check and not self.check.told and self._patience() == 0:
                    self.check.told = True
                    self.board.status(words.say("watch.checking", self.lang, section=self.section.number), passing=True)

    def _patience(self) -> float | None:
        """Seconds until there is something to say of a check that takes long."""
        if self.check is None or self.check.told:
            return None
        return max(0.0, self.check.began + _SLOW - time.monotonic())

    def wake(self) -> None:
        """Has the loop look at the file. For threads and signal handlers."""
        with contextlib.suppress(BlockingIOError):  # it has not even read the last word
            os.write(self._wake, b".")

    def resized(self, *_: object) -> None:
        """Has the loop draw the screen anew."""
        self.unseen.set()
        self.wake()

    def _woken(self) -> None:
        os.read(self.wakes, 4096)
        if self.unseen.is_set():
            self.unseen.clear()
            self.draw()
        self._look()

    # -- the file

    def _find(self) -> Path | None:
        return self.asked or self.shell.workspace.present(self.section)

    def _begin(self) -> None:
        """From now on this section."""
        self.text = self.verdict = None
        self.path = self._find() or self.shell.workspace.file(self.section)
        self.draw = self._show_verdict
        self.draw()
        self.leaving.set()
        self.leaving = threading.Event()
        threading.Thread(target=self._follow, args=(self.path, self.leaving), daemon=True).start()
        self._look()

    def _follow(self, path: Path, leaving: threading.Event) -> None:
        """The watcher's thread: wakes the loop after a save, and now and then without."""
        while not leaving.is_set():
            try:
                for _ in watchfiles.watch(
                    path.parent,
                    watch_filter=lambda _, name: Path(name).stem == path.stem,
                    step=_STEP,
                    debounce=_DEBOUNCE,
                    rust_timeout=_LOOK,
                    yield_on_timeout=True,
                    stop_event=leaving,
                    recursive=False,
                ):
                    self.wake()
            except (OSError, RuntimeError):  # the folder is gone, or the system has no watcher left to give
                leaving.wait(_LOOK / 1000)
                self.wake()

    def _follow_none(self) -> None:
        self.leaving.set()

    def _look(self, *, again: bool = False) -> None:
        """Judges the file if its text is new; `again`: in any case."""
        path = self._find()
        try:
            if path is None or not path.exists():  # an editor may have moved it, and will put another in its place
                raise Usage("watch_gone", path=self.shell.show(self.path))
            text = self.shell.text(self.section, path)
            if not text.strip():  # or emptied it, and will write the rest
                raise Usage("watch_empty", path=self.shell.show(path))
        except Usage as e:
            self._abandon()
            self.text, trouble = None, told(e, self.lang) or ""
            if trouble != self.trouble:
                self.trouble = trouble
                self.board.status(trouble)
            return
        if text != self.text or again:
            self._abandon()
            self.path, self.text, self.trouble = path, text, ""
            self.check = Check(self.shell, self.section, text)
            self.selector.register(self.check.answer, selectors.EVENT_READ, self._judged)

    def _abandon(self) -> None:
        if self.check is not None:
            self.selector.unregister(self.check.answer)
            self.check.abandon()
            self.check = None

    def _judged(self) -> None:
        """The verdict on the text at hand: that of any other was given up before it could speak."""
        assert self.check is not None
        try:
            answer = self.check.verdict()
        except (EOFError, OSError):
            answer = words.say("watch.died", self.lang)
        self._abandon()
        if isinstance(answer, str):
            self.board.status(answer)
            return
        self.verdict = answer
        self.shell.record(answer)
        self.draw = self._show_verdict
        self.draw()
        now = f"{datetime.now():%H:%M:%S}"
        paths = (self.shell.show(self.path), self.path.name)
        said = [words.say("watch.checked", self.lang, time=now, path=path) for path in paths]
        self.board.status(next((s for s in said if cells(s) < self.board.width), said[-1]))

    # -- what is shown

    def _show_verdict(self) -> None:
        self.board.begin()
        if self.verdict is None:
            heading = f"{self.section.number} {plain.title(self.section.about.title, self.lang)}"
            begun = words.say("watch.begun", self.lang, path=self.shell.show(self.path))
            self.board.text(self.board.fitted(f"{heading}\n{begun}"))
        else:
            self.board.text(self._verdict(self.verdict, self.board.height if self.keys else 0))
        self.board.end()

    def _verdict(self, verdict: Verdict, height: int) -> str:
        """On so many lines; 0: in full."""
        shown = terminal.screen(
            verdict,
            self.section,
            self.shell.show(self.path),
            self.lang,
            hints_left=self.shell.hints_left(self.section),
            watched=True,
            keys=self.keys is not None,
            height=height,
            file=self.board.file,
        )
        return shown.rstrip("\n")

    def _show(self, draw: Callable[[], None]) -> None:
        """Another screen, until the next verdict."""

        def screen() -> None:
            self.board.begin()
            draw()
            self.board.end()
            self.board.status(words.say("watch.back", self.lang))

        self.draw = screen
        self.draw()

    def _page(self, text: str) -> None:
        """A text: on the screen if it fits, else in the pager."""
        if self.keys is None or rows(text, self.board.width) <= self.board.height:
            self._show(lambda: self.board.text(text))
            return
        self.board.begin()
        with self.keys.lent():
            self.pager(text)
        self.draw()

    # -- the keys

    def _pressed(self) -> None:
        assert self.keys is not None
        for key in self.keys.read():
            try:
                self._on(key)
            except (Usage, WorkspaceError, CourseError) as e:
                self.board.status(told(e, self.lang) or words.say("error.course", self.lang, reason=e))

    def _on(self, key: str) -> None:
        match key:
            case "h":
                self._hint()
            case "l":
                road = guide.road(self.shell.course, self.shell.progress)
                self._page(plain.listing(road, self.lang, self.board.width))
            case "n":
                self._next()
            case "r":
                self._look(again=True)
            case "e":
                self._edit()
            case "s":
                self._page(terminal.markdown(self.section.lesson(self.shell.lesson_lang)))
            case "\n" | "\r" | " " if self.draw != self._show_verdict:
                self.draw = self._show_verdict
                self.draw()
            case "\n" | "\r" | " " if self.verdict:
                self._page(self._verdict(self.verdict, 0))
            case "q" | "\x04":
                self.done = True

    def _hint(self) -> None:
        task = guide.task_in_hand(self.section, self.shell.progress)
        hints, total = self.shell.hints(self.section, task)
        about = (self.section, task, len(hints), total, self.lang)
        heading, end = plain.hint_heading(*about), plain.hint_end(*about, keys=True)
        texts = [self.board.fitted(heading), *map(terminal.markdown, hints)]
        self._page("\n\n".join([*texts, *filter(None, [self.board.fitted(end)])]))

    def _next(self) -> None:
        """The next section, once this one is passed."""
        section = guide.current(self.shell.course, self.shell.progress)
        if section is None:
            self.board.status(words.say("where.done", self.lang))
        elif section.slug == self.section.slug:
            self.board.status(words.say("watch.not_passed", self.lang, section=section.number))
        else:
            self._abandon()
            self.section, self.asked = self.shell.section(section.slug, remember=True), None
            self._begin()

    def _edit(self) -> None:
        """Opens the editor where the first failure is."""
        found = editor.find(self.shell.environ)
        if found is None:
            raise Usage("no_editor")
        opening = words.say("watch.editor", self.lang, name=found.command[0]) if found.guessed else ""
        command = found.at(self.path, first_line(self.verdict, self.text or ""))
        try:
            if found.windowed:
                nowhere = subprocess.DEVNULL
                subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True)
                return
            self.board.status(opening, passing=True)
            with self.keys.lent() if self.keys else contextlib.nullcontext():
                subprocess.run(command, check=False)
        except OSError as e:
            raise Usage("editor_fails", name=command[0], reason=e.strerror) from None
        self.draw()
        if opening:  # again: most editors hide what was there before
            self.board.status(opening)
        self._look()

    # -- signals

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGTERM and a lost terminal end it in good order; a resized one is drawn anew."""
        before = {n: signal.signal(n, _end) for n in (signal.SIGTERM, signal.SIGHUP)}
        if self.board.live:
            before[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, self.resized)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def first_line(verdict: Verdict | None, text: str) -> int | None:
    """The line to look at first: of the first failure, else the head of its task; None if nothing failed."""
    failing = [c for c in verdict.checks if c.outcome is not Outcome.PASSED] if verdict else []
    if not failing:
        return None
    first = min(failing, key=lambda c: (c.task, c.where is None))
    head = f"# --- task {first.task} ---"
    heads = (n for n, line in enumerate(text.splitlines(), 1) if line.strip().startswith(head))
    return first.where or next(heads, None)
