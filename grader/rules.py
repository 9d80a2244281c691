"""The rules that a section's files keep, as far as they can be seen without running anything.

What breaks one is a Finding: a kind with parameters and a place; the words are in the reports.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from urllib.parse import urlsplit

from grader import lessons, pictures, submission
from grader.course import REGION, Course, CourseError, Section, Term, paragraphs, sections_of
from grader.model import Finding
from grader.reports.words import messages

_FAILS = re.compile(r"Fails: (\d+(?:, ?\d+)*)\. \S")
_FENCE = re.compile(r"(?ms)^```.*?^```$")
_HALF_WIDTH = re.compile(r"[\u4e00-\u9fff）」”][,:;?!]")  # Chinese has punctuation of its own
_TO_WRITE = re.compile(r"(?<![A-Za-z_])TODO(?![A-Za-z_])[:：]? ?(.*)")  # as `learn dev new` leaves them
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_SOUND = re.compile(r"[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]+")  # RFC 3986, without [ ]
_RANDOM = re.compile(
    r"torch\.(rand|randn|randint|rand_like|randn_like|randint_like|randperm|normal|bernoulli|multinomial|poisson)"
    r"|(np|numpy)\.random\..*|random\..*"
)
_RANDOM_IN_PLACE = ("normal_", "uniform_", "bernoulli_", "random_", "exponential_", "log_normal_", "geometric_")
_TEXTS = (".md", ".py", ".yaml")
_TIERS = 3
_WRONGS = 3


def structure(course: Course, section: Section) -> Iterator[Finding]:
    """What can be seen of a section without judging anything."""
    languages = course.about.languages
    wanted = [section.stub, section.examples, section.reference, section.tests]
    wanted += [section.folder / f"{n}.{lang}.md" for n in ("lesson", "hints") for lang in languages]
    wanted += [section.hidden / f"mistakes.{lang}.md" for lang in languages]
    missing = [p for p in wanted if not p.is_file()]
    yield from (Finding(p, "missing_file", {}) for p in missing)
    if unreadable := list(_unreadable(section)):
        yield from unreadable
        return
    known = {*wanted, section.folder / "exercise.yaml", section.probes, section.equivalent, section.pictures}
    known |= set(section.folder.glob("*.svg"))  # pictures.check looks after those
    known.add(section.stub.with_suffix(".ipynb"))  # somebody's own
    links = linked(section)
    known |= {target for path, link in links if (target := link.leads_to(path))}
    for path in [*files(section.folder), *files(section.hidden)]:
        if path not in known and path.parent.name not in ("also", "wrong"):
            yield Finding(path, "stray_file", {})
    yield from _links(course, section, links)
    yield from pictures.check(section, languages, links)
    yield from _terms(section, course.glossary)
    yield from _to_write(section)
    if missing:
        return
    yield from _regions(section)
    yield from _notebooks(section)
    yield from _languages(section, languages)
    yield from _promises(section, languages)
    yield from _bank(section, languages)
    yield from _recorded(section)


def strays(course: Course) -> Iterator[Finding]:
    """Folders that belong to no section."""
    for folder in sorted(p for p in course.exercises.glob("*_*/*_*") if p.is_dir()):
        if not (folder / "exercise.yaml").is_file():
            yield Finding(folder / "exercise.yaml", "missing_file", {})
    homes = {s.hidden for s in course.sections}
    for chapter in sorted(p for p in course.solutions.glob("*_*") if p.is_dir()):
        yield from (Finding(p, "no_section", {}) for p in sorted(chapter.iterdir()) if p.is_dir() and p not in homes)


def files(folder: Path) -> list[Path]:
    """All files below it, caches aside."""
    if not folder.is_dir():
        return []
    return sorted(
        p for p in folder.rglob("*") if p.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(p.parts)
    )


def beside(section: Section) -> list[Path]:
    """The files outside of a section's folders that its texts link to."""
    targets = {target for path, link in linked(section) if (target := link.leads_to(path))}
    return sorted(t for t in targets if not any(t.is_relative_to(f) for f in (section.folder, section.hidden)))


def named(path: Path) -> list[int] | None:
    """The tasks that a wrong answer's docstring says it fails."""
    try:
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    except (SyntaxError, ValueError):
        docstring = path.read_text(encoding="utf-8")  # a broken file may say it in a comment
    m = _FAILS.search(docstring)
    return [int(n) for n in m[1].split(",")] if m else None


def line_of(path: Path, *wanted: str) -> int:
    """Where a file has the first of these pieces of text that it has; line 1 if it has none."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return next((n for piece in wanted for n, text in enumerate(lines, 1) if piece in text), 1)


def _texts(section: Section) -> list[Path]:
    return [p for folder in (section.folder, section.hidden) for p in files(folder) if p.suffix in _TEXTS]


def _lines(section: Section) -> Iterator[tuple[Path, int, str]]:
    for path in _texts(section):
        for n, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            yield path, n, text


def _unreadable(section: Section) -> Iterator[Finding]:
    for path in _texts(section):
        data = path.read_bytes()
        try:
            text = data.decode()
        except UnicodeDecodeError as e:
            yield Finding(path, "encoding", {}, data.count(b"\n", 0, e.start) + 1)
            continue
        if path.suffix == ".py" and path.parent.name != "wrong":  # a mistake may be one of syntax
            try:
                ast.parse(text)
            except (SyntaxError, ValueError) as e:
                yield Finding(path, "syntax", {"message": getattr(e, "msg", e)}, getattr(e, "lineno", None) or 1)


def linked(section: Section) -> list[tuple[Path, lessons.Link]]:
    """All links in the section's texts, each with its file."""
    texts = [p for p in _texts(section) if p.suffix == ".md"]
    return [(p, link) for p in texts for link in lessons.links(p.read_text(encoding="utf-8"))]


def _links(course: Course, section: Section, linked: Sequence[tuple[Path, lessons.Link]]) -> Iterator[Finding]:
    for path, link in linked:
        target = link.leads_to(path)
        if link.target is None:
            yield Finding(path, "link_unread", {}, link.line)
        elif target is None:
            yield from _address(course, path, link.target, link.line)
        elif link.alt is None and not target.exists():
            yield Finding(path, "link_missing", {"target": link.target}, link.line)
        elif path.is_relative_to(course.exercises) and not target.is_relative_to(course.exercises):
            yield Finding(path, "link_hidden", {"target": link.target}, link.line)
    exercise = section.folder / "exercise.yaml"
    for url in section.about.docs:
        yield from _address(course, exercise, url, line_of(exercise, url))


def _address(course: Course, path: Path, url: str, line: int) -> Iterator[Finding]:
    if kind := _unsound(url, course.about.hosts):
        yield Finding(path, kind, {"url": url, "hosts": ", ".join(course.about.hosts)}, line)


def _unsound(url: str, hosts: Sequence[str]) -> str:
    """What is wrong with an address, as far as can be known without asking the network."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "link_unsound"
    if parts.scheme != "https":
        return "link_scheme"
    if not _SOUND.fullmatch(url) or not _HOST.fullmatch(host) or re.search(r"%(?![0-9A-Fa-f]{2})", url):
        return "link_unsound"
    known = not hosts or any(f".{host}".endswith(f".{h}") for h in hosts)
    return "" if known else "link_host"


def misnamed(texts: Iterable[str], glossary: Sequence[Term]) -> Iterator[list[tuple[str, Term]]]:
    """Of each text the Chinese words that the glossary rejects, each with the entry that does so. A longer word that is
    right hides a shorter one that is not.
    """
    preferred = {variant: term for term in glossary for variant in term.rejected}
    words = sorted({*preferred, *(t.zh for t in glossary)}, key=len, reverse=True)
    either = re.compile("|".join(map(re.escape, words)) or r"(?!)")
    for text in texts:
        yield [(found, preferred[found]) for found in either.findall(text) if found in preferred]


def _terms(section: Section, glossary: Sequence[Term]) -> Iterator[Finding]:
    lines = list(_lines(section))
    for (path, line, _), found in zip(lines, misnamed((text for *_, text in lines), glossary), strict=True):
        for word, term in found:
            yield Finding(path, "term", {"found": word, "zh": term.zh, "en": term.en}, line)


def _to_write(section: Section) -> Iterator[Finding]:
    told = section.stub.read_text(encoding="utf-8").splitlines() if section.stub.is_file() else []
    for path, line, text in _lines(section):
        if (m := _TO_WRITE.search(text)) and (path != section.reference or text not in told):  # once is enough
            yield Finding(path, "to_write", {"text": m[1].strip(' "#') or "…"}, line)


def _regions(section: Section) -> Iterator[Finding]:
    stub, reference = (p.read_text(encoding="utf-8") for p in (section.stub, section.reference))
    tasks = sorted(section.about.tasks)
    for path, text in ((section.stub, stub), (section.reference, reference)):
        found = [(int(m[1]), text.count("\n", 0, m.start()) + 1) for m in REGION.finditer(text)]
        numbers = [n for n, _ in found]
        if numbers != tasks:
            at = next((line for (n, line), want in zip_longest(found, tasks[: len(found)]) if n != want), None)
            yield Finding(path, "regions", {"found": numbers, "tasks": tasks}, at or text.count("\n") or 1)
    for m in REGION.finditer(stub):
        if "NotImplementedError" not in m[2]:
            yield Finding(section.stub, "written_in", {"task": int(m[1])}, stub.count("\n", 0, m.start()) + 1)
    ours, theirs = _outside(stub), _outside(reference)
    for (line, a), (_, b) in zip_longest(ours, theirs, fillvalue=(stub.count("\n") or 1, "")):
        if a != b:
            yield Finding(section.stub, "outside_differs", {"text": a.strip()[:60], "other": b.strip()[:60]}, line)
            return


def _outside(text: str) -> list[tuple[int, str]]:
    """The numbered lines that are in no task."""
    blank = REGION.sub(lambda m: f"# --- task {m[1]} ---" + "\n\0" * m[0].count("\n"), text)
    return [(n, line) for n, line in enumerate(blank.splitlines(), 1) if line != "\0"]


def _notebooks(section: Section) -> Iterator[Finding]:
    """A learner may open the file as a notebook and hand that in: nothing may get lost on the way."""
    for path in (section.stub, section.reference):
        text = path.read_text(encoding="utf-8")
        try:
            back = submission.through_notebook(text)
        except submission.Unreadable as e:
            yield Finding(path, "no_notebook", {"reason": e.params.get("reason") or e.kind}, 1)
            continue
        if back != text:
            ends = [(f"{t}\0").splitlines(keepends=True) for t in (text, back)]
            pairs = enumerate(zip_longest(*ends, fillvalue=""), 1)
            line, a, b = next((n, a, b) for n, (a, b) in pairs if a != b)
            yield Finding(path, "round_trip", {"text": _shown(a), "back": _shown(b)}, line)


def _shown(line: str) -> str:
    return line.strip("\0\n")[:60] or "…"


def _languages(section: Section, languages: Sequence[str]) -> Iterator[Finding]:
    first = languages[0]
    for path in [*section.folder.glob("*.zh.md"), *section.hidden.glob("*.zh.md")]:
        blank = _FENCE.sub(lambda m: "\n" * m[0].count("\n"), path.read_text(encoding="utf-8"))
        for number, text in enumerate(blank.splitlines(), 1):
            if m := _HALF_WIDTH.search(re.sub(r"`[^`]*`", "`", text)):
                yield Finding(path, "half_width", {"text": m[0]}, number)
    for lang in languages:
        path = section.folder / f"lesson.{lang}.md"
        ours, theirs = (lessons.headings(section.lesson(name)) for name in (lang, first))
        for a, b in zip_longest(ours, theirs):
            if a is None or b is None or a.level != b.level:
                at = a.line if a else len(section.lesson(lang).splitlines())
                yield Finding(path, "headings", {"other": first}, at)
                break
        if not section.lesson(lang).startswith(f"# {section.number} "):
            yield Finding(path, "lesson_number", {"number": section.number}, 1)
        exercise = section.folder / "exercise.yaml"
        if not (section.about.title.get(lang) or "").strip():
            yield Finding(exercise, "no_title", {"lang": lang}, line_of(exercise, "title:"))
        yield from _hints(section, lang)


def _hints(section: Section, lang: str) -> Iterator[Finding]:
    path, hints = section.folder / f"hints.{lang}.md", section.hints(lang)
    for task in section.about.tasks:
        tiers = [h for h in hints.get(task, []) if h]
        if len(tiers) != _TIERS:
            params = {"task": task, "tiers": len(tiers), "wanted": _TIERS}
            yield Finding(path, "hint_tiers", params, line_of(path, f"## {task}"))
    for task in sorted(hints.keys() - section.about.tasks.keys()):
        yield Finding(path, "hint_unknown", {"task": task}, line_of(path, f"## {task}"))


def _promises(section: Section, languages: Sequence[str]) -> Iterator[Finding]:
    for path in (section.examples, section.tests):
        tested: set[int] = set()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                if not _one_each(paragraphs(ast.get_docstring(node)), languages):
                    yield Finding(path, "no_promise", {"name": node.name}, node.lineno)
                tasks = {n for d in node.decorator_list if (n := _task_of(d)) is not None}
                for task in sorted(tasks - section.about.tasks.keys()):
                    yield Finding(path, "task_unknown", {"name": node.name, "task": task}, node.lineno)
                tested |= tasks
        for task in sorted(section.about.tasks.keys() - tested):
            yield Finding(path, "task_untested", {"task": task}, 1)
        for call, line in _drawn_elsewhere(path):
            yield Finding(path, "not_from_rng", {"call": call}, line)


def _drawn_elsewhere(path: Path) -> Iterator[tuple[str, int]]:
    """Random numbers that do not come from `rng` or a generator: the same answer would get one verdict today and
    another tomorrow.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            call = ast.unparse(node.func)
            drawn = _RANDOM.fullmatch(call) or node.func.attr in _RANDOM_IN_PLACE
            if drawn and not any(k.arg == "generator" for k in node.keywords):
                yield call, node.lineno


def _one_each(told: list[str], languages: Sequence[str]) -> bool:
    """True if there is one in each language, in that order: a second one would be taken for the next language."""
    chinese = [bool(re.search("[一-鿿]", p)) for p in told]
    return chinese == [lang == "zh" for lang in languages]


def _recorded(section: Section) -> Iterator[Finding]:
    """Entries of equivalent.yaml on lines that the reference no longer has; the rest is for `learn dev mutants`."""
    try:
        entries = section.equivalents()
    except CourseError as e:
        yield Finding(section.equivalent, "equivalent_unreadable", {"reason": str(e).partition(": ")[2]}, 1)
        return
    lines = [text.strip() for text in section.reference.read_text(encoding="utf-8").splitlines()]
    for entry in entries:
        for was in filter(None, map(str.strip, entry.was.splitlines())):
            if not any(text.startswith(was) for text in lines):  # what follows is a comment
                yield Finding(section.equivalent, "equivalent_stale", {"was": was}, line_of(section.equivalent, was))


def _task_of(decorator: ast.expr) -> int | None:
    if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "task":
        number = decorator.args[0] if decorator.args else None
        return number.value if isinstance(number, ast.Constant) and isinstance(number.value, int) else None
    return None


def _bank(section: Section, languages: Sequence[str]) -> Iterator[Finding]:
    wrong = section.bank("wrong")
    if len(wrong) < _WRONGS:
        yield Finding(section.hidden / "wrong", "few_wrong", {"found": len(wrong), "wanted": _WRONGS})
    if not section.bank("also"):
        yield Finding(section.hidden / "also", "no_also", {})
    for path in section.bank("also"):
        about = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        if not _one_each(paragraphs(about), languages):
            yield Finding(path, "also_untold", {}, 1)
    for path in wrong:
        if not (tasks := named(path)) or not set(tasks) <= section.about.tasks.keys():
            yield Finding(path, "names_no_task", {}, 1)
    for lang in languages:
        path = section.hidden / f"mistakes.{lang}.md"
        told = sections_of(path.read_text(encoding="utf-8"))
        for mistake in sorted({p.stem for p in wrong} | section.mistakes(languages[0]).keys()):
            if not told.get(mistake):
                yield Finding(path, "mistake_untold", {"mistake": mistake}, line_of(path, f"## {mistake}"))
        for mistake in sorted(told.keys() - {p.stem for p in wrong} - _named_in_tests(section)):
            if f"kind.{mistake}" in messages():  # of what any test may find
                continue
            yield Finding(path, "mistake_unused", {"mistake": mistake}, line_of(path, f"## {mistake}"))


def _named_in_tests(section: Section) -> set[str]:
    """Every text in the code that may recognise a mistake."""
    trees = [ast.parse(p.read_text(encoding="utf-8")) for p in (section.examples, section.tests)]
    nodes = [n for tree in trees for n in ast.walk(tree)]
    keywords = {n.arg for n in nodes if isinstance(n, ast.keyword) and n.arg}  # mistaken_for=dict(summed=…)
    return keywords | {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
