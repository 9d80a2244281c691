"""A course of one section in which nothing is to be found: what `learn dev new` writes, with every TODO done."""

import re
from pathlib import Path

from grader import scaffold
from grader.course import Course, Section

_COURSE = """id: sound
title: {en: Sound, zh: 完好}
languages: [en, zh]
hosts: [pytorch.org]
chapters:
  01_first: {title: {en: First, zh: 第一章}}
"""
_GLOSSARY = """- {en: tensor, zh: 张量, not: [多维数组]}
- {en: loader, zh: 数据加载器, not: [数据加载]}
"""
_WRONG = '''"""Fails: 1. {why}"""


def scaled(x, factor):
    return {answer}
'''


def write(root: Path) -> Course:
    """`root/exercises` and `root/solutions`; the section is 1.1 scaling."""
    (root / "exercises").mkdir(parents=True)
    (root / "exercises" / "course.yaml").write_text(_COURSE, encoding="utf-8")
    (root / "exercises" / "glossary.yaml").write_text(_GLOSSARY, encoding="utf-8")
    for path in scaffold.begin(Course.at(root), "01_first/scaling"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"TODO[:：]? ?", "", text), encoding="utf-8")
    section = Course.at(root)["scaling"]
    add(section, "wrong/divided", _WRONG.format(why="Divided.", answer="x / factor"))
    add(section, "wrong/unscaled", _WRONG.format(why="Nothing is done.", answer="x.clone()"))
    add(
        section,
        "also/the_other_way_round",
        '"""The factor last.\n\n把 factor 放在后面。\n"""\n\n\ndef scaled(x, factor):\n    return x * factor\n',
    )
    change(section.tests, '{"added"', '{"divided": x / factor, "unscaled": x, "added"')
    for lang in ("en", "zh"):
        path = section.hidden / f"mistakes.{lang}.md"
        path.write_text(
            path.read_text(encoding="utf-8") + "\n## divided\n\nNo.\n\n## unscaled\n\nNo.\n", encoding="utf-8"
        )
    return Course.at(root)


def add(section: Section, name: str, text: str) -> None:
    """An answer beside the reference."""
    path = section.hidden / f"{name}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def change(path: Path, old: str, new: str) -> None:
    """One piece of text for another, which must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} has no {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
