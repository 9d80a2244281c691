"""A section through JupyterLab in a real browser, as a learner does it, in English and Chinese."""

import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from browsers import CHROMIUM

from grader.course import REGION, Course
from grader.model import Verdict
from grader.notebook import same
from grader.progress import Progress, path_for

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is in the extra [dev]")
pytest.importorskip("jupyterlab", reason="JupyterLab is in the extra [dev]")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: `apt-get install chromium`"),
]

ROOT = Path(__file__).resolve().parents[1]
SECTION = Course.ours()["2.2"]
PATIENCE = 180_000  # ms: JupyterLab on a busy machine
ANSWER = """# --- task 1 ---
def slope(f: Function, x: Tensor) -> Tensor:
    x = x.detach().clone().requires_grad_()
    f(x).{how}().backward()
    return x.grad


# --- end ---"""


@pytest.fixture
def environ(tmp_path):
    """A person of their own: progress, Jupyter's settings, and a browser that only writes down what it should open."""
    os.mkfifo(tmp_path / "opened")
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    settings = tmp_path / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"windowingMode": "none"}')  # cells that are scrolled away stay in the page
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LEARN", "JUPYTER", "JPY"))}
    mine = {"LEARN_HOME": "home", "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "IPYTHONDIR": "ipython"}
    mine["JUPYTERLAB_SETTINGS_DIR"] = "settings"
    folders = {k: str(tmp_path / v) for k, v in (mine | {"JUPYTER_RUNTIME_DIR": "runtime", "HOME": "."}).items()}
    return clean | folders | {"BROWSER": f"{browser} %s", "PYTHONPATH": str(ROOT)}


def _learn(environ, tmp_path, *arguments, **more):
    command = [sys.executable, str(ROOT / "cli.py"), *arguments]
    return subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False, **more)


@pytest.fixture
def lab(environ, tmp_path):
    """lab("zh"): `learn notebook 2.2` in that language; the page that it opened, in a real browser."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        started = []

        def start(lang):
            assert _learn(environ, tmp_path, "init", "work", "--lang", lang).returncode == 0
            log = (tmp_path / "log").open("w")
            command = [sys.executable, str(ROOT / "cli.py"), "notebook", "2.2"]
            started.append(
                subprocess.Popen(command, env=environ, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            )
            page = browser.new_page(viewport={"width": 1200, "height": 1600})
            page.set_default_timeout(PATIENCE)
            page.goto(_read(tmp_path / "opened"))
            return page

        yield start
        browser.close()
        for server in started:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
        _learn(environ, tmp_path, "stop")


def _read(pipe):
    """What the browser was called with; waits for that."""
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert select.select([end], [], [], PATIENCE / 1000)[0], "nothing was opened"
        return os.read(end, 4096).decode().strip()
    finally:
        os.close(end)


def _cell(page, text):
    return page.locator(".jp-CodeCell:visible").filter(has_text=text).first


def _run(page, text, instead=None):
    """Runs the cell with that text, after writing something else into it, and waits until it has run; the cell."""
    cell = _cell(page, text)
    before = cell.locator(".jp-InputPrompt").inner_text()
    cell.locator(".cm-content").focus()  # not a click: what is printed above moves the cells away under the mouse
    cell.locator(".cm-focused").wait_for()
    if instead is not None:
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(instead)
    page.keyboard.press("Control+Enter")
    has_run = cell.locator(".jp-InputPrompt").filter(has_text=re.compile(r"\[\d+\]")).filter(has_not_text=before)
    has_run.wait_for()
    return cell


def _checked(page, text, *parts):
    """Runs a cell with `%check`, and waits for what it shall show."""
    cell = _run(page, text)
    for part in parts:
        cell.locator(".jp-OutputArea-output").filter(has_text=part).wait_for()
    return cell.locator(".jp-OutputArea-output").inner_text()


WORDS = {
    "en": ("task 1  slope  2/2 points  passed", "Next: task 2, then `%check 2`.", "failed"),
    "zh": ("任务 1  slope  2/2 分  通过", "接下来：做任务 2，再运行 `%check 2`。", "未通过"),
}


@pytest.mark.parametrize("lang", WORDS)
def test_a_task_in_jupyterlab(lab, environ, tmp_path, lang):
    """The notebook opens; a wrong answer is written and told its mistake, the right one passes, both without saving;
    saved, file and notebook say the same, and `learn check` agrees.
    """
    passed, then, failed = WORDS[lang]
    page = lab(lang)
    _cell(page, "def slope").wait_for()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()

    _run(page, "%load_ext learn")
    _run(page, "import torch")
    _run(page, "def slope", ANSWER.format(how="mean"))
    told = _checked(page, "%check 1", failed)
    explained = re.sub(r"[\s`*]", "", SECTION.mistakes(lang)["averaged_not_summed"])
    assert "✗" in told and explained[:20] in re.sub(r"\s", "", told)
    _run(page, "def slope", ANSWER.format(how="sum"))
    assert "✓" in _checked(page, "%check 1", passed, then)

    page.keyboard.press("Control+S")
    page.wait_for_function("!document.querySelector('.jp-mod-dirty')")
    page.screenshot(path=tmp_path / "lab.png")
    file = tmp_path / "work" / SECTION.stub.relative_to(SECTION.folder.parents[1])
    assert ".sum().backward()" in file.read_text(encoding="utf-8")
    from grader.submission import read

    assert same(read(file).text, read(file.with_suffix(".ipynb")).text)
    verdict = Verdict.from_json(_learn(environ, tmp_path, "check", "2.2", "--json").stdout)
    assert verdict.task_passed(1) and not verdict.task_passed(2)
    with Progress(path_for("pytorch", environ)) as progress:
        assert progress.standings()["gradients"].attempts >= 3


# the first is the one that `lab` opens
EIGHT = ("2.2", "1.1", "2.3", "3.2", "4.1", "5.2", "6.3", "9.1")


def test_eight_sections_in_jupyterlab(lab, environ, tmp_path):
    """One after the other in the server that runs: `learn notebook` names the page, every task is written into its
    cell, `%check` passes all of them and sends the learner on; English and Chinese by turns.
    """
    page = lab("en")
    for i, number in enumerate(EIGHT):
        section, lang = Course.ours()[number], ("en", "zh")[i % 2]
        if i:
            with os.fdopen(os.open(tmp_path / "opened", os.O_RDWR), "r") as opened:  # so that nobody waits for a reader
                told = _learn(environ, tmp_path, "notebook", number, "--lang", lang)
                assert told.returncode == 0, told.stderr
                page.goto(f"{opened.readline().strip()}&reset")  # else those of the sections before open as well
        page.locator(".lm-TabBar-tab.lm-mod-current", has_text=f"{section.slug}.ipynb").wait_for()
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        _run(page, "%load_ext learn")
        _run(page, "import torch")
        for task, body in REGION.findall(section.reference.read_text(encoding="utf-8")):
            _run(page, f"# --- task {task} ---", f"# --- task {task} ---\n{body}# --- end ---")
        loads = _run(page, "%load_ext learn", "%load_ext learn\n%check")
        passed = {"en": "Passed: all tests, all points.", "zh": "全部通过，满分。"}[lang]
        loads.locator(".jp-OutputArea-output").filter(has_text=passed).wait_for()
        page.keyboard.press("Control+S")
        page.wait_for_function("!document.querySelector('.jp-mod-dirty')")
    with Progress(path_for("pytorch", environ)) as progress:
        standings = progress.standings()
    assert {s for s, standing in standings.items() if standing.passed} == {Course.ours()[n].slug for n in EIGHT}
