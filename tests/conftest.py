"""Quick tests first: what forks cells or walks through the whole course comes last."""

import os
import tempfile

import pytest
from browsers import chromium  # noqa: F401  # a fixture of all

os.environ["LEARN_HOME"] = tempfile.mkdtemp(prefix="learn-tests-")  # nobody's own progress is touched
os.environ["LEARN_SERVICE"] = "off"  # but in the tests of the service
collect_ignore = ["attacks", "golden", "mini_course"]  # data of test_attacks and test_golden

LAST = (
    "test_scaffold",
    "test_proof",
    "test_mutants",
    "test_judge",
    "test_golden",
    "test_sandbox",
    "test_attacks",
    "test_learn",
    "test_watch",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        module = item.path.stem
        return (LAST.index(module) + 2 if module in LAST else 0) + (item.get_closest_marker("slow") is not None)

    items.sort(key=rank)
