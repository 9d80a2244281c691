"""A course of two sections, written to a folder: enough for everything but judging."""

from pathlib import Path

from grader.course import Course

STUB = '''# %% [markdown]
# # Double

# %%
import math


# --- task 1 ---
def double(x):
    """Twice x."""
    # a comment that only the stub has
    raise NotImplementedError


# --- end ---


# --- task 2 ---
def halve(x):
    """Half of x."""
    raise NotImplementedError


# --- end ---
'''

REFERENCE = '''# %% [markdown]
# # Double

# %%
import math


# --- task 1 ---
def double(x):
    """Twice x."""
    y = x + x
    return y


# --- end ---


# --- task 2 ---
def halve(x):
    """Half of x."""

    def helper(y):
        return y / 2

    return helper(x)


# --- end ---
'''

_COURSE = """id: tiny
title: {en: A tiny course, zh: 小课程}
languages: [en, zh]
chapters:
  01_first: {title: {en: First chapter, zh: 第一章}}
"""

_EXERCISE = """title: {{en: {en}, zh: {zh}}}
tasks:
  1: {{name: double, points: 2}}
  2: {{name: halve, points: 3}}
requires: [{requires}]
docs: [https://pytorch.org/docs/stable/tensors.html]
"""

_HINTS = """## 1
First hint, {lang}.
---
Second hint, {lang}.

## 2
Only hint, {lang}.
"""


def write(root: Path) -> Course:
    """`root/exercises` and `root/solutions`."""
    (root / "exercises").mkdir(parents=True)
    (root / "exercises" / "course.yaml").write_text(_COURSE, encoding="utf-8")
    _section(root, "01_doubling", "Doubling", "加倍", "")
    _section(root, "02_again", "Doubling again", "再次加倍", "doubling")
    return Course.at(root)


def _section(root: Path, folder: str, en: str, zh: str, requires: str) -> None:
    shown = root / "exercises" / "01_first" / folder
    hidden = root / "solutions" / "01_first" / folder
    shown.mkdir(parents=True)
    hidden.mkdir(parents=True)
    slug = folder[3:]
    (shown / "exercise.yaml").write_text(_EXERCISE.format(en=en, zh=zh, requires=requires), encoding="utf-8")
    (shown / f"{slug}.py").write_text(STUB, encoding="utf-8")
    (shown / "test_examples.py").write_text("", encoding="utf-8")
    (hidden / f"{slug}.py").write_text(REFERENCE, encoding="utf-8")
    (hidden / f"test_{slug}.py").write_text("", encoding="utf-8")
    for lang in ("en", "zh"):
        (shown / f"lesson.{lang}.md").write_text(f"# Lesson of {slug}, {lang}\n", encoding="utf-8")
        (shown / f"hints.{lang}.md").write_text(_HINTS.format(lang=lang), encoding="utf-8")
        text = f"## doubled_twice\nYou doubled **twice** ({lang}).\n\n## summed\nSummed ({lang}).\n"
        (hidden / f"mistakes.{lang}.md").write_text(text, encoding="utf-8")
