"""Says whether two values agree and, if not, what kind of difference it is.

Pure functions on plain values (None, bool, numbers, text, lists, dicts, tensors). The words for a kind are elsewhere.
"""

import contextlib
import math
from typing import Any, NamedTuple

import torch

_TOLERANCE = {  # rtol, atol: wide enough for any order of summation, far narrower than any mistake
    torch.float64: (1e-7, 1e-8),
    torch.float32: (1e-4, 1e-5),
    torch.float16: (5e-3, 2e-3),
    torch.bfloat16: (4e-2, 2e-2),
}


class Tolerance(NamedTuple):
    """|got - want| <= atol + rtol * |want|; None: by dtype. `exact`: no tolerance at all."""

    rtol: float | None = None
    atol: float | None = None
    exact: bool = False

    def of(self, dtype: torch.dtype) -> tuple[float, float]:
        """The pair to use for values of that dtype."""
        if self.exact:
            return 0.0, 0.0
        rtol, atol = _TOLERANCE.get(dtype, (0.0, 0.0))
        return (rtol if self.rtol is None else self.rtol), (atol if self.atol is None else self.atol)


class Difference(NamedTuple):
    """A kind (see the messages of the reports) and what its wording needs, without any expected value."""

    kind: str
    params: dict[str, Any]
    shown: tuple[Any, Any] | None = None  # what came and what was wanted, only where they differ


def difference(got: Any, want: Any, how: Tolerance, dtype: torch.dtype | None = None) -> Difference | None:
    """None if they agree; shape comes first, then dtype, then values.

    `dtype`: what a tensor's must be; else the wanted tensor's own. Nothing is broadcast and NaN equals nothing. A list
    may stand for a tuple, and a tensor with one element and no dimensions for a number.
    """
    return _compare(got, want, how, dtype, "")


def same(got: Any, candidate: Any, how: Tolerance) -> bool:
    """True if they agree in shape and values, whatever their dtypes."""
    found = _compare(got, candidate, how, None, "", any_dtype=True)
    return found is None


def _compare(
    got: Any, want: Any, how: Tolerance, dtype: torch.dtype | None, at: str, any_dtype: bool = False
) -> Difference | None:
    if isinstance(want, torch.Tensor):
        found = _tensors(got, want.detach(), how, dtype, any_dtype)
    elif isinstance(want, list | tuple):
        found = _sequences(got, want, how, dtype, at, any_dtype)
    elif isinstance(want, dict):
        found = _dicts(got, want, how, dtype, at, any_dtype)
    else:
        found = _plain(got, want, how)
    if found is None or found.shown:  # which lies deeper
        return found
    return Difference(found.kind, found.params | ({"at": at} if at else {}), (got, want))


def _tensors(
    got: Any, want: torch.Tensor, how: Tolerance, dtype: torch.dtype | None, any_dtype: bool
) -> Difference | None:
    if not isinstance(got, torch.Tensor):
        return _wrong_type(got, want)
    got = got.detach()
    if got.shape != want.shape:
        if got.ndim >= 2 and got.mT.shape == want.shape and _agree(got.mT, want, how):
            return Difference("transposed", {})
        return Difference("shape", {"got": list(got.shape), "want": list(want.shape)})
    needed = want.dtype if dtype is None else dtype
    if not any_dtype and got.dtype != needed:
        return Difference("dtype", {"got": str(got.dtype), "want": str(needed)})
    return None if _agree(got, want, how) else _values(got, want, how)


def _sequences(
    got: Any, want: list[Any] | tuple[Any, ...], how: Tolerance, dtype: torch.dtype | None, at: str, any_dtype: bool
) -> Difference | None:
    if not isinstance(got, list | tuple):
        return _wrong_type(got, want)
    if len(got) != len(want):
        return Difference("length", {"got": len(got), "want": len(want)})
    pairs = enumerate(zip(got, want, strict=True))
    return next((d for i, (g, w) in pairs if (d := _compare(g, w, how, dtype, f"{at}[{i}]", any_dtype))), None)


def _dicts(
    got: Any, want: dict[Any, Any], how: Tolerance, dtype: torch.dtype | None, at: str, any_dtype: bool
) -> Difference | None:
    if not isinstance(got, dict):
        return _wrong_type(got, want)
    if got.keys() != want.keys():
        missing, extra = [_label(k) for k in want if k not in got], [_label(k) for k in got if k not in want]
        return Difference("keys", {"missing": missing, "extra": extra})
    return next((d for k in want if (d := _compare(got[k], want[k], how, dtype, f"{at}[{k!r}]", any_dtype))), None)


def _label(key: Any) -> str:
    """A dict's key in few words: Python refuses to write very long integers."""
    return str(key)[:80] if not isinstance(key, int) or abs(key) < 1 << 63 else hex(key)[:80]


def _plain(got: Any, want: Any, how: Tolerance) -> Difference | None:
    if isinstance(got, torch.Tensor) and got.ndim == 0 and isinstance(want, int | float):
        got = got.item()
    number = isinstance(want, int | float) and not isinstance(want, bool)
    allowed: tuple[type, ...] = (int, float) if type(want) is float else (type(want),)
    if not isinstance(got, allowed) or (number and isinstance(got, bool)):
        return _wrong_type(got, want)
    if number:
        return None if _same_number(got, want, how) else _numbers(got, want)
    return None if got == want else Difference("not_equal", {})


def _same_number(got: Any, want: Any, how: Tolerance) -> bool:
    if isinstance(want, int):
        return bool(got == want)
    try:
        g = torch.tensor(float(got), dtype=torch.float64)
    except OverflowError:  # an int beyond all floats
        return False
    return _close(g, torch.tensor(want, dtype=torch.float64), *how.of(torch.float32))


def _wrong_type(got: Any, want: Any) -> Difference:
    if got is None:
        return Difference("none", {})
    return Difference("type", {"got": _name(got), "want": _name(want)})


def _name(value: Any) -> str:
    return "torch.Tensor" if isinstance(value, torch.Tensor) else type(value).__name__


def _numbers(got: Any, want: Any) -> Difference:
    for kind, bad in (("nan", math.isnan), ("inf", math.isinf)):
        if isinstance(got, float) and bad(got):
            return Difference(kind, {"count": 1})
    if isinstance(want, int) and abs(got - want) == 1:
        return Difference("off_by_one", {})
    with contextlib.suppress(OverflowError):
        if math.isclose(got, -want, rel_tol=1e-4) and want:
            return Difference("sign", {})
    return Difference("number", {})


def _values(got: torch.Tensor, want: torch.Tensor, how: Tolerance) -> Difference:
    """The first useful thing to say of tensors of equal shape that differ."""
    rtol, atol = how.of(got.dtype)
    g, w = _wide(got), _wide(want)
    for kind, bad in (("nan", torch.isnan), ("inf", torch.isinf)):
        if count := int((bad(g) & ~bad(w)).sum()):
            return Difference(kind, {"count": count})
    if g.ndim >= 2 and g.shape[-1] == g.shape[-2] and _close(g.mT, w, rtol, atol):
        return Difference("transposed", {})
    if _close(-g, w, rtol, atol):
        return Difference("sign", {})
    apart = (got.long() - want.long()).abs() if _whole(got) and _whole(want) else None  # float64 would round them
    total, numbers = g.numel(), not (g.is_complex() or w.is_complex() or want.dtype is torch.bool)
    if total > 1 and apart is not None and numbers and (apart == 1).all():
        return Difference("off_by_one", {})
    if total > 1 and numbers and (found := _pattern(g, w, rtol, atol)):
        return found
    right = int((_near(g, w, rtol, atol) if apart is None else apart == 0).sum())
    return Difference("some", {"wrong": total - right, "total": total}) if right else Difference("values", {})


def _pattern(g: torch.Tensor, w: torch.Tensor, rtol: float, atol: float) -> Difference | None:
    """What one number explains of several: never for a single element, where that number would give away the answer."""
    if not (torch.isfinite(g).all() and torch.isfinite(w).all()) or max(g.abs().max(), w.abs().max()) > 2**53:
        return None
    big = w.abs() > 1e-6
    factor = _constant(g[big] / w[big], max(rtol, 1e-3))
    if factor and abs(factor - 1) > 1e-3 and _close(g, w * factor, max(rtol, 1e-3), atol):
        told = float(f"{factor:.4g}")
        return Difference("factor", {"factor": told})
    shift = _constant(g - w, max(rtol, 1e-3))
    if shift is not None and (told := float(f"{shift:.4g}")) and abs(told) > 1e-6:
        return Difference("offset", {"by": told})
    if _close(g.flatten().sort().values, w.flatten().sort().values, rtol, atol):
        return Difference("order", {})
    return None


def _constant(x: torch.Tensor, rtol: float) -> float | None:
    """Their common value, if there are at least two and they have one."""
    if x.numel() < 2:
        return None
    middle = x.median()
    return float(middle) if bool(((x - middle).abs() <= rtol * middle.abs() + 1e-6).all()) else None


def _whole(t: torch.Tensor) -> bool:
    return not (t.dtype.is_floating_point or t.dtype.is_complex)


def _agree(got: torch.Tensor, want: torch.Tensor, how: Tolerance) -> bool:
    if _whole(got) and _whole(want):  # float64 would round large integers
        return torch.equal(got.to(torch.int64), want.to(torch.int64))
    return _close(_wide(got), _wide(want), *how.of(got.dtype))


def _close(got: torch.Tensor, want: torch.Tensor, rtol: float, atol: float) -> bool:
    return bool(_near(got, want, rtol, atol).all())


def _near(got: torch.Tensor, want: torch.Tensor, rtol: float, atol: float) -> torch.Tensor:
    return (got == want) | ((got - want).abs() <= atol + rtol * want.abs()) & torch.isfinite(want)


def _wide(t: torch.Tensor) -> torch.Tensor:
    return t.detach().to(torch.complex128 if t.dtype.is_complex else torch.float64)
