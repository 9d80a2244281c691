"""An autograder for Gradescope: the grader, the chosen sections with their hidden tests, and the scripts it runs."""

import json
from importlib import metadata
from pathlib import Path

from grader import assignment
from grader.model import Tier
from grader.pool import secret
from grader.release import Release, ReleaseError, handout, write_zip
from grader.releases import bundle

OWN = True
_PACKAGE = Path(__file__).parent.parent
_SCRIPTS = Path(__file__).parent / "autograder"
_LEFT_OUT = ("_course", "template", "autograder", "pages", "__pycache__")  # folders that judging does not need
_NEEDED = ("jupytext", "msgspec", "nbformat", "numpy", "platformdirs", "psutil", "pytest", "pyyaml", "sqlalchemy")
_OF_TORCH = ("torch", "torchvision")
_WHEELS = "https://download.pytorch.org/whl/cpu"


def write(release: Release, out: Path) -> None:
    """The archive to upload under “Configure Autograder”. Raises ReleaseError."""
    if not all(s.tests.is_file() for s in release.sections):
        raise ReleaseError("no_solutions")
    grader = [p for p in _PACKAGE.rglob("*") if p.is_file() and not set(_LEFT_OUT) & set(p.relative_to(_PACKAGE).parts)]
    files = {
        **{p.name: p.read_bytes() for p in _SCRIPTS.iterdir() if p.is_file()},
        **{f"grader/{p.relative_to(_PACKAGE).as_posix()}": p.read_bytes() for p in grader},
        **handout(release),  # as it is: a section's digest is that of `learn grade`
        **bundle.judging(release, hidden=True),
        "assignment.yaml": assignment.dump(release.assignment).encode(),
        "requirements.txt": requirements(release.course.about.packages).encode(),
        # With less, an answer could read the hidden tests: on Gradescope everything is root's.
        "settings.json": json.dumps({"lang": release.lang, "require": Tier.T2}).encode(),
        "secret": secret(),  # the same inputs are drawn as by `learn grade` here
    }
    write_zip(files, out)


def requirements(packages: "list[str]") -> str:
    """What pip is to install: the versions that judge here, and torch without CUDA. Raises ReleaseError."""
    names = sorted({*_NEEDED, *_OF_TORCH, *packages})
    lines = [f"--extra-index-url {_WHEELS}"]
    for name in names:
        try:
            version = metadata.version(name).partition("+")[0]
        except metadata.PackageNotFoundError:
            raise ReleaseError("not_installed", what=name, extra="instructor") from None
        lines.append(f"{name}=={version}+cpu" if name in _OF_TORCH else f"{name}=={version}")
    return "\n".join([*lines, ""])
