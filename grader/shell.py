"""What the commands share: one learner's course, progress, workspace and language, each opened when first needed."""

import contextlib
import functools
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader import guide, progress
from grader.course import Course, CourseError, Section, UnknownSection
from grader.home import home, write
from grader.model import Job, Mendable, Picture, Tier, Verdict
from grader.progress import Unusable
from grader.reports import plain, words
from grader.workspace import Paired, Workspace, WorkspaceError, is_newer, of_one_time

if TYPE_CHECKING:
    from grader.answers import Answer
    from grader.submission import Unreadable


class Usage(Exception):
    """The command as given cannot be done; `kind` and `params` say why (worded in reports/)."""

    def __init__(self, kind: str, **params: Any) -> None:
        super().__init__(kind, params)
        self.kind = kind
        self.params = params


class NoSandbox(Exception):
    """The sandbox that was asked for is not available."""

    def __init__(self, asked: str, found: str) -> None:
        super().__init__(asked, found)
        self.asked = asked
        self.found = found


class Shell:
    """One run of `learn`."""

    def __init__(self, course: str | None, lang: str | None, environ: Mapping[str, str] = os.environ) -> None:
        self.course_dir = course or environ.get("LEARN_COURSE")
        self.asked_lang = lang
        self.environ = environ
        self.cwd = _folder()
        self.seen: list[Picture] = []  # what there is to be drawn of the answer that was judged
        self.unkept: Unusable | None = None  # why nothing of this run could be kept

    @functools.cached_property
    def course(self) -> Course:
        """The course; where the workspace is homework, what was set of it."""
        workspace = None
        with contextlib.suppress(WorkspaceError):
            workspace = Workspace.find(self.whole, self.cwd, environ=self.environ)
        if workspace and (file := workspace.homework):
            from grader import assignment

            return self.whole.homework({p.section: p.weight for p in assignment.read(file, self.whole).parts})
        return self.whole

    @functools.cached_property
    def whole(self) -> Course:
        """The course that was asked for, else ours."""
        return Course.at(Path(self.course_dir).expanduser()) if self.course_dir else Course.ours()

    @functools.cached_property
    def progress(self) -> progress.Progress:
        """The open progress file of this course; an empty one where none can be kept, since a learner with a full disk
        shall still get a verdict.
        """
        path = progress.path_for(self.whole.about.id, self.environ)
        try:
            return progress.Progress(path)
        except progress.Unusable as e:
            self._bear(e)
            return progress.Progress(path, kept=False)

    def _bear(self, e: Unusable) -> None:
        """Goes on without keeping anything, where it is the folder's fault; raises otherwise."""
        if e.kind != "home_unusable":
            raise e
        self.unkept = e

    def _keep(self, key: str, value: str) -> None:
        """Remembers a setting if it can be remembered."""
        try:
            self.progress.keep(key, value)
        except progress.Unusable as e:
            self._bear(e)

    @functools.cached_property
    def workspace(self) -> Workspace:
        """The learner's files. Raises WorkspaceError if there is no place for them yet."""
        return Workspace.find(self.course, self.cwd, self.progress.setting("workspace"), self.environ)

    @functools.cached_property
    def lang(self) -> str:
        """The language to speak. Raises words.UnknownLanguage."""
        return words.language(self.asked_lang, self.remembered_lang(), self.environ)

    @property
    def lesson_lang(self) -> str:
        """The language of lessons and hints: not every course has every language."""
        known = self.course.about.languages
        return self.lang if self.lang in known or not known else known[0]

    def remembered_lang(self) -> str | None:
        """What was spoken last, if that can be known."""
        try:
            return progress.remembered(progress.path_for(self.whole.about.id, self.environ), "lang")
        except CourseError:
            return None  # to be told in some language

    def remember_lang(self) -> None:
        """Keeps a language that was asked for with --lang."""
        if self.asked_lang:
            self._keep("lang", self.lang)

    @property
    def set_aside(self) -> Path | None:
        """Where a damaged progress file went, if this run met one."""
        return self.progress.set_aside if "progress" in self.__dict__ else None

    def has_workspace(self) -> bool:
        """True if there is a place for the learner's files."""
        try:
            return bool(self.workspace)
        except WorkspaceError:
            return False

    def begins(self) -> bool:
        """True if the answers would go into the course itself, and none was judged yet."""
        return self.has_workspace() and self.workspace.in_place and not self.progress.standings()

    def section(self, name: str | None, *, remember: bool = False) -> Section:
        """The section of that number or slug, by default the current one; once all are passed, the last one named."""
        section = self.course[name] if name else guide.current(self.course, self.progress)
        if section is None:
            last = self.progress.setting("current")
            section = next((s for s in self.course.sections if s.slug == last), None)
        if section is None:
            raise Usage("all_passed" if self.course.sections else "empty")
        if remember:
            self._keep("current", section.slug)
        return section

    def section_and_task(
        self, first: str | None, second: str | None, default: str | None = None
    ) -> tuple[Section, int | None]:
        """`2.2 3`, `2.2`, `3` (a task of the current section, or of the default) or nothing; None: no task is named."""
        first, second = _task_last(first, second)
        section = self.section(first or default)
        return section, self._task(section, second, here=not first)

    def _task(self, section: Section, name: str | None, *, here: bool) -> int | None:
        """The task of that number. `here`: nobody named the section. Raises Usage."""
        tasks = sorted(section.about.tasks)
        if name is None:
            return None
        if not name.isdecimal() or int(name) not in tasks:
            known = words.together(map(str, tasks), self.lang)
            raise Usage("no_task_here" if here else "no_task", section=section.number, task=name, tasks=known)
        return int(name)

    def target_and_task(self, first: str | None, second: str | None) -> tuple[Section, Path, int | None]:
        """The same with the file to judge, which may be named by its path."""
        what, name = _task_last(first, second)
        section, path = self.target(what)
        return section, path, self._task(section, name, here=what is None)

    def target(self, what: str | None) -> tuple[Section, Path]:
        """The section, and the file to judge: of a number, a slug or a path; by default the current section's."""
        if what is None or not _is_path(what, self.cwd):
            section = self.section(what, remember=True)
            return section, self.workspace.answer(section)
        from grader import archive

        path = (self.cwd / Path(what).expanduser()).resolve()
        found = self._packed(path, what) if archive.is_archive(path.name) else self.course.at_path(path)
        if found is None:
            raise Usage("not_of_a_section" if path.exists() else "unreadable_not_found", path=what)
        self._keep("current", found.slug)
        return found, path / found.stub.name if path.is_dir() else path

    def _packed(self, path: Path, what: str) -> Section:
        """The one section that an archive holds an answer to."""
        from grader import submission

        with self._readable(path):
            names = {Path(n).stem for n in submission.names_in(path)}
        found = [s for s in self.course.sections if s.stub.stem in names]
        if len(found) != 1:
            several = words.together((s.stub.name for s in found), self.lang)
            raise Usage("several_in_archive" if found else "none_in_archive", path=what, found=several)
        return found[0]

    def judge(self, section: Section, path: Path, *, require: str | None, debug: bool) -> Verdict:
        """The verdict on a file. Raises Usage for a file that cannot be judged, NoSandbox."""
        text = self.text(section, path)
        if debug:
            from grader import judge

            return judge.debug(section, text, path)
        return self.judge_text(section, text, require=require)

    def text(self, section: Section, path: Path) -> str:
        """What there is to judge in a file. Raises Usage."""
        from grader import submission

        with self._readable(path):
            return submission.read(path, section.stub.name).text

    def judge_text(self, section: Section, text: str, *, require: str | None = None) -> Verdict:
        """The verdict on an answer. Raises NoSandbox."""
        from grader import service

        job = Job(section=section.slug, section_digest=section.digest, text=text)
        tier = Tier(require) if require else None
        if verdict := service.judge(self.course, job, tier, home(self.environ), _prepare_to_show, self.seen.extend):
            return verdict
        from grader import pool
        from grader.sandbox import warden

        try:
            with pool.Judge(self.course, tier) as here:
                (verdict,) = here.grade([job])
                self.seen.extend(here.seen)
                return verdict
        except warden.Unavailable as e:
            raise NoSandbox(str(e.asked), str(getattr(e.found, "tier", e.found))) from None

    def which(self, section: Section, path: Path) -> str:
        """One line on which of a file and the notebook beside it was judged; "" if there is but one."""
        other = path.with_suffix(".py" if path.suffix == ".ipynb" else ".ipynb")
        if path.suffix not in (".py", ".ipynb") or not other.is_file() or of_one_time(path, other):
            return ""
        key = "which.newer"
        if is_newer(other, path):
            key = "which.written" if path == self.workspace.answer(section) else "which.older"
        return words.say(key, self.lang, path=path.name, other=other.name)

    def place(self, path: Path, text: str = "") -> Callable[[int], str]:
        """How a line of an answer is told: as `path:line`, or by the cell of a notebook. `text`: of the notebook, if it
        is not what the file says.
        """
        if path.suffix != ".ipynb" and not text:
            return lambda line: f"{self.show(path)}:{line}"

        def cell(line: int) -> str:
            from grader import notebook, submission

            said = text or submission.read(path).text
            number, within = notebook.place(said, line)
            code = said.splitlines()[line - 1].strip()
            return words.say("place.cell", self.lang, path=path.name, cell=number, line=within, code=code)

        return cell

    def notebook(self, section: Section) -> Paired:
        """See `workspace.notebook`. Raises Usage if what is there cannot be read."""
        with self._readable(self.workspace.answer(section)):
            return self.workspace.notebook(section, self._intro())

    def reset(self, section: Section) -> list[Path]:
        """Starts the learner's file, and the notebook if there is one, over. Returns the dated copies."""
        copies = [self.workspace.reset(section, self._intro()), self.workspace.reset_notebook(section)]
        return [c for c in copies if c]

    def _intro(self) -> str:
        return words.say("notebook.intro", self.lang)

    def recheck(self) -> Iterator[tuple[Section, Verdict | None]]:
        """Every section that was ever passed, judged as its file is now; None for one that is gone, or no answer."""
        from grader import pool, submission

        jobs = []
        for section in self.course.sections:
            if not self.progress.passed(section.slug):
                continue
            path = self.workspace.present(section)
            try:
                text = submission.read(path, section.stub.name).text if path else None
            except submission.Unreadable:
                text = None
            if text is None:
                yield section, None
            else:
                jobs.append(Job(section=section.slug, section_digest=section.digest, text=text))
        for verdict in pool.run(self.course, jobs) if jobs else ():
            yield self.course[verdict.section], verdict

    @contextlib.contextmanager
    def _readable(self, path: Path) -> Iterator[None]:
        """Says of a file that is no answer why."""
        from grader import submission

        try:
            yield
        except submission.Unreadable as e:
            barred = e.kind == "not_found" and path.exists()  # there, but not for us to read
            raise refusal(e, self.show(Path(e.params.get("path") or path)), barred=barred) from None

    def record(self, verdict: Verdict) -> bool:
        """Keeps the verdict; if that fails, the learner shall see it all the same. True if it completes the course."""
        before = self.progress.passed(verdict.section)
        try:
            self.progress.record(verdict)
        except progress.Unusable as e:
            self._bear(e)
        return verdict.passed and not before and guide.current(self.course, self.progress) is None

    def write_page(self, name: str, page: str) -> Path:
        """Puts a page among the learner's own, or in a folder for temporary files if that cannot be. Raises Usage."""
        import tempfile

        from grader import book

        try:
            return book.write(self.progress.path.parent / "pages", name, page)
        except OSError as e:
            try:
                return book.write(Path(tempfile.mkdtemp(prefix="learn-")), name, page)
            except OSError:
                raise Usage("cannot_write", path=str(e.filename), reason=e.strerror or str(e)) from None

    def draw(self, section: Section) -> Path | None:
        """Where there is now a picture of what the tests saw; None if they saw nothing to look at."""
        if not self.seen:
            return None
        from grader.reports import charts

        drawn = charts.drawn(self.seen, section.about.pictures, self.lang, plain.title(section.about.title, self.lang))
        with contextlib.suppress(OSError):  # a learner with a full disk shall still get a verdict
            path = self.progress.path.parent / "pictures" / f"{section.slug}.svg"
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, drawn.encode())
            return path
        return None

    def hints(self, section: Section, task: int) -> tuple[list[str], int]:
        """A task's hints, one more than last time, and how many there are."""
        tiers = self._hints(section).get(task, [])
        shown = min(self.progress.hints_shown(section.slug).get(task, 0) + 1, len(tiers))
        if tiers:
            try:
                self.progress.show_hints(section.slug, task, shown)
            except progress.Unusable as e:
                self._bear(e)
        return tiers[:shown], len(tiers)

    def hints_to_come(self, section: Section) -> list[str]:
        """Every hint of the section: who asks for one will soon ask for another."""
        return [hint for tiers in self._hints(section).values() for hint in tiers]

    def _hints(self, section: Section) -> dict[int, list[str]]:
        """Of homework none, unless its hints were given out too."""
        file = section.folder.relative_to(self.course.exercises) / f"hints.{self.lesson_lang}.md"
        given = not section.homework or (self.workspace.root / file).is_file()
        return section.hints(self.lesson_lang) if given else {}

    def answers(self, section: Section, *, give_up: bool) -> "list[Answer]":
        """Right answers to a section that was passed, or given up, which is remembered. Raises Usage."""
        from grader.answers import answers

        if section.homework or not section.reference.is_file():
            raise Usage("homework_solution" if section.homework else "no_solutions")
        if not self.progress.passed(section.slug) and section.slug not in self.progress.given_up():
            if not give_up:
                raise Usage("not_passed", section=section.number)
            self._keep(progress.GAVE_UP + section.slug, datetime.now(UTC).isoformat())
        return answers(section)

    def hints_left(self, section: Section) -> dict[int, int]:
        """How many hints of each task were not shown yet."""
        try:
            tiers = self._hints(section)
        except CourseError:
            return {}  # a verdict is shown all the same
        shown = self.progress.hints_shown(section.slug)
        return {task: max(0, len(of_task) - shown.get(task, 0)) for task, of_task in tiers.items()}

    def close(self) -> None:
        """Lets go of what is open: for those who do not end with the command."""
        if "progress" in self.__dict__:
            self.progress.close()

    def show(self, path: Path) -> str:
        """A path as short as it can be clicked."""
        return plain.location(path, self.cwd)


def _folder() -> Path:
    """Where we are; where we were, if that folder has been deleted."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path(os.environ.get("PWD", "/"))


def _prepare_to_show() -> None:
    import grader.reports.terminal  # noqa: F401


def refusal(e: "Unreadable", shown: str, *, barred: bool = False) -> Usage:
    """Why a file of that name is no answer. `barred`: it is there."""
    kind = f"unreadable_{e.kind}"
    known = f"error.{kind}" in words.messages() and not barred
    why = e.params.get("reason") or e.kind
    return Usage(kind if known else "unreadable", **e.params | {"path": shown, "why": why})


def unkept(shell: Shell) -> str:
    """One line about what could not be kept, "" if all was."""
    return words.say("notice.not_kept", shell.lang, **shell.unkept.params) if shell.unkept else ""


def told(error: Exception, lang: str) -> str | None:
    """One line about an error that the caller can mend; None for any other."""
    match error:
        case Usage() | WorkspaceError() | progress.Unusable() | Mendable():
            return near_or_not(f"error.{error.kind}", lang, error.params)
        case UnknownSection():
            near = words.say("error.or", lang).join(error.suggestions)
            return near_or_not("error.no_section", lang, {"name": error.name, "near": near})
        case words.UnknownLanguage():
            known = words.together((f"{one} ({words.say('page.language', one)})" for one in words.LANGUAGES), lang)
            return words.say("error.language", lang, name=error, known=known)
    return None


def near_or_not(key: str, lang: str, params: Mapping[str, Any]) -> str:
    """The message, or its form with a suggestion if there is one."""
    return words.say(f"{key}_near" if params.get("near") else key, lang, **params)


def _task_last(first: str | None, second: str | None) -> tuple[str | None, str | None]:
    """A number that stands alone is of a task."""
    return (None, first) if first and second is None and first.isdecimal() else (first, second)


def _is_path(what: str, cwd: Path) -> bool:
    from grader import archive

    if re.search(r"[/\\]|\.(py|ipynb)$", what) or archive.is_archive(what):
        return True
    # A folder `2.2` in the current one must not hide the section; a bare word is a file only if it is one.
    return not re.fullmatch(r"[\d.]+", what) and (cwd / what).is_file()
