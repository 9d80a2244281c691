"""A class for people and for programs: what was understood, how far it is, what came of it, and the scores."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.model import Student
from grader.reports.lines import wrapped
from grader.reports.plain import cut, table, title
from grader.reports.sentences import number
from grader.reports.words import say, together

if TYPE_CHECKING:
    from grader.analysis import Analysis, Mistake
    from grader.batch import Progress, Run, Unjudged
    from grader.collect import Collected, Unplaced
    from grader.course import Section
    from grader.gradebook import Standing
    from grader.scores import Score, Total

_HEADS = ("class.section", "class.answers", "class.full", "class.none", "class.mean", "class.look")
_LISTED = 20  # of a kind, on a screen
_TOP = 5  # mistakes
_WIDTH = 80  # columns
_WIDEST = 200  # characters of what the grader says of its own fault
_DAY = timedelta(days=1)


def understood(found: "Collected", sections: "Sequence[Section]", lang: str) -> list[str]:
    """What of the files was taken for whose answer, before anything is judged."""
    students = len({h.student.id for h in found.handed})
    layouts = say("list.and", lang).join(say(f"layout.{k}", lang, count=n) for k, n in found.layouts.most_common())
    lines = [say("class.understood", lang, students=students, answers=len(found.handed), layouts=layouts or "-")]
    by_section = Counter(h.section for h in found.handed)
    rows = [[s.number, title(s.about.title, lang), str(by_section[s.slug])] for s in sections if by_section[s.slug]]
    lines += ["  " + line for line in table(rows)]
    if late := [h.student.id for h in found.handed if h.marked_late]:
        lines.append(say("class.marked_late", lang, names=_some(late, lang)))
    if found.missing:
        names = [_called(s) for s in found.missing]
        lines.append(say("class.missing", lang, count=len(names), names=_some(names, lang)))
    if found.unplaced:
        lines.append(say("class.unplaced", lang, count=len(found.unplaced)))
        lines += [_unplaced(u, lang) for u in found.unplaced[:_LISTED]]
        if len(found.unplaced) > _LISTED:
            lines.append("  " + say("class.and_more", lang, count=len(found.unplaced) - _LISTED))
    return lines


def _unplaced(file: "Unplaced", lang: str) -> str:
    about = {"student": file.student, "reason": "", "section": "", **file.params}
    return f"  {file.name}: {say(f'unplaced.{file.why}', lang, **about)}"


def refused(totals: "Sequence[Total]", why: "Mapping[str, Sequence[Unplaced]]", lang: str) -> list[str]:
    """Why of some students' answers none could be taken."""
    ids = [t.student.id for t in totals if t.student.id in why and not any(s.standing for s in t.scores)]
    files = [_unplaced(u, lang) for who in ids for u in why[who]]
    return ["", say("class.refused", lang), *files] if files else []


def understood_json(found: "Collected") -> str:
    """The same for programs, without the texts."""
    handed = [
        {
            "student": h.student.id,
            "section": h.section,
            "file": h.name,
            "digest": h.digest,
            "at": h.at.isoformat() if h.at else None,
            "marked_late": h.marked_late,
        }
        for h in found.handed
    ]
    unplaced = [{"file": u.name, "why": u.why, "student": u.student} for u in found.unplaced]
    missing = [s.id for s in found.missing]
    return json.dumps({"handed": handed, "unplaced": unplaced, "missing": missing}, ensure_ascii=False)


def taken_over(ids: Mapping[str, str], lang: str) -> str:
    """Who is known by another id from now on."""
    return say("class.taken_over", lang, names=_some([f"{old} -> {new}" for old, new in sorted(ids.items())], lang))


def no_such(names: Sequence[str], lang: str) -> str:
    """Names with an extension that nobody goes by, or more than one."""
    return say("class.no_such", lang, names=_some(names, lang))


def no_times(due: datetime, lang: str) -> str:
    """Lateness would cost something, and nobody knows of any."""
    return say("class.no_times", lang, due=f"{due:%Y-%m-%d %H:%M}")


def running(progress: "Progress", lang: str) -> str:
    """How far it is, in one line."""
    about: dict[str, Any] = {"done": progress.done, "total": progress.total}
    if progress.stopping:
        return say("class.stopping", lang, **about)
    if progress.left is None:
        return say("class.progress", lang, **about)
    minutes, seconds = divmod(round(progress.left), 60)
    return say("class.progress_left", lang, **about, rate=f"{progress.rate:.1f}", left=f"{minutes}:{seconds:02d}")


def ran(run: "Run", standings: "Sequence[Standing]", again: str, lang: str) -> list[str]:
    """What came of a run, section by section; whose score changed and why; what is left to do."""
    lines = [say("class.ran" if run.total else "class.nothing_due", lang, judged=run.judged, time=_time(run.seconds))]
    by_section: dict[str, list[Standing]] = {}
    for s in standings:
        by_section.setdefault(s.number, []).append(s)
    heads = [say(key, lang) for key in _HEADS]
    rows = [_of_section(n, stands) for n, stands in sorted(by_section.items(), key=lambda i: _key(i[0]))]
    lines += ["", *table([heads, *rows])] if rows else []
    if run.changes:
        lines += ["", say("class.changed", lang, count=len(run.changes))]
        for c in run.changes:
            why = say("class.new_answer" if c.new_answer else "class.new_tests", lang)
            was, now = number(c.was), number(c.now)
            lines.append(
                "  " + say("class.change", lang, who=c.student.id, section=c.number, was=was, now=now, why=why)
            )
    if run.unmet:
        lines += ["", say("kind.needs_tier", lang, what=run.unmet)]
    elif run.unjudged:
        lines += ["", say("class.unjudged", lang, count=len(run.unjudged), again=again)]
        lines += [f"  {_unjudged(u, lang)}" for u in run.unjudged[:_LISTED]]
        if len(run.unjudged) > _LISTED:
            lines.append("  " + say("class.and_more", lang, count=len(run.unjudged) - _LISTED))
    if run.left and not run.unjudged:
        why = "class.stopped" if run.stopped else "class.others"
        lines += ["", say(why, lang, left=run.left, again=again)]
    return lines


def _unjudged(answer: "Unjudged", lang: str) -> str:
    """Whose answer it is, and why there is no verdict."""
    who = _some([s.id for s in answer.students], lang)
    first_line = str(answer.params.get("what", "")).partition("\n")[0][:_WIDEST]
    why = say(f"unjudged.{answer.kind}", lang, what=first_line)
    return say("class.unjudged_one", lang, who=who, section=answer.number, why=why)


def listed(totals: "Sequence[Total]", lang: str) -> list[str]:
    """The scores on a screen: a line for each student."""
    if not totals:
        return [say("class.nobody", lang)]
    heads = [say("class.student", lang), *(s.number for s in totals[0].scores), "%", ""]
    rows = []
    for t in totals:
        rows.append([t.student.name or t.student.id, *map(mark, t.scores), _percent(t.share), notes(t, lang)])
    return table([heads, *rows])


def notes(total: "Total", lang: str) -> str:
    """What there is to say beside somebody's points."""
    late = [s.number for s in total.scores if s.late]
    given = [s.number for s in total.scores if s.standing and s.standing.adjustment]
    told = [say("class.note_due", lang)] if total.due else []
    told += [say("class.note_late", lang, sections=together(late, lang))] if late else []
    told += [say("class.note_given", lang, sections=together(given, lang))] if given else []
    return say("list.also", lang).join(told)


def reported(
    n: "Analysis", totals: "Sequence[Total]", called: "Callable[[Mistake], str]", path: str, lang: str
) -> list[str]:
    """What `learn report` has found, in short, and where the rest is. `called`: the name of a mistake."""
    lines = [say("report.brief", lang, students=n.students, active=n.active, median=_share(n.totals.median))]
    if n.mistakes:
        lines += ["", say("report.brief_mistakes", lang)]
        rows = [[f"  {len(m.students)}", m.number, m.id, called(m)] for m in n.mistakes[:_TOP]]
        lines += [cut(line, _WIDTH) for line in table(rows)]
    if suspects := [t for t in n.tests if t.suspect]:
        lines += ["", say("report.brief_suspects", lang)]
        for t in suspects[:_LISTED]:
            why = say("report.brief_suspect", lang, failed=t.strong_failed, strong=t.strong)
            lines.append(f"  {t.number}  {t.name}  {why}")
    if n.concerns:
        people = {t.student.id: t.student for t in totals}
        names = [_called(people[c.student]) for c in n.concerns]
        told = say("report.brief_concerns", lang, count=len(names), names=_some(names, lang))
        lines += ["", "\n  ".join(wrapped(told, _WIDTH - 2))]
    return [*lines, "", path]


def as_csv(totals: "Sequence[Total]", worth: Fraction) -> str:
    """The scores for a spreadsheet, with decimal points; empty where nothing was handed in or judged. `worth`: the sum
    of the assignment's weights. What could be taken for a formula there is quoted.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = list(zip(*(t.scores for t in totals), strict=True))
    most = [max(s.max_points for s in column) for column in columns]  # 0 where nobody handed in anything
    marks = [column[0].number + (f" (of {_decimal(m)})" if m else "") for column, m in zip(columns, most, strict=True)]
    total = f"total (of {_decimal(worth)})"
    writer.writerow(["student", "name", "email", *marks, total, "percent", "late", "by hand", "not judged"])
    for t in totals:
        points = ["" if s.standing is None or s.points is None else _decimal(s.points) for s in t.scores]
        about = [harmless(v) for v in (t.student.id, t.student.name, t.student.email)]
        given = [s for s in t.scores if s.standing and s.standing.adjustment]
        unjudged = [s for s in t.scores if s.standing and s.standing.due and s not in given]
        # By slug: a spreadsheet would make 2.1 of 2.10.
        told = [" ".join(s.section for s in some) for some in ([s for s in t.scores if s.late], given, unjudged)]
        writer.writerow([*about, *points, _decimal(t.share * worth), _percent(t.share), *told])
    return out.getvalue().rstrip("\n")


def as_json(totals: "Sequence[Total]", run: "Run | None" = None) -> str:
    """Everything for programs; sums are exact fractions, as text."""
    told: dict[str, Any] = {"students": facts(totals)}
    if run:
        told["run"] = {
            "due": run.total,
            "judged": run.judged,
            "unjudged": [
                {"students": [s.id for s in u.students], "section": u.section, "why": u.kind, "params": u.params}
                for u in run.unjudged
            ],
            "left": run.left,
            "stopped": run.stopped,
            "seconds": round(run.seconds, 2),
            "changes": [
                {
                    "student": c.student.id,
                    "section": c.section,
                    "was": str(c.was),
                    "now": str(c.now),
                    "why": "answer" if c.new_answer else "tests",
                }
                for c in run.changes
            ],
        }
    return json.dumps(told, ensure_ascii=False)


def facts(totals: "Sequence[Total]") -> list[dict[str, Any]]:
    """Each student's, for programs."""
    return [_facts(t) for t in totals]


def adjusted(student: Student, section: str, points: Fraction | None, most: int, lang: str) -> str:
    """What a person has changed."""
    who = student.name or student.id
    if points is None:
        return say("class.automatic", lang, who=who, section=section)
    return say("class.adjusted", lang, who=who, section=section, points=number(points), most=most)


def _of_section(number_: str, stands: "list[Standing]") -> list[str]:
    judged = [s for s in stands if s.points is not None]
    full = sum(s.points == s.max_points for s in judged)
    none = sum(s.points == 0 for s in judged)
    mean = sum((s.points or Fraction(0) for s in judged), Fraction(0)) / max(1, len(judged))
    most = _decimal(max((s.max_points for s in stands), default=Fraction(0)), 1)
    look = sum(s.flagged for s in stands)
    return [number_, str(len(stands)), str(full), str(none), f"{_decimal(mean, 1)}/{most}", str(look)]


def _facts(t: "Total") -> dict[str, Any]:
    about = {"id": t.student.id, "name": t.student.name, "email": t.student.email}
    return about | {"share": str(t.share), "due": t.due, "scores": [_score(s) for s in t.scores]}


def _score(s: "Score") -> dict[str, Any]:
    stands, given = s.standing, s.standing.adjustment if s.standing else None
    told: dict[str, Any] = {
        "section": s.section,
        "number": s.number,
        "handed_in": bool(stands and stands.submission_digest),
    }
    if not stands:
        return told | {"points": "0"}
    return told | {
        "points": None if s.points is None else str(s.points),
        "automatic": None if stands.automatic is None else str(stands.automatic),
        "max_points": str(s.max_points),
        "late_seconds": int(s.late.total_seconds()),
        "late_share": str(s.share),
        "marked_late": stands.marked_late,
        "due": stands.due,
        "flagged": stands.flagged,
        "tier": stands.tier,
        "versions": dict(stands.versions),
        "submission_digest": stands.submission_digest,
        "adjusted": {"who": given.who, "why": given.why, "at": given.at.isoformat()} if given else None,
    }


def mark(s: "Score") -> str:
    """The points that count; "-" for nothing handed in, "…" while they are not known."""
    if s.standing is None:
        return "-"
    return "…" if s.points is None else number(s.points)


def _called(s: Student) -> str:
    return f"{s.name} ({s.id})" if s.name and s.name != s.id else s.id


def _some(names: Sequence[str], lang: str) -> str:
    more = [say("class.and_more", lang, count=len(names) - _LISTED)] if len(names) > _LISTED else []
    return together([*names[:_LISTED], *more], lang)


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _decimal(value: Fraction, places: int = 4) -> str:
    """Rounded, halves up, without zeros that say nothing."""
    scaled = int(value * 10**places * 2 + 1) // 2
    whole, rest = divmod(scaled, 10**places)
    return f"{whole}.{rest:0{places}d}".rstrip("0").rstrip(".") if places else str(whole)


def _percent(share: Fraction) -> str:
    return _decimal(share * 100, 2)


def _share(share: Fraction | None) -> str:
    return "-" if share is None else f"{int(share * 100)}%"


def harmless(text: str) -> str:
    """Quoted, if a spreadsheet could take it for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text


def _key(number_: str) -> list[int]:
    return [int(n) for n in number_.split(".") if n.isdecimal()]


def released(out: Path, sections: "Sequence[Section]", to: str, lang: str) -> str:
    """Where it is, and what is in it."""
    numbers = say("list.and", lang).join(s.number for s in sections)
    return say("class.released", lang, path=out, sections=numbers, to=to)


def into_nbgrader(url: str, name: str, count: int, lang: str) -> str:
    """Which assignment of nbgrader's now has the points."""
    return say("class.into_nbgrader", lang, url=url, name=name, count=count)
