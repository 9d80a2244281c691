"""What a test file speaks in: `task`, `expect`, the fixtures `learner`, `probe`, `rng`, `source`, `bar` and `picture`.

A test runs in the judge. `learner.f(x)` asks the cell to call the learner's `f` with a copy of `x` and returns a copy
of what came back; `expect` compares it. Tests name mistakes; words for people are elsewhere.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol, TypeVar

import pytest
import torch

from grader.compare import Difference, Tolerance, difference, same
from grader.model import Measured, Picture
from grader.source import Source

_F = TypeVar("_F", bound=Callable[..., Any])
_Rows = list[list[float]]
_ARITY = re.compile(r"positional argument|unexpected keyword|required keyword|multiple values for argument")


@dataclass(frozen=True)
class TaskMark:
    """What `@task` says of a test."""

    number: int
    needs: tuple[int, ...] = ()
    timeout: float | None = None  # seconds; None: the section's limit, and the test is not about speed
    raises: Mapping[str, str] = field(default_factory=dict)  # part of an exception's text -> mistake
    may_change: bool = False  # the learner may change the arguments in place


def task(
    number: int,
    needs: tuple[int, ...] = (),
    timeout: float | None = None,
    raises: Mapping[str, str] | None = None,
    may_change: bool = False,
) -> Callable[[_F], _F]:
    """Marks a test as belonging to a task.

    `needs`: tasks that this one stands on; while they fail, it is skipped, so that one bug is told once.
    `timeout`: seconds, for a test that tells a slow way from a fast one: `## timeout` in mistakes.*.md is about these.
    `raises`: part of the message of an exception in the learner's code -> the mistake that it shows.
    """
    mark = TaskMark(number, needs, timeout, raises or {}, may_change)

    def put(function: _F) -> _F:
        function.task = mark  # type: ignore[attr-defined]
        return function

    return put


class Bar(float):
    """A threshold of exercise.yaml. It notes what is held against it, passed or not, for `learn dev calibrate`."""

    name: str
    notes: list[Measured]

    def __new__(cls, height: float, name: str, notes: list[Measured]) -> "Bar":
        """A float of that height, which writes to those notes."""
        bar = super().__new__(cls, height)
        bar.name, bar.notes = name, notes
        return bar

    def note(self, value: object, least: bool) -> None:
        """That value was seen."""
        self.notes.append(Measured(self.name, _finite(value), least))


class Failure(AssertionError):
    """A test's finding about the learner's answer."""

    def __init__(self, kind: str, mistake: str = "", where: int | None = None, **params: Any) -> None:
        super().__init__(kind)
        self.kind = kind
        self.mistake = mistake
        self.where = where
        self.params = {k: float(v) if isinstance(v, Bar) else v for k, v in params.items()}
        self.shown: tuple[Any, Any] | None = None  # got and wanted, if exact: for tests that learners may read


class NotYet(Exception):
    """The task's code is not written: the stub's own exception, or a name that the file does not define."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self.name = name


class LearnerRaised(Exception):
    """The learner's code raised. `bases`: names of the built-in exceptions that it is one of."""

    def __init__(self, kind: str, bases: list[str], message: str, line: int | None, origin: str) -> None:
        super().__init__(kind)
        self.kind = kind
        self.bases = bases
        self.message = message
        self.line = line
        self.origin = origin
        self.loading = False  # while the file was loaded
        self.expected = False  # a test asked for it

    @property
    def unfit(self) -> bool:
        """True if the call itself did not fit the learner's function: its parameters are others."""
        return "TypeError" in self.bases and self.line is None and bool(_ARITY.search(self.message))


class Desk(Protocol):
    """Who answers a test's calls for one submission."""

    text: str
    until: float  # time.monotonic() when the test's time is up
    visible: bool  # the test is one that the learner may read

    def call(self, target: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The answer. Raises LearnerRaised, NotYet, Failure, or what the sandbox raises when the cell is gone."""
        ...

    def load(self) -> None:
        """Loads the learner's file, if that has not been done. Raises the same."""
        ...


class Far:
    """The learner's file or the probes, seen from a test: any attribute is a function that is called in the cell."""

    def __init__(self, desk: Desk, target: str) -> None:
        self._desk = desk
        self._target = target

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def remote(*args: Any, **kwargs: Any) -> Any:
            return self._desk.call(self._target, name, args, kwargs)

        remote.__name__ = name
        return remote


class Rng:
    """Draws a test's inputs. Seeded by a secret and the submission, so nobody can know them beforehand."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def normal(
        self, *shape: int, dtype: torch.dtype = torch.float32, mean: float = 0.0, std: float = 1.0
    ) -> torch.Tensor:
        """Normally distributed, of that shape."""
        return torch.randn(shape, generator=self.generator, dtype=dtype) * std + mean

    def uniform(
        self, *shape: int, low: float = 0.0, high: float = 1.0, dtype: torch.dtype = torch.float32
    ) -> torch.Tensor:
        """Uniform in [low, high), of that shape."""
        return torch.rand(shape, generator=self.generator, dtype=dtype) * (high - low) + low

    def integers(self, low: int, high: int, *shape: int) -> torch.Tensor:
        """int64 in [low, high), of that shape."""
        return torch.randint(low, high, shape, generator=self.generator)

    def integer(self, low: int, high: int) -> int:
        """One int in [low, high)."""
        return int(self.integers(low, high))

    def number(self, low: float, high: float) -> float:
        """One float in [low, high)."""
        return float(self.uniform(low=low, high=high, dtype=torch.float64))

    def permutation(self, n: int) -> torch.Tensor:
        """0 … n-1 in random order, int64."""
        return torch.randperm(n, generator=self.generator)


class Expectation:
    """`expect(value)`: what a test then demands of it. Every method raises Failure or returns nothing."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def close_to(
        self,
        want: Any,
        *,
        dtype: torch.dtype | None = None,
        rtol: float | None = None,
        atol: float | None = None,
        mistaken_for: Mapping[str, Any] | None = None,
    ) -> None:
        """Equal within a tolerance: shape first, then dtype (`dtype`, else the wanted one's), then values.

        `mistaken_for`: mistake -> the value (or a function that makes it) that this mistake would have returned.
        """
        how = Tolerance(rtol, atol)
        self._settle(difference(self.value, want, how, dtype), how, mistaken_for)

    def equal_to(
        self, want: Any, *, dtype: torch.dtype | None = None, mistaken_for: Mapping[str, Any] | None = None
    ) -> None:
        """Exactly equal."""
        how = Tolerance(exact=True)
        self._settle(difference(self.value, want, how, dtype), how, mistaken_for)

    def unlike(self, **signs: Any) -> None:
        """Not exactly one of these, each the sign of a mistake (as: where there are NaN). It demands nothing else."""
        if mistake := self._mistake(signs, Tolerance(exact=True)):
            self._fail(Difference("values", {}), mistake)

    def at_least(self, bar: float, *, mistaken_for: Mapping[str, Any] | None = None) -> None:
        """A number not below the bar (NaN is)."""
        self._beside(bar, "below", mistaken_for)

    def at_most(self, bar: float, *, mistaken_for: Mapping[str, Any] | None = None) -> None:
        """A number not above the bar (NaN is)."""
        self._beside(bar, "above", mistaken_for)

    def shape(self, *sizes: int, mistaken_for: Mapping[str, tuple[int, ...]] | None = None) -> None:
        """A tensor of that shape. `mistaken_for`: mistake -> the shape it leads to."""
        if not isinstance(self.value, torch.Tensor):
            fail = Difference("type", {"got": type(self.value).__name__, "want": "torch.Tensor"})
            self._fail(fail if self.value is not None else Difference("none", {}))
        elif tuple(self.value.shape) != sizes:
            mistake = next((m for m, s in (mistaken_for or {}).items() if tuple(self.value.shape) == tuple(s)), "")
            raise Failure("shape", mistake, got=list(self.value.shape), want=list(sizes))

    def tracks_gradient(self, want: bool = True, *, mistake: str = "") -> None:
        """A tensor that autograd follows, or does not."""
        if not isinstance(self.value, torch.Tensor):
            self._inexact(torch.zeros(()), None)
        elif self.value.requires_grad is not want:
            raise Failure("no_gradient" if want else "tracks_gradient", mistake)

    def true(self, kind: str, mistake: str = "", **params: Any) -> None:
        """The value is True; else the failure is of that kind. For what no comparison says."""
        if self.value is not True:
            if isinstance(bar := params.get("bar"), Bar):  # it will not come to at_least any more
                bar.note(params.get("got"), kind == "below")
            raise Failure(kind, mistake, **params)

    def avoids(self, *names: str, mistake: str) -> None:
        """Of a Source: none of these names is used. The mistake is reported with its line."""
        use = self.value.use_of(*names)
        if use is not None:
            raise Failure(
                "hidden_name" if use.hidden else "rule", "" if use.hidden else mistake, use.line, name=mistake
            )

    def _beside(self, bar: float, kind: str, mistaken_for: Mapping[str, Any] | None) -> None:
        value = self.value.item() if isinstance(self.value, torch.Tensor) and self.value.numel() == 1 else self.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._inexact(0.0, mistaken_for)
            return
        if isinstance(bar, Bar):
            bar.note(value, kind == "below")
        if not (value >= bar if kind == "below" else value <= bar):
            rough = Difference(kind, {"got": _rounded(value), "bar": bar})
            self._settle(rough, Tolerance(), mistaken_for)

    def _inexact(self, like: Any, mistaken_for: Mapping[str, Any] | None) -> None:
        """The value is of another type than `like`, which stands for what nobody could write down."""
        if found := difference(self.value, like, Tolerance()):
            self._settle(found._replace(shown=None), Tolerance(), mistaken_for)

    def _settle(self, found: Difference | None, how: Tolerance, mistaken_for: Mapping[str, Any] | None) -> None:
        if found is not None:
            self._fail(found, self._mistake(mistaken_for or {}, how))

    def _mistake(self, mistaken_for: Mapping[str, Any], how: Tolerance) -> str:
        """Which of these it is; "" if none."""
        made = ((m, c() if callable(c) else c) for m, c in mistaken_for.items())
        return next((mistake for mistake, value in made if same(self.value, value, how)), "")

    def _fail(self, found: Difference, mistake: str = "") -> NoReturn:
        failure = Failure(found.kind, mistake, **found.params)
        failure.shown = found.shown
        raise failure


def _finite(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _rounded(value: float) -> float | str:
    """To four digits; as text where no finite float says it."""
    try:
        rounded = float(f"{value:.4g}")
    except OverflowError:
        return "inf" if value > 0 else "-inf"
    return rounded if math.isfinite(rounded) else float(value) if math.isfinite(value) else str(value)


class Pictures:
    """The fixture `picture`: notes what is to be drawn, of values or of functions that make them.

    It never fails: what cannot be made, or cannot be drawn, is left out.
    """

    MOST = 4096  # numbers of one series

    def __init__(self, noted: dict[str, Picture]) -> None:
        self._noted = noted

    def curves(self, name: str, series: Any, *, x: str = "") -> None:
        """Lines over 1, 2, 3 …: for each series (a mapping) one number after the other."""
        self._note(name, "curves", lambda: {k: _rows(v, 1) for k, v in _made(series).items()}, x, "")

    def paths(self, name: str, series: Any, *, x: str = "", y: str = "", behind: Any = ()) -> None:
        """Points (n, 2) that are joined, on axes of the same scale. `behind`: others, faint and without a name."""

        def data() -> dict[str, _Rows]:
            faint = {f" {i}": _rows(v, 2) for i, v in enumerate(_made(behind))}
            return faint | {k: _rows(v, 2) for k, v in _made(series).items()}

        self._note(name, "paths", data, x, y)

    def matrix(self, name: str, values: Any, *, x: str = "", y: str = "") -> None:
        """A grid (rows, columns); `y` says what the rows are."""
        self._note(name, "matrix", lambda: {"": _rows(_made(values), 2)}, x, y)

    def regions(
        self,
        name: str,
        values: Any,
        box: tuple[tuple[float, float], tuple[float, float]],
        marks: Mapping[str, Any],
        *,
        x: str = "",
        y: str = "",
    ) -> None:
        """Where a function of two numbers is above 0: its values (rows, columns) over `box`, ((left, right), (bottom,
        top)), the lowest row first. `marks`: at most two kinds of points (n, 2), those that should be below 0 first.
        """

        def data() -> dict[str, _Rows]:
            return {"": _rows(_made(values), 2), " box": _rows(box, 2)} | {k: _rows(v, 2) for k, v in marks.items()}

        self._note(name, "regions", data, x, y)

    def _note(self, name: str, kind: Any, data: Callable[[], dict[str, _Rows]], x: str, y: str) -> None:
        try:
            self._noted[name] = Picture(name=name, kind=kind, data=data(), x=x, y=y)
        except TimeoutError:
            raise
        except Exception:  # any value may come from a learner, and none may cost a verdict
            self._noted.pop(name, None)


def _made(value: Any) -> Any:
    return value() if callable(value) else value


def _rows(values: Any, dims: int) -> _Rows:
    """The numbers of a value with so many dimensions. Raises for what is no such thing, or has too many."""
    found = torch.as_tensor(values).detach()
    if found.is_complex() or found.dim() != dims or not 0 < found.numel() <= Pictures.MOST:
        raise ValueError
    rows: _Rows = found.to("cpu", torch.float32).reshape(-1, found.shape[-1]).tolist()
    return rows


class _Expect:
    def __call__(self, value: Any) -> Expectation:
        return Expectation(value)

    def raises(
        self, error: type[BaseException], function: Callable[..., Any], *args: Any, mistake: str = "", **kwargs: Any
    ) -> None:
        """The learner's function, so called, raises that built-in error or a kind of it."""
        try:
            function(*args, **kwargs)
        except LearnerRaised as e:
            if e.loading:
                raise
            if error is TypeError and e.unfit:
                raise
            e.expected = True
            if error.__name__ not in e.bases:
                raise Failure("wrong_error", mistake, e.line, got=e.kind, want=error.__name__) from None
        else:
            raise Failure("not_raised", mistake, error=error.__name__)


expect = _Expect()


class Fixtures:
    """The fixtures, as a pytest plugin. What is declared here is set by whoever runs the tests."""

    desk: Desk
    seed: int
    bars: Mapping[str, float]
    notes: list[Measured]  # what a test held against the bars
    noted: dict[str, Picture]  # what is to be drawn of this submission, by name

    @pytest.fixture
    def learner(self) -> Far:
        """The learner's file."""
        return Far(self.desk, "learner")

    @pytest.fixture
    def probe(self) -> Far:
        """The section's probes.py, beside the learner's file in the cell."""
        return Far(self.desk, "probes")

    @pytest.fixture
    def rng(self) -> Rng:
        """The test's own random inputs."""
        return Rng(self.seed)

    @pytest.fixture
    def source(self) -> Source:
        """The learner's text, once it has loaded in a cell: a text that Python chokes on must not reach the judge."""
        self.desk.load()
        return Source(self.desk.text)

    @pytest.fixture
    def picture(self) -> Pictures:
        """Notes what the learner is to look at. In a hidden test nothing is kept: the values could carry its inputs."""
        return Pictures(self.noted if self.desk.visible else {})

    @pytest.fixture
    def bar(self) -> Mapping[str, float]:
        """The thresholds of exercise.yaml."""
        return {name: Bar(height, name, self.notes) for name, height in self.bars.items()}
