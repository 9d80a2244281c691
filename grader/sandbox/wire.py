"""What crosses the channel between judge and cell: values of a small closed set of types, copied, in capped frames.

A frame is `>IQ` (header length, body length), a msgpack header `[id, word, tree]` and a body with the tensors' bytes
one after the other. In the tree, None, bool, int (64 bits), float, str and bytes stand for themselves; everything else
is a list that begins with its tag: `l` list, `t` tuple, `d` dict, `i` a longer int, `T` tensor (dtype, shape, strides
or None, requires_grad). Types are matched exactly, for a subclass could lie; a named tuple crosses as a tuple, an
ordered dict as a dict, a number of NumPy's as a number. Nothing is ever unpickled.
"""

import collections
import math
import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import torch

HEADER_CAP = 4 << 20
BODY_CAP = 256 << 20
DEPTH_CAP = 32
ITEMS_CAP = 100_000  # containers' entries and tensors of one frame
TENSORS_CAP = 10_000  # of one frame: each costs far more than its bytes
TEXT_CAP = 1 << 20

_FRAME = struct.Struct(">IQ")
_DTYPES = {
    str(d).removeprefix("torch."): d
    for d in (
        *(torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64, torch.complex128),
        *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
    )
}
_NAMES = {d: n for n, d in _DTYPES.items()}
_SIZES = {n: d.itemsize for n, d in _DTYPES.items()}


class Unsendable(Exception):
    """A value of a type that does not cross. `path` is where in the answer ("[0]['loss']"), `kind` its type."""

    def __init__(self, path: str, kind: str) -> None:
        super().__init__(f"{path or 'the answer'}: {kind}")
        self.path = path
        self.kind = kind


class TooBig(Exception):
    """A value beyond one of the caps above."""


class Forged(Exception):
    """Bytes that no honest cell sends: a frame out of turn, of a wrong form, or beyond a cap."""


class Closed(Exception):
    """The other side is gone."""


class Late(Exception):
    """The deadline passed."""


class Frame(NamedTuple):
    """One message, decoded."""

    id: int
    word: str
    value: Any


def pack(number: int, word: str, value: Any, *, strides: bool = False) -> bytes:
    """The frame for that message. `strides`: tensors arrive laid out as they are here, not only equal.

    Raises Unsendable or TooBig.
    """
    blobs: list[bytes] = []
    tree = _Encoder(blobs, strides).encode(value, "", 0)
    try:
        header = msgspec.msgpack.encode([number, word, tree])
    except UnicodeEncodeError:
        raise Unsendable("", "str with half a character") from None
    body = b"".join(blobs)
    if len(header) > HEADER_CAP or len(body) > BODY_CAP:
        raise TooBig(f"{len(header) + len(body)} bytes")
    return _FRAME.pack(len(header), len(body)) + header + body


def unpack(header: bytes, body: bytes, *, strides: bool = True) -> Frame:
    """The inverse of `pack` (with `strides` or without) on a frame's two parts. Raises Forged for anything that `pack`
    does not make.
    """
    try:
        number, word, tree = msgspec.msgpack.decode(header, type=tuple[int, str, Any])
        decoder = _Decoder(body, strides)
        value = decoder.decode(tree, 0)
    except Forged:
        raise
    except Exception as e:  # msgspec, torch and Python each have their own words for it
        raise Forged(type(e).__name__) from None
    if decoder.at != len(body):
        raise Forged("bytes left over")
    return Frame(number, word, value)


def elements(tensor: torch.Tensor) -> bytes:
    """The bytes of its elements in the order of their indices, however it is laid out."""
    plain = tensor.detach().resolve_conj().resolve_neg()
    if plain.dtype is torch.bfloat16:  # NumPy has none
        plain = plain.view(torch.int16)
    return plain.numpy().tobytes()


def split(frame: bytes) -> tuple[bytes, bytes]:
    """The header and body of a whole frame."""
    size, _ = _FRAME.unpack_from(frame)
    return frame[_FRAME.size : _FRAME.size + size], frame[_FRAME.size + size :]


_TICK = 0.025
_AT_ONCE = 1 << 14  # bytes: most frames are smaller, and come whole


class Channel:
    """Frames over a connected stream socket.

    `aside`: a descriptor that is read meanwhile (else a full pipe would block the other side), through `on_aside`;
    `on_tick` is called every 25 ms of waiting. Both may raise. `strides`: tensors may come laid out in any way.
    """

    def __init__(
        self,
        sock: socket.socket,
        aside: int = -1,
        on_aside: Callable[[], None] = lambda: None,
        on_tick: Callable[[], None] | None = None,
        strides: bool = True,
    ) -> None:
        self.sock = sock
        self.aside = aside
        self.on_aside = on_aside
        self.on_tick = on_tick
        self.strides = strides
        self._ticked = time.monotonic()
        self._come = bytearray()  # and not yet asked for

    def send(self, frame: bytes, deadline: float = math.inf) -> None:
        """Writes all of it. Raises Closed, or Late once time.monotonic() is past the deadline."""
        view = memoryview(frame)
        while view:
            if time.monotonic() >= deadline:
                raise Late
            try:
                view = view[self.sock.send(view, socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                self._wait(select.POLLOUT, deadline)
            except OSError:
                raise Closed from None

    def receive(self, deadline: float = math.inf) -> Frame:
        """The next frame. Raises Closed, Late, or Forged."""
        header_size, body_size = _FRAME.unpack(self._exactly(_FRAME.size, deadline))
        if header_size > HEADER_CAP or body_size > BODY_CAP:
            raise Forged("frame too big")
        header = self._exactly(header_size, deadline)
        return unpack(header, self._exactly(body_size, deadline), strides=self.strides)

    def pending(self) -> bool:
        """True if something has come that nobody asked for, or the other side is gone."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(self._come or poll.poll(0))

    def close(self) -> None:
        """Idempotent."""
        self.sock.close()

    def _exactly(self, size: int, deadline: float) -> bytes:
        come = self._come  # grows as bytes come: a frame that only claims to be big costs nothing
        while (left := size - len(come)) > 0:
            self._wait(select.POLLIN, deadline)
            try:
                chunk = self.sock.recv(min(max(left, _AT_ONCE), 1 << 20))
            except OSError:
                raise Closed from None
            if not chunk:
                raise Closed
            come += chunk
        data = bytes(come[:size])
        del come[:size]
        return data

    def _wait(self, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(self.sock, event)
        if self.aside >= 0:
            poll.register(self.aside, select.POLLIN)
        while True:
            now = time.monotonic()
            if self.on_tick and now - self._ticked >= _TICK:  # even if there is always something to read
                self._ticked = now
                self.on_tick()
            if now >= deadline:
                raise Late
            pause = min(deadline - now, _TICK) if self.on_tick else deadline - now
            for fd, happened in poll.poll(None if pause == math.inf else math.ceil(pause * 1000)):
                if fd != self.aside:
                    return
                if happened & select.POLLIN:
                    self.on_aside()
                else:  # closed: polling it again would spin
                    poll.unregister(fd)


class _Encoder:
    def __init__(self, blobs: list[bytes], strides: bool) -> None:
        self.blobs = blobs
        self.strides = strides
        self.items = 0
        self.bytes = 0
        self.tensors = 0

    def encode(self, value: Any, path: str, depth: int) -> Any:
        kind = type(value)
        if value is None or kind is bool or kind is float:
            return value
        if kind is int:
            return value if -(1 << 63) <= value < 1 << 63 else ["i", hex(value)]
        if kind is str or kind is bytes:
            if len(value) > TEXT_CAP:
                raise TooBig(f"{path}: {len(value)} characters")
            return value
        if kind.__module__ == "numpy" and getattr(value, "ndim", None) == 0:  # one number of NumPy's, as mean() gives
            plain = value.item()
            if type(plain) in (bool, int, float):
                return self.encode(plain, path, depth)
        self._count(path, depth)
        if kind is torch.Tensor or kind is torch.nn.Parameter:
            return self._tensor(value, path)
        named = issubclass(kind, tuple) and hasattr(kind, "_fields")  # a NamedTuple of one's own
        if kind is list or kind is tuple or kind is torch.Size or named:
            tag = "l" if kind is list else "t"
            return [tag, *(self._item(v, f"{path}[{i}]", depth) for i, v in enumerate(value))]
        if kind is dict or kind in (collections.OrderedDict, collections.defaultdict):
            out = ["d"]
            for k, v in value.items():
                where = f"{path}[{k!r}]" if type(k) is str or (type(k) is int and abs(k) < 1 << 63) else path
                out += [self._item(k, where, depth), self._item(v, where, depth)]
            return out
        raise Unsendable(path, f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins."))

    def _item(self, value: Any, path: str, depth: int) -> Any:
        self._count(path, depth)
        return self.encode(value, path, depth + 1)

    def _count(self, path: str, depth: int) -> None:
        self.items += 1
        if depth > DEPTH_CAP or self.items > ITEMS_CAP:
            raise TooBig(path)

    def _tensor(self, value: torch.Tensor, path: str) -> list[Any]:
        plain_kind = value.layout is torch.strided and value.device.type == "cpu" and value.dtype in _NAMES
        if not plain_kind or value.is_nested:
            raise Unsendable(path, f"tensor ({value.layout}, {value.device.type}, {value.dtype})")
        self.bytes += value.numel() * value.element_size()
        self.tensors += 1
        if self.bytes > BODY_CAP or self.tensors > TENSORS_CAP:  # before anything is copied
            raise TooBig(path)
        strides = None
        if self.strides and not value.is_contiguous() and _dense(tuple(value.shape), value.stride()):
            strides = list(value.stride())
        self.blobs.append(elements(value))
        return ["T", _NAMES[value.dtype], list(value.shape), strides, value.requires_grad]


class _Decoder:
    def __init__(self, body: bytes, strides: bool) -> None:
        self.body = body
        self.strides = strides
        self.at = 0
        self.items = 0
        self.tensors = 0

    def decode(self, tree: Any, depth: int) -> Any:
        kind = type(tree)
        if kind is str or kind is bytes:
            if len(tree) > TEXT_CAP:
                raise Forged("text too long")
            return tree
        if kind is not list:
            if tree is None or kind in (bool, int, float):
                return tree
            raise Forged(f"a {kind.__name__} in the tree")
        self.items += len(tree)
        if depth > DEPTH_CAP or self.items > 3 * ITEMS_CAP:
            raise Forged("too deep or too long")
        tag, *rest = tree
        if tag == "T":
            return self._tensor(*rest)
        if tag == "i":
            (digits,) = rest
            return int(digits, 16)
        if tag not in ("l", "t", "d"):
            raise Forged("unknown tag")
        values = [self.decode(v, depth + 1) for v in rest]
        if tag == "d":
            return dict(zip(values[::2], values[1::2], strict=True))
        return values if tag == "l" else tuple(values)

    def _tensor(self, dtype: str, shape: list[int], strides: list[int] | None, requires_grad: bool) -> torch.Tensor:
        if type(shape) is not list or len(shape) > 64 or any(type(n) is not int or not 0 <= n < 1 << 40 for n in shape):
            raise Forged("shape")
        self.tensors += 1
        if self.tensors > TENSORS_CAP:
            raise Forged("too many tensors")
        size = math.prod(shape) * _SIZES[dtype]
        blob = self.body[self.at : self.at + size]
        if len(blob) != size:
            raise Forged("too few bytes")
        self.at += size
        kind = _DTYPES[dtype]
        if not size:
            tensor = torch.empty(shape, dtype=kind)
        elif kind is torch.bool:  # a byte that is neither 0 nor 1 is no bool
            tensor = torch.frombuffer(bytearray(blob), dtype=torch.uint8).reshape(shape) != 0
        else:
            tensor = torch.frombuffer(bytearray(blob), dtype=kind).reshape(shape)
        if strides is not None:
            if not self.strides or not _dense(tuple(shape), tuple(strides)):
                raise Forged("strides")
            tensor = torch.empty_strided(shape, strides, dtype=kind).copy_(tensor)
        if requires_grad is True and (kind.is_floating_point or kind.is_complex):
            tensor.requires_grad_()
        return tensor


def _dense(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """True if the strides lay out each element once, with room at most eight times the elements' own."""
    if len(shape) != len(strides) or 0 in shape or any(type(s) is not int or s < 0 for s in strides):
        return False
    span = 1
    for n, s in sorted(zip(shape, strides, strict=True), key=lambda p: p[1]):
        if n > 1 and s < span:
            return False
        span = max(span, s * (n - 1) + span)
    return span <= 8 * math.prod(shape) + 64
