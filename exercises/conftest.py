"""For `pytest exercises/…` and the test explorers of editors: your file runs in the same process, so that
`breakpoint()` works. `learn check` does not read this.

供 `pytest exercises/…` 和编辑器的测试面板使用：你的文件在同一进程中运行，可以使用 `breakpoint()`。
`learn check` 不会读取本文件。
"""

from grader.examples import pytest_pycollect_makemodule
