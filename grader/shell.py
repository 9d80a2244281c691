"""What the commands share: one learner's course, progress, workspace and language, each opened when first needed."""

import functools
import os
import re
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from grader import guide, progress
from grader.course import Course, CourseError, Section
from grader.model import Job, Tier, Verdict
from grader.reports import plain, words
from grader.workspace import Workspace, WorkspaceError


class Usage(Exception):
    """The command as given cannot be done; `kind` and `params` say why (worded in reports/)."""

    def __init__(self, kind: str, **params: Any) -> None:
        super().__init__(kind, params)
        self.kind = kind
        self.params = params


class Shell:
    """One run of `learn`."""

    def __init__(self, course: str | None, lang: str | None, environ: Mapping[str, str] = os.environ) -> None:
        self.course_dir = course
        self.asked_lang = lang
        self.environ = environ
        self.cwd = Path.cwd()

    @functools.cached_property
    def course(self) -> Course:
        """The course that was asked for, else ours."""
        return Course.at(Path(self.course_dir).expanduser()) if self.course_dir else Course.ours()

    @functools.cached_property
    def progress(self) -> progress.Progress:
        """The open progress file of this course."""
        return progress.Progress(progress.path_for(self.course.about.id, self.environ))

    @functools.cached_property
    def workspace(self) -> Workspace:
        """The learner's files. Raises WorkspaceError if there is no place for them yet."""
        return Workspace.find(self.course, self.cwd, self.progress.setting("workspace"), self.environ)

    @functools.cached_property
    def lang(self) -> str:
        """The language to speak. Raises words.UnknownLanguage."""
        return words.language(self.asked_lang, self._remembered_lang(), self.environ)

    @property
    def lesson_lang(self) -> str:
        """The language of lessons and hints: not every course has every language."""
        known = self.course.about.languages
        return self.lang if self.lang in known or not known else known[0]

    def _remembered_lang(self) -> str | None:
        try:
            return progress.remembered(progress.path_for(self.course.about.id, self.environ), "lang")
        except CourseError:
            return None  # to be told in some language

    def remember_lang(self) -> None:
        """Keeps a language that was asked for with --lang."""
        if self.asked_lang:
            self.progress.keep("lang", self.lang)

    def has_workspace(self) -> bool:
        """True if there is a place for the learner's files."""
        try:
            return bool(self.workspace)
        except WorkspaceError:
            return False

    def section(self, name: str | None, *, remember: bool = False) -> Section:
        """The section of that number or slug, by default the current one. Raises Usage once all are passed."""
        section = self.course[name] if name else guide.current(self.course, self.progress)
        if section is None:
            raise Usage("all_passed")
        if remember:
            self.progress.keep("current", section.slug)
        return section

    def section_and_task(self, first: str | None, second: str | None) -> tuple[Section, int]:
        """`2.2 3`, `2.2`, `3` (a task of the current section) or nothing."""
        if first and second is None and first.isdecimal():
            first, second = None, first
        section = self.section(first)
        tasks = sorted(section.about.tasks)
        if second is None:
            return section, guide.task_in_hand(section, self.progress)
        if not second.isdecimal() or int(second) not in tasks:
            known = ", ".join(map(str, tasks))
            raise Usage("no_task", section=section.number, task=second, tasks=known)
        return section, int(second)

    def target(self, what: str | None) -> tuple[Section, Path]:
        """The section, and the file to judge: of a number, a slug or a path; by default the current section's."""
        if what is None or not _is_path(what, self.cwd):
            section = self.section(what, remember=True)
            return section, self.workspace.file(section)
        path = (self.cwd / Path(what).expanduser()).resolve()
        found = self.course.at_path(path)
        if found is None:
            raise Usage("not_of_a_section", path=what)
        self.progress.keep("current", found.slug)
        return found, path / found.stub.name if path.is_dir() else path

    def judge(self, section: Section, path: Path, *, require: str | None, debug: bool) -> Verdict:
        """The verdict on a file."""
        from grader import submission

        submitted = submission.read(path)
        if debug:
            from grader import judge

            return judge.debug(section, submitted.text, path)
        from grader import pool

        job = Job(section=section.slug, section_digest=section.digest, text=submitted.text)
        with closing(pool.run(self.course, [job], require=Tier(require) if require else None)) as verdicts:
            return next(verdicts)

    def record(self, verdict: Verdict) -> str | None:
        """Keeps the verdict; if that fails, why: the learner shall see the verdict all the same."""
        try:
            self.progress.record(verdict)
        except progress.Unusable as e:
            return words.say("notice.not_recorded", self.lang, reason=e.params.get("reason", e.kind))
        return None

    def hints(self, section: Section, task: int) -> tuple[list[str], int]:
        """A task's hints, one more than last time, and how many there are."""
        tiers = section.hints(self.lesson_lang).get(task, [])
        shown = min(self.progress.hints_shown(section.slug).get(task, 0) + 1, len(tiers))
        if tiers:
            self.progress.show_hints(section.slug, task, shown)
        return tiers[:shown], len(tiers)

    def show(self, path: Path) -> str:
        """A path as short as it can be clicked."""
        return plain.location(path, self.cwd)


def _is_path(what: str, cwd: Path) -> bool:
    if re.search(r"[/\\]|\.(py|ipynb)$", what):
        return True
    # A folder `2.2` in the current one must not hide the section; a bare word is a file only if it is one.
    return not re.fullmatch(r"[\d.]+", what) and (cwd / what).is_file()
