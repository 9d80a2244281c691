"""Runs the learner's code in two or three processes that talk over the loopback interface.

Rank 0 is this process. The others are forks of it that stay from call to call, because forking and meeting take longer
than any test; after a failure all of them are replaced. What the processes do together is written on a board in shared
memory, so that one can be made to wait for what another does: no verdict depends on who is quicker.
"""

import collections
import contextlib
import datetime
import io
import mmap
import os
import random
import re
import select
import signal
import socket
import struct
import sys
import tempfile
import time
import traceback

import learner
import numpy
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

_MOST = 3  # processes
_PATIENCE = 3.0  # seconds until a process that neither leaves nor is seen to wait is taken to wait all the same
_COLLECTIVE = re.compile("_?(all|barrier|broadcast|gather|monitored|recv|reduce|scatter|send)")

_sleep, _torch_save = time.sleep, torch.save


class _Board:
    """What every process may know of the others; zeroed by rank 0 before each piece of work."""

    def __init__(self):
        with tempfile.TemporaryFile() as file:  # a cell has no anonymous shared memory
            file.truncate(4096)
            self._cells = memoryview(mmap.mmap(file.fileno(), 4096)).cast("q")
        self.rank = 0

    def clear(self):
        self._cells[: 8 * _MOST] = memoryview(bytes(64 * _MOST)).cast("q")

    @property
    def calls(self):
        """How many collectives this process has begun."""
        return self._cells[8 * self.rank]

    @property
    def stage(self):
        """Of rank 0's torch.save under watch: 0 not begun, 1 half-way, 2 done."""
        return self._cells[3]

    @stage.setter
    def stage(self, value):
        self._cells[3] = value

    def begins(self):
        """This process begins a collective."""
        self._cells[8 * self.rank] += 1

    def waits(self, does, more=0):
        """This process waits for its last collective to end (`more`: for another one), or does so no longer."""
        self._cells[8 * self.rank + 1] = self.calls + more if does else 0

    def leaves(self):
        """This process is back from the learner's function."""
        self._cells[8 * self.rank + 2] = 1

    def settled(self, rank):
        """That process has left, or waits for a collective that this one has not come to."""
        return self._cells[8 * rank + 2] or self._cells[8 * rank + 1] > self.calls


_board = _Board()
_watching = False  # only while `saved` calls the learner
_looking_for, _wrote = None, False  # a path, and whether this process has written there


def _sees(event, args):
    """An audit hook: notes who opens that path to write, or moves a file there."""
    global _wrote
    if _looking_for and event in ("open", "os.rename"):
        place = args[event == "os.rename"]
        to_write = event == "os.rename" or args[2] & (os.O_WRONLY | os.O_RDWR)
        with contextlib.suppress(TypeError):  # a file's number
            _wrote |= bool(to_write) and os.path.abspath(os.fsdecode(place)) == _looking_for


sys.addaudithook(_sees)


def _until_settled(ranks, patience=_PATIENCE):
    """Until these processes have left or wait for this one; a right answer makes them wait at once."""
    until, times = time.monotonic() + patience, 0
    while times < 3 and time.monotonic() < until:  # some look as if they waited, and go on
        times = times + 1 if all(map(_board.settled, ranks)) else 0
        _sleep(0.001)


def _counted(method):
    def call(*args, **kwargs):
        _board.begins()
        at_once = any(getattr(a, "asyncOp", None) is False for a in (*args, *kwargs.values()))
        _board.waits(at_once or method.__name__ == "monitored_barrier")
        work = method(*args, **kwargs)
        if work is None:
            _board.waits(False)
        return work

    return call


def _wait(method, more=0):
    def call(*args, **kwargs):
        _board.waits(True, more)
        try:
            return method(*args, **kwargs)
        finally:
            _board.waits(False)

    return call


for _name in dir(dist.ProcessGroup):
    if _COLLECTIVE.match(_name):
        setattr(dist.ProcessGroup, _name, _counted(getattr(dist.ProcessGroup, _name)))
dist.Work.wait = _wait(dist.Work.wait)
dist.Store.wait = _wait(dist.Store.wait, 1)


def _save(obj, f, *args, **kwargs):
    """torch.save; in rank 0 under watch it stops half-way until the others have left or wait."""
    if not _watching or _board.rank:
        with open(f, "wb") if isinstance(f, str | os.PathLike) else contextlib.nullcontext(f) as file:
            return _torch_save(obj, file, *args, **kwargs)
    whole = io.BytesIO()
    _torch_save(obj, whole, *args, **kwargs)
    content = whole.getvalue()
    with open(f, "wb") if isinstance(f, str | os.PathLike) else contextlib.nullcontext(f) as file:
        _board.stage = 1
        file.write(content[: len(content) // 2])
        file.flush()
        _until_settled(range(1, dist.get_world_size()))
        file.write(content[len(content) // 2 :])
    _board.stage = 2
    return None


def _nap(seconds):
    """time.sleep, but under watch nobody can hope that a second is enough."""
    _sleep(min(seconds, 0.01) if _watching else seconds)


torch.save = torch.serialization.save = _save
time.sleep = _nap
for _name, _value in list(vars(learner).items()):
    if _value is _torch_save or _value is _sleep:
        setattr(learner, _name, _save if _value is _torch_save else _nap)


_peers = []  # (pid, socket) of ranks 1, 2, …
_meeting = None  # where the present group has met, and its size


def _tell(sock, message):
    packed = io.BytesIO()
    _torch_save(message, packed)
    sock.sendall(struct.pack(">Q", packed.tell()) + packed.getvalue())


def _hear(sock):
    """The next message; None when the other one is gone."""
    try:
        with sock.makefile("rb") as file:
            head = file.read(8)
            return torch.load(io.BytesIO(file.read(*struct.unpack(">Q", head))), weights_only=False)
    except (OSError, struct.error, EOFError, RuntimeError):
        return None


def _recruit():
    for rank in range(1, _MOST):
        mine, yours = socket.socketpair()
        pid = os.fork()
        if not pid:
            try:
                mine.close()
                for _, sock in _peers:
                    sock.close()
                _serve(rank, yours)
            finally:
                os._exit(0)
        yours.close()
        _peers.append((pid, mine))


def _serve(rank, sock):
    _board.rank = rank
    while (message := _hear(sock)) is not None:
        meeting, seed, name, args = message
        _seed(seed + rank)
        _meet(meeting)
        try:
            value = _WORK[name](rank, *args)
        except Exception as e:
            _board.leaves()
            _tell(sock, (_Raised(e), _board.calls, dist.is_initialized()))
            if not _unwritten(e):
                raise  # who waits for this process in a collective hears that it is gone
        else:
            _tell(sock, (value, _board.calls, dist.is_initialized()))


def _unwritten(e):
    """Then it is so in all processes, and they can go on together."""
    return isinstance(e, NotImplementedError) and _board.calls == 0


class _Raised:
    """An exception of another process."""

    def __init__(self, error):
        frames = traceback.extract_tb(error.__traceback__)
        self.error = error
        self.line = next((f.lineno for f in reversed(frames) if f.filename == learner.__file__), None)

    def again(self):
        """Raises it here, from the same line of the learner's file."""
        if self.line is None:
            raise self.error
        exec(compile("\n" * (self.line - 1) + "raise error", learner.__file__, "exec"), {"error": self.error})


def _seed(seed):
    """Each process its own: what they do alike must not come from a state that they have in common."""
    torch.default_generator.manual_seed(seed)
    random.seed(seed)
    numpy.random.seed(seed % 2**32)


def _meet(meeting):
    """Joins the group of that place and size, if it is not the present one."""
    global _meeting
    if meeting != _meeting:
        _part()
        place, size = meeting
        limit = datetime.timedelta(seconds=8)
        dist.init_process_group(
            "gloo", init_method=f"file://{place}/meet", rank=_board.rank, world_size=size, timeout=limit
        )
        _meeting = meeting


def _part():
    global _meeting
    _meeting = None
    if dist.is_initialized():
        dist.destroy_process_group()


def _dismiss():
    """Ends the other processes and the group: whatever state they were in, the next work does not see it."""
    while _peers:
        pid, sock = _peers.pop()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        sock.close()
    _part()


def _together(size, name, *args):
    """What that work returns in each of `size` processes; None for one that failed."""
    if not _peers:
        _recruit()
    meeting = _meeting if _meeting and _meeting[1] == size else (tempfile.mkdtemp(), size)
    _board.clear()
    others = [sock for _, sock in _peers[: size - 1]]
    try:
        for sock in others:
            _tell(sock, (meeting, torch.initial_seed() % 2**62, name, args))
        _meet(meeting)
        value = _WORK[name](0, *args)
    except BaseException as e:
        _board.leaves()
        if not (_unwritten(e) and all(_has_raised(_hear(sock)) for sock in others)):
            said = [_hear(sock) for sock in select.select(others, [], [], 0)[0]]
            _dismiss()
            for reply in filter(_has_raised, said if isinstance(e, RuntimeError) else []):
                reply[0].again()  # the one that this process has waited for in vain
        raise
    replies = [(value, _board.calls, dist.is_initialized()), *map(_hear, others)]
    if any(r is None or r[1:] != (_board.calls, True) for r in replies):  # out of step with each other
        _dismiss()
    for reply in filter(_has_raised, replies):
        _dismiss()
        reply[0].again()
    return [reply and reply[0] for reply in replies]


def _has_raised(reply):
    return reply is not None and isinstance(reply[0], _Raised)


def _net(weights, grad=None):
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    net.load_state_dict(dict(zip(net.state_dict(), weights)))
    for p in net.parameters():
        p.grad = None if grad is None else torch.full_like(p, grad)
    return net


def _state(net):
    return [v.detach().clone() for v in net.state_dict().values()]


def _averaged(rank, weights, xs, frozen):
    net = _net(weights if isinstance(weights[0], torch.Tensor) else weights[rank])
    without = list(net.parameters())[:frozen]
    for p in without[::2]:
        p.requires_grad_(False)
    net(xs[rank]).sum().backward()
    for p in without:
        p.grad = None
    if rank == len(xs) - 1:
        _until_settled([0], 0.5)  # too late for who does not wait
    learner.average_gradients(net)
    _board.leaves()
    grads = [p.grad for p in net.parameters()]
    return {"grads": grads[frozen:], "missing": [g is None for g in grads[:frozen]], "weights": _state(net)}


def _random_states():
    """Torch's, Python's and NumPy's."""
    _, drawn, place, *_ = numpy.random.get_state()
    return torch.get_rng_state().tolist(), random.getstate(), drawn.tolist(), place


def _shards(rank, visits):
    before = _random_states()
    orders = [[int(i) for i in learner.shard(*visit)] for visit in visits]
    return {"orders": orders, "untouched": _random_states() == before}


def _trained(rank, weights, batches, lr, grad):
    net = _net(weights[rank], grad)
    losses = learner.train(net, batches[rank], lr)
    return {"losses": losses, "weights": _state(net), "group": dist.is_initialized()}


def _saved(rank, size, state, wrapped, watched, path):
    global _watching, _looking_for, _wrote
    parts = {"first": nn.Linear(3, 4), "submodule": nn.BatchNorm1d(4), "module": nn.Linear(4, 2)}
    net = nn.Sequential(collections.OrderedDict(parts))
    net.load_state_dict(dict(zip(net.state_dict(), state)))
    net = DistributedDataParallel(net) if wrapped else net
    _watching, before = watched, _board.calls
    if watched and rank == 0:
        _until_settled(range(1, size))
    _looking_for, _wrote = path, False
    try:
        learner.save_checkpoint(net, path)
    finally:
        _watching, _looking_for = False, None
    left = "met" if _board.calls > before else "alone"
    if _board.stage != 1:  # not in the middle of it
        with contextlib.suppress(Exception):  # not there, or not all of it
            torch.load(path)
            left = "after"
    _board.leaves()
    return left, _wrote


_WORK = {"averaged": _averaged, "shards": _shards, "trained": _trained, "saved": _saved}


def averaged(weights, xs, frozen):
    """Gradients of sum(net(x)) after average_gradients, one process for each x.

    `weights`: of all, or for each process its own. `frozen` parameters have no gradient; every other one is trainable.
    """
    return _together(len(xs), "averaged", weights, xs, frozen)


def shards(size, visits):
    """What shard gives in each process for these arguments, and whether the global random states are as before."""
    return _together(size, "shards", visits)


def trained(weights, batches, lr, grad=None):
    """Losses and weights of all processes, which start from different weights, and that in each gradient."""
    return _together(len(batches), "trained", weights, batches, lr, grad)


def saved(size, state, wrapped, watched):
    """What lies on disk after save_checkpoint, and how each process left it.

    `written`: who wrote the file, or put it there. `left`: `after` the file was complete, else `met` if it took part in
    a collective, `alone` if not. `watched`: rank 0 begins, and ends, only when the others have left or wait.
    """
    path = f"{tempfile.mkdtemp()}/model.pt"
    seen = [how or ("failed", False) for how in _together(size, "saved", size, state, wrapped, watched, path)]
    there = None
    with contextlib.suppress(Exception):
        there = torch.load(path)
    plain = isinstance(there, dict)
    return {
        "left": [left for left, _ in seen],
        "written": [os.path.exists(path), *(wrote for _, wrote in seen[1:])],
        "keys": list(there) if plain else [],
        "weights": [v.detach() for v in there.values() if isinstance(v, torch.Tensor)] if plain else [],
    }
