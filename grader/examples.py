"""`pytest exercises/…`: the visible tests as an editor's test explorer runs them, with the learner's file in this
process, so that `breakpoint()` works. For self-study: nothing is recorded, and nothing is confined.

`exercises/conftest.py` brings it in. A conftest and no entry point: pytest then loads it in the course's folders alone,
and nobody's other test runs pay for it. The judge reads no conftest.
"""

import functools
import importlib.util
import sys
import time
from collections.abc import Generator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from grader import submission
from grader.course import Course, Section
from grader.desk import Desk, number
from grader.judge import Here, about_of, mark_of, named, standing
from grader.model import Check, Outcome
from grader.outcome import check_of
from grader.reports import plain, sentences, words
from grader.shell import Shell, Usage, told
from grader.testing import Fixtures

_NO_LIMIT = 1e9  # seconds: somebody may be stepping through
_SECRET = b"debug"  # the inputs of `learn check --debug`


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """The visible tests of a section, imported under a name of their own: in all sections they are called the same."""
    section = _section(module_path)
    if section is None:
        return None
    plugins = parent.config.pluginmanager
    if not plugins.has_plugin(__name__ + ".runner"):
        plugins.register(_Runner(), __name__ + ".runner")
    module: pytest.Module = pytest.Module.from_parent(parent, path=module_path)
    module.obj = _imported(module_path, f"examples_of_{section.slug}")
    return module


class _Bench(NamedTuple):
    """One section's part of a session."""

    section: Section
    file: Path
    desk: Desk
    digest: str  # of the learner's text
    checks: list[Check]


class _Runner(Fixtures):
    """Lets the learner's file answer the tests, and tells a failure as `learn check` does."""

    def __init__(self) -> None:
        self.shell = Shell(None, None)
        self.benches: dict[Path, _Bench] = {}
        self.notes = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        mark = mark_of(item)
        if mark is None or not isinstance(item, pytest.Function) or (section := _section(item.path)) is None:
            return
        bench = self._bench(section, item.path)
        if waits := standing(item, bench.checks):
            bench.checks.append(waits)
            pytest.skip(sentences.sentence(waits, self.shell.lang))
        key = f"{bench.digest} {item.name}"
        self.desk, self.bars, self.seed = bench.desk, section.about.thresholds, number(_SECRET, f"inputs {key}")
        self.desk.begin(mark, number(_SECRET, f"cell {key}"), visible=True)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        bench = self.benches.get(item.path)
        if bench is None or call.when != "call" or not isinstance(item, pytest.Function):
            return report
        ended = bench.desk.ending(call.excinfo.value if call.excinfo else None)
        check = named(check_of(about_of(item), bench.desk, ended), bench.section)
        bench.checks.append(check)
        if check.outcome not in (Outcome.PASSED, Outcome.BROKEN):  # of a test at fault pytest's own account is the best
            report.outcome, report.longrepr = "failed", self._told(check, bench)
        return report

    def _bench(self, section: Section, examples: Path) -> _Bench:
        if examples not in self.benches:
            file = examples.with_name(section.stub.name)
            try:
                text = self.shell.text(section, file)
            except Usage as e:
                pytest.fail(told(e, self.shell.lang) or "", pytrace=False)
            probes = section.probes.read_text(encoding="utf-8") if section.probes.is_file() else ""
            desk = Desk(text, str(file), probes, Here, _NO_LIMIT, time.monotonic() + _NO_LIMIT, _SECRET)
            self.benches[examples] = _Bench(section, file, desk, submission.of_text(text).digest, [])
        return self.benches[examples]

    def _told(self, check: Check, bench: _Bench) -> str:
        """What `learn check` says of it."""
        lang = self.shell.lang
        mistakes = next(filter(None, map(bench.section.mistakes, (lang, *words.LANGUAGES))), {})
        explained = sentences.explanation(check, mistakes)
        lines = [sentences.promise(check, lang)]
        if check.where:
            lines.append(f"{plain.location(bench.file, Path.cwd())}:{check.where}")
        if explained is None or sentences.adds(check):
            lines.append(sentences.sentence(check, lang))
        return "\n".join([*lines, *([explained] if explained else []), *sentences.details(check, lang)])


def _section(examples: Path) -> Section | None:
    """The section whose visible tests these are."""
    folder = examples.parent
    if examples.name != "test_examples.py" or not (folder.parents[1] / "course.yaml").is_file():
        return None
    return _course(folder.parents[1]).at_path(folder)


@functools.cache
def _course(tree: Path) -> Course:
    """The course that this tree is of: with its own solutions beside it, else (a learner's copy) the one in use."""
    whole = tree.name == "exercises" and (tree.parent / "solutions").is_dir()
    return Course.at(tree.parent) if whole else Shell(None, None).course


def _imported(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
