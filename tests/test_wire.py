"""What crosses between judge and cell: all of the closed set of types, nothing else, and no bytes that do harm."""

import math
import os
import random
import socket
import threading
import time
import tracemalloc
import warnings
from collections import OrderedDict, namedtuple
from contextlib import contextmanager, suppress
from enum import IntEnum
from fractions import Fraction
from functools import reduce
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.sandbox import wire
from grader.sandbox.wire import Channel, Closed, Forged, Late, TooBig, Unsendable, pack, split, unpack

DTYPES = sorted(wire._DTYPES.values(), key=str)
MB = 1 << 20
PIPE = 1 << 16  # what a pipe holds


def there(value, **how):
    """The value on the other side."""
    return unpack(*split(pack(1, "w", value, **how))).value


def alike(a, b):
    """Equal in type, structure and every bit (NaN is like NaN)."""
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        same = (a.dtype, a.shape, a.requires_grad) == (b.dtype, b.shape, b.requires_grad)
        return same and torch.equal(_bits(a), _bits(b))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, dict):
        return alike(list(a), list(b)) and alike(list(a.values()), list(b.values()))
    if isinstance(a, float):
        return (a != a and b != b) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    return a == b


def _bits(t):
    flat = t.detach().resolve_conj().clone(memory_format=torch.contiguous_format).reshape(-1)
    return (torch.view_as_real(flat) if flat.is_complex() else flat).reshape(-1).view(torch.uint8)


@st.composite
def tensors(draw):
    """Any dtype, zero to four dimensions, empty ones too, contiguous or not, with any bytes in it."""
    dtype = draw(st.sampled_from(DTYPES))
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    count = math.prod(shape)
    data = draw(st.binary(min_size=count * dtype.itemsize, max_size=count * dtype.itemsize))
    if dtype is torch.bool:
        data = bytes(b & 1 for b in data)
    t = torch.frombuffer(bytearray(data), dtype=dtype).reshape(shape) if data else torch.empty(shape, dtype=dtype)
    if draw(st.booleans()):
        t = t.permute(draw(st.permutations(range(t.ndim))))
    if t.ndim and draw(st.booleans()):
        t = t[..., :: draw(st.integers(1, 4))]
    return t.requires_grad_() if _flag(draw, dtype) else t


def _flag(draw, dtype):
    return (dtype.is_floating_point or dtype.is_complex) and draw(st.booleans())


HUGE = st.integers(1, 400).flatmap(lambda n: st.integers(-(1 << 64 * n), 1 << 64 * n))
KEYS = st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.tuples(st.integers(), st.text())
PLAIN = st.none() | st.booleans() | st.integers() | HUGE | st.floats() | st.text() | st.binary()
VALUES = st.recursive(
    PLAIN | tensors(),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(KEYS, inner),
    max_leaves=12,
)


@given(VALUES)
def test_every_value_arrives_as_it_was(value):
    """Whatever may cross arrives with the same type, structure, bits and requires_grad."""
    assert alike(value, there(value))


@given(st.integers(0, (1 << 63) - 1), st.text(max_size=20), VALUES)
def test_number_and_word_arrive(number, word, value):
    """The envelope arrives too."""
    frame = unpack(*split(pack(number, word, value)))
    assert (frame.id, frame.word) == (number, word)


@pytest.mark.parametrize("bits", [0, 31, 32, 53, 62, 63, 64, 65, 20_000])
def test_integers_of_any_size(bits):
    """At the edges of 64 bits and far beyond."""
    around = [sign * (1 << bits) + d for sign in (1, -1) for d in (-1, 0, 1)]
    assert alike(around, there(around))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 3), (2, 0, 3), (1,) * 20])
def test_every_dtype_in_every_kind_of_shape(dtype, shape):
    """Without dimensions, empty, and with many."""
    t = torch.arange(math.prod(shape)).reshape(shape).to(dtype)
    assert alike(t, there(t))


@given(tensors())
def test_strides_arrive_when_asked(t):
    """With strides=True a tensor arrives laid out as it was, so that `.view` fails or works as it would here."""
    arrived = there(t, strides=True)
    assert alike(t, arrived)
    assert layout(arrived) == layout(t)


def layout(t):
    """The strides that matter."""
    return [s for n, s in zip(t.shape, t.stride(), strict=True) if n > 1 and t.numel()]


def test_a_transposed_tensor_keeps_its_layout():
    """Its strides are the same; without asking it arrives contiguous."""
    t = torch.randn(3, 4).t()
    assert there(t, strides=True).stride() == (1, 4)
    assert there(t).stride() == (3, 1)


def test_an_expanded_tensor_arrives_in_full():
    """Strides of zero do not travel: each element of the copy is its own."""
    arrived = there(torch.ones(1, 3).expand(4, 3), strides=True)
    assert alike(arrived, torch.ones(4, 3))
    assert arrived.is_contiguous()


@pytest.mark.parametrize("name", ["H", "mH", "real", "imag"])
def test_lazy_conjugates_arrive_resolved(name):
    """What torch has only noted to do is done before it travels."""
    t = getattr(torch.tensor([[1 + 2j, 3 + 4j]]).conj(), name)
    assert torch.equal(there(t), t)
    assert torch.equal(there(t.conj()), t.conj())


SMALL = [(slice(0, 1), 0), (slice(2, 3), 1), (slice(0, 1), slice(1, 2)), (0, 0), (slice(0, 0), 1)]


@pytest.mark.parametrize("strides", [False, True])
@pytest.mark.parametrize("index", SMALL, ids=str)
def test_one_element_cut_out_of_a_matrix(index, strides):
    """One element counts as contiguous to torch whatever its stride; it arrives all the same."""
    t = torch.arange(12.0).reshape(3, 4)[index]
    assert alike(there(t, strides=strides), t)


def test_what_arrives_is_a_copy():
    """Writing into what arrived changes nothing here, and the other way round."""
    t = torch.zeros(3)
    there([t])[0].add_(1)
    assert torch.equal(t, torch.zeros(3))


def test_a_parameter_arrives_as_a_tensor():
    """With its flag. A Size arrives as a tuple."""
    p = torch.nn.Parameter(torch.ones(2))
    assert alike(there(p), torch.ones(2, requires_grad=True))
    assert alike(there(p.shape), (2,))


# what does not cross


class Number(int):
    """Could compare as it likes."""


class Text(str):
    """Likewise."""


class MyTensor(torch.Tensor):
    """Likewise."""


Pair = namedtuple("Pair", "a b")
Colour = IntEnum("Colour", "RED")


def _nested():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])


REFUSED = {
    "int subclass": Number(1),
    "str subclass": Text("a"),
    "enum": Colour.RED,
    "tensor subclass": torch.ones(2).as_subclass(MyTensor),
    "numpy array": np.ones(2),
    "set": {1},
    "frozenset": frozenset({1}),
    "bytearray": bytearray(b"a"),
    "range": range(3),
    "generator": (i for i in "a"),
    "object": object(),
    "class": int,
    "function": len,
    "complex": 1j,
    "fraction": Fraction(1, 2),
    "ellipsis": ...,
    "dtype": torch.float32,
    "device": torch.device("cpu"),
    "module": torch.nn.Linear(1, 1),
    "torch's named tuple": torch.ones(2, 2).max(0),
    "sparse": torch.eye(2).to_sparse(),
    "meta": torch.ones(2, device="meta"),
    "float8": torch.ones(2).to(torch.float8_e4m3fn),
    "uint16": torch.ones(2, dtype=torch.uint16),
    "nested tensor": _nested(),
}


@pytest.mark.parametrize("what", REFUSED)
def test_nothing_else_crosses(what):
    """A value of any other type is refused by its path, alone and deep inside."""
    value = REFUSED[what]
    for wrapped, path in [(value, ""), ([0, value], "[1]"), ({"a": ({3: value},)}, "['a'][0][3]")]:
        with pytest.raises(Unsendable) as e:
            pack(1, "w", wrapped)
        assert e.value.path == path


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float64(1.5), 1.5),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.True_, True),
        (np.array(2.0), 2.0),
        (Pair(1, [2]), (1, [2])),
        (OrderedDict(a=1), {"a": 1}),
    ],
)
def test_what_is_as_good_as_plain_crosses_as_plain(value, plain):
    """A mean by NumPy, a NamedTuple of one's own, an ordered dict: right answers return them."""
    came = unpack(*split(pack(1, "w", value))).value
    assert came == plain and type(came) is type(plain)


@pytest.mark.parametrize("key", [Number(1), Text("a")])
def test_keys_are_held_to_the_same_types(key):
    """A dict's keys are no way in."""
    with pytest.raises(Unsendable):
        pack(1, "w", {key: 1})


@pytest.mark.parametrize(("value", "kind"), [(np.ones(2), "numpy.ndarray"), ({1}, "set"), (MyTensor(), "MyTensor")])
def test_the_refusal_names_the_type(value, kind):
    """So that the learner can be told."""
    with pytest.raises(Unsendable) as e:
        pack(1, "w", value)
    assert e.value.kind.endswith(kind)


@pytest.mark.parametrize("value", ["\ud800", ["a\udfff"], {"\ud800": 1}])
def test_half_a_character_does_not_cross(value):
    """A surrogate alone is no text."""
    with pytest.raises(Unsendable):
        pack(1, "w", value)


@pytest.mark.parametrize("key", [10**5000, -(10**5000)], ids=["big", "small"])
def test_a_huge_key_is_no_reason_to_fall_over(key):
    """A dict may have a key that Python refuses to print."""
    assert alike(there({key: 1}), {key: 1})


# caps


def deep(depth, inner=None):
    """A list in a list, `depth` times."""
    return reduce(lambda v, _: [v], range(depth), inner)


AT_THE_CAP = {
    "depth": (lambda extra: deep(wire.DEPTH_CAP + 1 + extra)),
    "depth of dicts": (lambda extra: reduce(lambda v, _: {0: v}, range(wire.DEPTH_CAP + 1 + extra), None)),
    "items": (lambda extra: [0] * (wire.ITEMS_CAP - 1 + extra)),
    "keys": (lambda extra: dict.fromkeys(range(wire.ITEMS_CAP // 2 - 1 + extra))),
    "tensors": (lambda extra: [torch.empty(0)] * (wire.TENSORS_CAP + extra)),
    "empty lists": (lambda extra: [[]] * (wire.ITEMS_CAP // 2 - 1 + extra)),
    "long integers": (lambda extra: [1 << 64] * (wire.ITEMS_CAP - 1 + extra)),
    "text": (lambda extra: "x" * (wire.TEXT_CAP + extra)),
    "bytes": (lambda extra: b"x" * (wire.TEXT_CAP + extra)),
    "header": (lambda extra: ["x" * wire.TEXT_CAP] * 3 + ["x" * (wire.TEXT_CAP - 40 + extra * 40)]),
}


@pytest.mark.parametrize("cap", AT_THE_CAP)
def test_what_may_leave_may_arrive(cap):
    """Up to a cap a value crosses: the two ends count alike."""
    value = AT_THE_CAP[cap](0)
    assert alike(there(value), value)


@pytest.mark.parametrize("cap", AT_THE_CAP)
def test_what_is_too_big_does_not_leave(cap):
    """One more than the cap is TooBig where it starts."""
    with pytest.raises(TooBig):
        pack(1, "w", AT_THE_CAP[cap](1))


@pytest.mark.parametrize("cap", ["depth", "depth of dicts", "items", "keys", "text", "bytes"])
def test_what_is_too_big_does_not_arrive(cap, monkeypatch):
    """A cell that ignores the caps is found out: Forged."""
    value = AT_THE_CAP[cap](3 * wire.ITEMS_CAP if cap in ("items", "keys") else 1)
    with monkeypatch.context() as m:
        for name in ("DEPTH_CAP", "ITEMS_CAP", "TEXT_CAP", "TENSORS_CAP"):
            m.setattr(wire, name, 1 << 40)
        frame = pack(1, "w", value)
    with pytest.raises(Forged):
        unpack(*split(frame))


def test_a_list_in_itself_is_too_big():
    """It has no end."""
    loop = []
    loop.append(loop)
    with pytest.raises(TooBig):
        pack(1, "w", loop)


def test_a_tensor_that_only_looks_small_is_too_big():
    """One element expanded to a terabyte is refused before it is laid out."""
    with pytest.raises(TooBig):
        pack(1, "w", torch.zeros(1).expand(1 << 40))


def test_many_tensors_are_too_big_before_they_are_copied():
    """The body's cap holds for all tensors together, and is noticed as they come, not when all have been copied."""
    large = torch.zeros(1, dtype=torch.uint8).expand(wire.BODY_CAP // 2)
    with traced() as peak, pytest.raises(TooBig):
        pack(1, "w", [large] * 6)
    assert peak() < 2 * wire.BODY_CAP


@contextmanager
def traced():
    """The peak of Python's own memory inside the block."""
    tracemalloc.start()
    high = []
    try:
        yield lambda: high[0]
    finally:
        high.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()


# bytes that no honest cell sends


def forged(tree, body=b"", number=1, word="w"):
    """A well-formed message with that tree."""
    return msgspec.msgpack.encode([number, word, tree]), body


T = ["T", "float32", [2], None, False]
LIES = {
    "nothing": (b"", b""),
    "no message": (b"\x93", b""),
    "a map": forged({"a": 1}),
    "a time": (b"\x93\x01\xa1w\xd6\xff\x00\x00\x00\x00", b""),
    "an extension": (b"\x93\x01\xa1w\xc7\x01\x05a", b""),
    "no tag": forged([]),
    "unknown tag": forged(["x", 1]),
    "tag that is no text": forged([["l"]]),
    "too few parts": (msgspec.msgpack.encode([1, "w"]), b""),
    "too many parts": (msgspec.msgpack.encode([1, "w", None, None]), b""),
    "number that is none": forged(None, number="1"),
    "word that is none": forged(None, word=1),
    "half a dict": forged(["d", 1]),
    "a list as key": forged(["d", ["l"], 1]),
    "an integer that is none": forged(["i", "zz"]),
    "an integer without digits": forged(["i"]),
    "an integer with company": forged(["i", "0x1", "0x2"]),
    "bytes left over": forged(None, b"a"),
    "too few bytes": forged(T, bytes(7)),
    "too many bytes": forged(T, bytes(9)),
    "unknown dtype": forged(["T", "float8", [2], None, False], bytes(8)),
    "dtype that is none": forged(["T", ["l"], [2], None, False], bytes(8)),
    "negative shape": forged(["T", "float32", [-2, -1], None, False], bytes(8)),
    "huge shape": forged(["T", "float32", [1 << 40, 1 << 40], None, False], bytes(8)),
    "huge empty shape": forged(["T", "float32", [(1 << 40) - 1] * 4 + [0], None, False]),
    "too many dimensions": forged(["T", "float32", [1] * 65, None, False], bytes(4)),
    "shape that is none": forged(["T", "float32", 2, None, False], bytes(8)),
    "shape of booleans": forged(["T", "float32", [True, True], None, False], bytes(4)),
    "overlapping strides": forged(["T", "float32", [2], [0], False], bytes(8)),
    "negative strides": forged(["T", "float32", [2], [-1], False], bytes(8)),
    "negative stride of one": forged(["T", "float32", [1, 2], [-7, 1], False], bytes(8)),
    "room between": forged(["T", "float32", [2], [1000], False], bytes(8)),
    "wide strides": forged(["T", "float32", [2], [1 << 40], False], bytes(8)),
    "strides of another rank": forged(["T", "float32", [2], [1, 1], False], bytes(8)),
    "strides that are none": forged(["T", "float32", [2], "a", False], bytes(8)),
    "strides of floats": forged(["T", "float32", [2], [1.0], False], bytes(8)),
    "tensor with too little": forged(["T", "float32", [2]], bytes(8)),
    "tensor with too much": forged([*T, None], bytes(8)),
    "endless depth": (b"\x93\x01\xa1w" + b"\x92\xa1l" * 100_000 + b"\xc0", b""),
    "invalid text": (b"\x93\x01\xa1w\xa1\xff", b""),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_forged(lie):
    """Each form that `pack` never makes is refused, in one way."""
    with pytest.raises(Forged):
        unpack(*LIES[lie])


def test_bytes_that_are_no_booleans_become_booleans():
    """A bool tensor holds only 0 and 1, whatever bytes came for it."""
    t = unpack(*forged(["T", "bool", [3], None, False], b"\x00\x02\xff")).value
    assert t.view(torch.uint8).tolist() == [0, 1, 1]


def test_integers_ask_for_no_gradient():
    """A flag that torch would refuse is left out."""
    assert not unpack(*forged(["T", "int8", [1], None, True], b"\x01")).value.requires_grad


SAMPLES = [
    pack(1, "value", {"value": torch.arange(12.0).reshape(3, 4), "changed": False}),
    pack(2, "value", {"value": [1, -(1 << 70), 2.5, "é", b"\x00", None, True, (1, (2, [3]))], "changed": True}),
    pack(3, "raised", {"kind": "ValueError", "bases": ["ValueError", "Exception"], "message": "no", "line": 7}),
    pack(4, "value", [torch.zeros(2, 0), torch.tensor(True), torch.ones(3, dtype=torch.complex64, requires_grad=True)]),
    pack(5, "call", {"args": (torch.randn(4, 5).t(), torch.ones(2, 1, 3).mT), "kwargs": {}}, strides=True),
    pack(6, "value", deep(20, [torch.ones(1)] * 5)),
]


def mutate(rng, frame):
    """Flips, cuts, inserts or splices, one to four times."""
    data = bytearray(frame)
    for _ in range(rng.randint(1, 4)):
        i, j = sorted(rng.randrange(len(data) + 1) for _ in "ab")
        match rng.randrange(5):
            case 0 if i < len(data):
                data[i] ^= 1 << rng.randrange(8)
            case 1 if i < len(data):
                data[i] = rng.choice((0, 1, 0x7F, 0x80, 0x90, 0xC0, 0xDD, 0xDF, 0xFF))
            case 2:
                del data[i : min(j, i + 9)]
            case 3:
                data[i:i] = rng.randbytes(rng.randint(1, 9))
            case 4:
                other = rng.choice(SAMPLES)
                k = rng.randrange(len(other))
                data[i:j] = other[k : k + rng.randint(1, 40)]
    return bytes(data)


@contextmanager
def little_memory(limit=300 * MB):
    """The process holds at most so much more inside the block than before."""
    Path("/proc/self/clear_refs").write_text("5")  # forgets the old peak
    before = _peak()
    yield
    assert _peak() - before < limit


def _peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))


def test_no_mutation_gets_through_unpack():
    """50,000 damaged frames: each is Forged or a value that could have been sent, and costs little memory."""
    rng = random.Random(0)
    seen = set()
    with little_memory():
        for i in range(50_000):
            header, body = split(mutate(rng, SAMPLES[i % len(SAMPLES)]).ljust(12, b"\0"))
            try:
                value = unpack(header, body).value
                assert alike(there(value), value)
                seen.add("value")
            except Forged as e:
                seen.add(str(e))
    assert len(seen) > 10  # the mutations reach many places


def test_no_mutation_gets_through_a_channel():
    """50,000 damaged frames through a socket: Forged, Closed or a value; never a hang."""
    rng = random.Random(1)
    seen = set()
    with little_memory():
        for i in range(50_000):
            with channel() as (near, far):
                far.sendall(mutate(rng, SAMPLES[i % len(SAMPLES)]))
                far.close()
                try:
                    near.receive(time.monotonic() + 60)
                    seen.add("value")
                except (Forged, Closed) as e:
                    seen.add(type(e))
    assert seen == {Forged, Closed, "value"}


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_no_bytes_at_all_get_through(header, body):
    """What was never a frame is Forged, or by chance a value."""
    with suppress(Forged):
        unpack(header, body)


DTYPE_NAMES = st.sampled_from(sorted(wire._DTYPES))


def _tagged(inner):
    tensor = st.tuples(st.just("T"), DTYPE_NAMES | inner, st.lists(st.integers(-1, 3)) | inner, inner, inner)
    return (tensor | st.tuples(st.sampled_from(["l", "t", "d", "i"]), inner, inner)).map(list)


TREES = st.recursive(
    PLAIN.filter(lambda v: not isinstance(v, int) or -(1 << 63) <= v < 1 << 64),
    lambda inner: st.lists(inner, max_size=6) | _tagged(inner),
    max_leaves=10,
)


@settings(max_examples=500)
@given(TREES, st.binary(max_size=64))
def test_no_tree_gets_through(tree, body):
    """A well-formed message with a tree of any form is Forged, or a value that could have been sent."""
    try:
        value = unpack(*forged(tree, body)).value
    except Forged:
        return
    assert alike(there(value), value)


# channel


@contextmanager
def channel(**how):
    """A channel, and the socket at its other end."""
    near, far = socket.socketpair()
    with near, far:
        yield Channel(near, **how), far


@contextmanager
def pipe():
    """A pipe's two descriptors."""
    ends = os.pipe()
    try:
        yield ends
    finally:
        for fd in ends:
            os.close(fd)


def soon():
    """A deadline that passes at once in the life of a test."""
    return time.monotonic() + 0.05


def far_off():
    """A deadline that a working channel never meets."""
    return time.monotonic() + 60


def test_frames_arrive_in_order():
    """One after the other, each whole, even in pieces."""
    with channel() as (near, far):
        frames = pack(1, "a", [1]) + pack(2, "b", torch.ones(3))
        for i in range(len(frames)):
            far.send(frames[i : i + 1])
        assert [near.receive(far_off()).word for _ in "ab"] == ["a", "b"]


@pytest.mark.parametrize("received", [b"", b"\0\0", pack(1, "w", "text")[:-1]])
def test_silence_is_late(received):
    """Nothing, half a length or half a frame: the deadline passes."""
    with channel() as (near, far):
        far.send(received)
        with pytest.raises(Late):
            near.receive(soon())


def test_a_deadline_that_has_passed_is_late_at_once():
    """Even if something has come, and in both directions."""
    with channel() as (near, far):
        far.send(pack(1, "w", None))
        with pytest.raises(Late):
            near.receive(time.monotonic() - 1)
        with pytest.raises(Late):
            near.send(b"x", time.monotonic() - 1)


@pytest.mark.parametrize("received", [b"", b"\0\0", pack(1, "w", "text")[:-1]])
def test_the_other_end_gone_is_closed(received):
    """Before, in the middle of a length, in the middle of a frame."""
    with channel() as (near, far):
        far.send(received)
        far.close()
        with pytest.raises(Closed):
            near.receive(far_off())


def test_sending_to_nobody_is_closed():
    """And no signal ends this process."""
    with channel() as (near, far):
        far.close()
        with pytest.raises(Closed):
            near.send(b"x" * MB, far_off())


def test_sending_to_one_who_does_not_read_is_late():
    """The deadline holds for writing too."""
    with channel() as (near, _), pytest.raises(Late):
        near.send(bytes(16 * MB), soon())


def test_a_large_frame_crosses_while_both_are_busy():
    """More than a socket holds, sent by one thread and received by another."""
    value = torch.arange(4 * MB)
    with channel() as (near, far):
        sender = threading.Thread(target=Channel(far).send, args=(pack(1, "w", value), far_off()))
        sender.start()
        assert torch.equal(near.receive(far_off()).value, value)
        sender.join()


CLAIMS = [(wire.HEADER_CAP + 1, 0), (0, wire.BODY_CAP + 1), (0xFFFFFFFF, 0), (4, 1 << 63), (4, (1 << 64) - 1)]


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_beyond_the_caps_is_forged_at_once(claim):
    """A header that promises 2**63 bytes costs nothing; nobody waits for them."""
    with channel() as (near, far), traced() as peak:
        far.send(wire._FRAME.pack(*claim))
        with pytest.raises(Forged):
            near.receive(far_off())
    assert peak() < MB


def test_a_claim_within_the_caps_costs_nothing_until_it_is_kept():
    """Memory grows with the bytes that come, not with those announced."""
    with channel() as (near, far), traced() as peak:
        far.send(wire._FRAME.pack(wire.HEADER_CAP, wire.BODY_CAP))
        with pytest.raises(Late):
            near.receive(soon())
    assert peak() < 3 * MB


def test_pending_tells_what_nobody_asked_for():
    """A frame out of turn, or the end."""
    with channel() as (near, far):
        assert not near.pending()
        far.send(b"x")
        assert near.pending()
        near.sock.recv(1)
        assert not near.pending()
        far.close()
        assert near.pending()


def test_close_twice():
    """Closing what is closed does nothing."""
    with channel() as (near, _):
        near.close()
        near.close()


def test_output_is_drained_while_waiting():
    """The other side prints more than a pipe holds before it answers: it is read meanwhile, or nobody would go on."""
    got = bytearray()
    with pipe() as (out, into), channel(aside=out, on_aside=lambda: got.extend(os.read(out, PIPE))) as (near, far):

        def print_then_answer():
            for _ in range(100):
                os.write(into, b"x" * 10_000)
            far.sendall(pack(1, "done", None))

        printer = threading.Thread(target=print_then_answer)
        printer.start()
        assert near.receive(far_off()).word == "done"
        printer.join()
        assert len(got) >= 1_000_000 - PIPE  # the rest fits into the pipe


def test_output_is_drained_while_sending():
    """The other side prints before it reads."""
    got = bytearray()
    with pipe() as (out, into), channel(aside=out, on_aside=lambda: got.extend(os.read(out, PIPE))) as (near, far):

        def print_then_read():
            for _ in range(100):
                os.write(into, b"x" * 10_000)
            received.append(Channel(far).receive(far_off()).value)

        received = []
        reader = threading.Thread(target=print_then_read)
        reader.start()
        near.send(pack(1, "w", b"y" * MB), far_off())
        reader.join()
    assert received == [b"y" * MB]


def test_a_closed_output_does_not_end_the_wait():
    """The learner may close standard output; the answer still comes."""
    out, into = os.pipe()
    os.close(into)
    with channel(aside=out, on_aside=lambda: os.read(out, 1)) as (near, far):
        with pytest.raises(Late):
            near.receive(soon())
        far.send(pack(1, "w", None))
        assert near.receive(far_off()).word == "w"
    os.close(out)


class Stop(BaseException):
    """What the watchdog raises."""


def stop():
    """The watchdog itself."""
    raise Stop


def test_the_watchdog_is_asked_while_waiting():
    """What on_tick raises ends the wait, in both directions."""
    with channel(on_tick=stop) as (near, _):
        with pytest.raises(Stop):
            near.receive(far_off())
        with pytest.raises(Stop):
            near.send(bytes(16 * MB), far_off())


def test_what_on_aside_raises_ends_the_wait():
    """Likewise for output."""
    with pipe() as (out, into), channel(aside=out, on_aside=stop) as (near, _):
        os.write(into, b"x")
        with pytest.raises(Stop):
            near.receive(far_off())


def test_one_who_never_stops_printing_is_still_watched():
    """Output that is always waiting to be read does not keep the watchdog from its look."""
    with pipe() as (out, into), channel(aside=out, on_tick=stop) as (near, _):
        os.write(into, b"x")  # on_aside does not read it: there is always more
        with pytest.raises(Stop):
            near.receive(time.monotonic() + 1)


def test_one_who_never_stops_sending_is_still_watched():
    """Bytes that trickle in without end do not keep the watchdog from its look either."""
    with channel(on_tick=stop) as (near, far):

        def trickle():
            with suppress(OSError):
                far.sendall(wire._FRAME.pack(4, wire.BODY_CAP))
                while True:
                    far.send(bytes(64))

        sender = threading.Thread(target=trickle)
        sender.start()
        with pytest.raises(Stop):
            near.receive(time.monotonic() + 5)
        near.close()
        sender.join()


@pytest.mark.parametrize(
    "x",
    [
        torch.ones(1, 1).diagonal(),
        torch.ones(0, 0).diagonal(),
        torch.ones(3, 4)[1:2, ::3][:, :1],
        torch.zeros(2, 0, 3).permute(2, 0, 1),
        torch.ones(2, 3, dtype=torch.complex64).T[:1, :1].conj(),
        torch.ones(()).expand(1),
    ],
)
def test_one_element_or_none_with_any_stride(x):
    """Such a tensor counts as contiguous whatever its stride says; it crosses all the same."""
    for strides in (False, True):
        assert torch.equal(wire.unpack(*wire.split(wire.pack(1, "x", x, strides=strides))).value, x)


def test_the_judge_takes_no_strides_from_a_cell():
    """A cell has no say in how a tensor lies in the judge's memory: only what `pack` makes without strides is taken."""
    x = torch.ones(3, 4).T
    assert torch.equal(wire.unpack(*wire.split(wire.pack(1, "x", x)), strides=False).value, x)
    with pytest.raises(wire.Forged):
        wire.unpack(*wire.split(wire.pack(1, "x", x, strides=True)), strides=False)
