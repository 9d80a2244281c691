"""The filter of system calls, run in a small interpreter: what it allows, refuses and has never heard of."""

import errno
import itertools
import os
import platform
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.sandbox import kernel, seccomp

LD, JEQ, JGE, JSET, RET = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM, ENOSYS = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
X86, ARM = 0, 1
MACHINES = [pytest.param(X86, id="x86_64"), pytest.param(ARM, id="aarch64")]
ARCHITECTURE = {X86: 0xC000003E, ARM: 0xC00000B7}
PID = 4321

# The kernel's own numbers, written down again on purpose: (x86_64, aarch64), None where there is no such call.
NUMBERS = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "openat": (257, 56),
    "fstat": (5, 80),
    "munmap": (11, 215),
    "mprotect": (10, 226),
    "brk": (12, 214),
    "futex": (202, 98),
    "exit_group": (231, 94),
    "rt_sigreturn": (15, 139),
    "getrandom": (318, 278),
    "clock_gettime": (228, 113),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "madvise": (28, 233),
    "wait4": (61, 260),
    "pipe2": (293, 59),
    "getdents64": (217, 61),
    "newfstatat": (262, 79),
    "rseq": (334, 293),
    "mmap": (9, 222),
    "ioctl": (16, 29),
    "socket": (41, 198),
    "connect": (42, 203),
    "bind": (49, 200),
    "socketpair": (53, 199),
    "clone": (56, 220),
    "clone3": (435, 435),
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "setrlimit": (160, 164),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "rt_sigqueueinfo": (129, 138),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_setup": (206, 0),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "fanotify_init": (300, 262),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "acct": (163, 89),
    "personality": (135, 92),
    "setuid": (105, 146),
    "setresuid": (117, 147),
    "setgroups": (116, 159),
    "capset": (126, 91),
    "sethostname": (170, 161),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "mknodat": (259, 33),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "vmsplice": (278, 75),
    "splice": (275, 76),
    "seccomp": (317, 277),
    "landlock_create_ruleset": (444, 444),
    "sched_setaffinity": (203, 122),
    "mlockall": (151, 230),
    "iopl": (172, None),
    "modify_ldt": (154, None),
    "uselib": (134, None),
}

PLAIN = [
    "read",
    "write",
    "close",
    "openat",
    "fstat",
    "munmap",
    "mprotect",
    "brk",
    "futex",
    "exit_group",
    "rt_sigreturn",
]
PLAIN += ["getrandom", "clock_gettime", "sched_yield", "sched_getaffinity", "madvise", "wait4", "pipe2", "getdents64"]
PLAIN += ["newfstatat", "rseq", "socketpair"]
WITH_ARGUMENTS = ["mmap", "ioctl", "socket", "clone", "clone3", "kill", "tgkill", "prctl", "prlimit64"]
OWN_ONLY = ["fork", "tkill", "connect", "bind"]  # where namespaces make them harmless
NEVER = sorted(set(NUMBERS) - {*PLAIN, *WITH_ARGUMENTS, *OWN_ONLY})


def instructions(machine, namespaces):
    """The filter, decoded."""
    return list(struct.iter_unpack("=HBBI", seccomp.program(machine, namespaces, PID)))


def run(machine, namespaces, number, *args, arch=None):
    """What the filter says of that system call: classic BPF, as far as the filter uses it."""
    values = [a & (1 << 64) - 1 for a in args] + [0] * (6 - len(args))
    data = struct.pack("<iIQ6Q", number, arch or ARCHITECTURE[machine], 0, *values)
    program, at, a = instructions(machine, namespaces), 0, 0
    while True:
        code, true, false, k = program[at]
        at += 1
        match code:
            case 0x20:
                (a,) = struct.unpack_from("<I", data, k)
            case 0x06:
                return k
            case 0x15:
                at += true if a == k else false
            case 0x35:
                at += true if a >= k else false
            case 0x45:
                at += true if a & k else false


def says(name, machine, namespaces, *args):
    """What the filter says of the call of that name; None if the machine does not have it."""
    number = NUMBERS[name][machine]
    return None if number is None else run(machine, namespaces, number, *args)


both = pytest.mark.parametrize("machine", MACHINES)
either = pytest.mark.parametrize("namespaces", [False, True], ids=["T2", "T3"])


@both
@either
def test_the_program_is_well_formed(machine, namespaces):
    """Instructions of five kinds, loads inside the data, jumps inside the program, a RET at the end, not too long."""
    program = instructions(machine, namespaces)
    assert {code for code, *_ in program} == {LD, JEQ, JGE, JSET, RET}
    assert all(k % 4 == 0 and k < 64 for code, _, _, k in program if code == LD)
    jumps = [(i, step) for i, (code, *steps, _) in enumerate(program) if code in (JEQ, JGE, JSET) for step in steps]
    assert all(i + 1 + step < len(program) for i, step in jumps)
    assert program[-1][0] == RET
    assert len(program) <= 4096


@both
@either
def test_every_instruction_is_reached(machine, namespaces):
    """No rule hides behind another: a dead one would be a mistake in a jump."""
    program = instructions(machine, namespaces)
    reached, todo = set(), [0]
    while todo:
        if (at := todo.pop()) in reached:
            continue
        reached.add(at)
        code, true, false, _ = program[at]
        todo += [] if code == RET else [at + 1] if code == LD else [at + 1 + true, at + 1 + false]
    assert reached == set(range(len(program)))


@both
@either
def test_it_only_ever_allows_refuses_or_kills(machine, namespaces):
    """The answers are these four."""
    assert {k for code, _, _, k in instructions(machine, namespaces) if code == RET} == {ALLOW, EPERM, ENOSYS, KILL}


@both
@either
@pytest.mark.parametrize("name", PLAIN)
def test_what_torch_needs_is_allowed(name, machine, namespaces):
    """Reading, writing, waiting, memory, threads' locks."""
    assert says(name, machine, namespaces) == ALLOW


@pytest.mark.parametrize("name", NEVER)
def test_what_no_answer_needs_is_refused(name):
    """Programs, others' memory, kernel interfaces, mounts, users, shared memory: EPERM, whatever the arguments."""
    for machine, namespaces in itertools.product((X86, ARM), (False, True)):
        for arguments in ((), (0,) * 6, (1,) * 6, (PID,) * 6, ((1 << 64) - 1,) * 6):
            assert says(name, machine, namespaces, *arguments) in (EPERM, None)


@both
@either
@pytest.mark.parametrize("number", [462, 463, 600, 9999, 0x7FFFFFFF, -1, -(1 << 31)])
def test_numbers_never_heard_of_do_not_exist(machine, namespaces, number):
    """ENOSYS, so that a library of tomorrow falls back to older calls."""
    assert run(machine, namespaces, number) == ENOSYS


@either
def test_the_x32_interface_does_not_exist(namespaces):
    """Its numbers are those of x86_64 with one bit more, and must not slip through as others."""
    assert {run(X86, namespaces, number | 0x40000000) for number in range(600)} == {ENOSYS}


@both
@either
@pytest.mark.parametrize("arch", [0x40000003, 0x40000028, 0xC000003E, 0xC00000B7, 1])
def test_another_architecture_is_death(machine, namespaces, arch):
    """A 32-bit call would have other numbers: the process is killed."""
    expected = ALLOW if arch == ARCHITECTURE[machine] else KILL
    assert run(machine, namespaces, NUMBERS["read"][machine], arch=arch) == expected


# processes and threads

THREAD = 0x3D0F00  # what glibc asks for: VM | FS | FILES | SIGHAND | THREAD | SYSVSEM | SETTLS | ...
FORK = 0x1200011  # what glibc's fork asks for: CHILD_SETTID | CHILD_CLEARTID | SIGCHLD
SPACES = {
    "mount": 0x20000,
    "cgroup": 0x2000000,
    "uts": 0x4000000,
    "ipc": 0x8000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}


@both
@either
def test_threads_are_allowed(machine, namespaces):
    """torch has them."""
    assert says("clone", machine, namespaces, THREAD) == ALLOW


@both
def test_processes_are_allowed_only_in_a_namespace(machine):
    """DataLoader workers at T3; at T2 nothing could end them."""
    for name, args in (("fork", ()), ("clone", (FORK,))):
        assert says(name, machine, True, *args) in (ALLOW, None)
        assert says(name, machine, False, *args) in (EPERM, None)


@both
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("also", [0, FORK])
def test_no_new_namespace(machine, space, also):
    """At T3: inside one's own a process would have capabilities again. At T2 it would be a process to begin with."""
    assert says("clone", machine, True, SPACES[space] | also) == EPERM
    assert says("clone", machine, False, SPACES[space] | also) == EPERM


@both
@either
def test_clone3_does_not_exist(machine, namespaces):
    """Its flags are out of the filter's sight; glibc falls back to clone."""
    assert says("clone3", machine, namespaces, 0x1000, 88) == ENOSYS


@both
@pytest.mark.parametrize("name", ["kill", "tgkill"])
def test_without_namespaces_only_oneself_can_be_signalled(machine, name):
    """abort() works; the judge, the neighbours and `kill -1` are out of reach."""
    assert says(name, machine, False, PID, 6, 6) == ALLOW
    for other in (1, PID + 1, PID - 1, 0, -1, -PID):
        assert says(name, machine, False, other, 9, 9) == EPERM


@both
def test_within_namespaces_signals_are_free(machine):
    """There is nobody else there."""
    assert says("kill", machine, True, 1, 9) == says("tkill", machine, True, 1, 9) == ALLOW
    assert says("tkill", machine, False, 1, 9) == EPERM


# memory

MAP_SHARED, MAP_PRIVATE, MAP_VALIDATE, MAP_ANONYMOUS, MAP_FIXED, MAP_NORESERVE = 1, 2, 3, 0x20, 0x10, 0x4000


@both
@either
@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (MAP_PRIVATE, ALLOW),
        (MAP_PRIVATE | MAP_ANONYMOUS, ALLOW),
        (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, ALLOW),
        (MAP_SHARED, ALLOW),
        (MAP_SHARED | MAP_ANONYMOUS, EPERM),
        (MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, EPERM),
        (MAP_VALIDATE | MAP_ANONYMOUS, EPERM),
    ],
)
def test_no_memory_that_no_limit_counts(machine, namespaces, flags, expected):
    """Shared memory without a file is in no process's RLIMIT_DATA."""
    assert says("mmap", machine, namespaces, 0, 4096, 3, flags, -1, 0) == expected


@both
@either
def test_limits_can_be_read_and_not_set(machine, namespaces):
    """prlimit64 with a new limit is refused, wherever in memory it lies."""
    assert says("prlimit64", machine, namespaces, 0, 7, 0, 0x7FFF0000) == ALLOW
    for new in (0x7FFF0000, 1 << 32, 1 << 47, 1):
        assert says("prlimit64", machine, namespaces, 0, 7, new, 0) == EPERM


# sockets, prctl, ioctl


@both
@pytest.mark.parametrize("family", [1, 2, 10, 16])
def test_sockets_only_in_a_namespace(machine, family):
    """gloo's, at T3; at T2 they would lead outside."""
    assert says("socket", machine, True, family, 1, 0) == ALLOW
    assert says("socket", machine, False, family, 1, 0) == EPERM
    for name in ("connect", "bind"):
        assert (says(name, machine, True), says(name, machine, False)) == (ALLOW, EPERM)


@both
@either
@pytest.mark.parametrize("family", [17, 38, 40, 21, 31, 29, 44])
def test_no_sockets_of_other_families(machine, namespaces, family):
    """packet, alg, vsock, rds, bluetooth, can, xdp: much kernel, no use."""
    assert says("socket", machine, namespaces, family, 3, 0) == EPERM


@both
@either
@pytest.mark.parametrize("option", [4, 8, 22, 23, 24, 28, 29, 35, 36, 38, 47, 0x59616D61])
def test_prctl_changes_nothing_that_matters(machine, namespaces, option):
    """Dumpable, capabilities, securebits, seccomp, subreaper, the memory map, ptracers: not for a cell."""
    assert says("prctl", machine, namespaces, option, 1) == EPERM


@both
@either
@pytest.mark.parametrize("option", [15, 16, 3, 21, 39])
def test_prctl_may_name_threads_and_ask(machine, namespaces, option):
    """As every thread of torch does."""
    assert says("prctl", machine, namespaces, option, 0) == ALLOW


@both
@either
@pytest.mark.parametrize(("request_", "expected"), [(0x5401, ALLOW), (0x541B, ALLOW), (0x5412, EPERM), (0x541C, EPERM)])
def test_ioctl_asks_but_types_nothing(machine, namespaces, request_, expected):
    """TCGETS and FIONREAD, but not TIOCSTI, which would type into the judge's terminal, nor TIOCLINUX."""
    assert says("ioctl", machine, namespaces, 1, request_, 0) == expected


@both
@pytest.mark.parametrize("request_", [0x8914, 0x8916, 0x891C, 0x8924, 0x89F0])
def test_interfaces_are_looked_at_and_not_changed(machine, request_):
    """gloo asks for them; SIOCSIF... would set them."""
    assert says("ioctl", machine, True, 1, request_, 0) == EPERM


# all of it


@given(
    machine=st.sampled_from([X86, ARM]),
    namespaces=st.booleans(),
    number=st.integers(-(1 << 31), (1 << 31) - 1) | st.integers(0, 500),
    args=st.lists(st.integers(0, (1 << 64) - 1), max_size=6),
)
def test_every_call_gets_an_answer(machine, namespaces, number, args):
    """The program ends, for any number and arguments; what T2 allows to a stranger T3 allows too."""
    answer = run(machine, namespaces, number, *args)
    assert answer in (ALLOW, EPERM, ENOSYS)
    if answer == ALLOW and not namespaces:
        assert run(machine, True, number, *args) == ALLOW


@both
def test_no_number_stands_for_two_calls(machine):
    """A slip in the tables would allow one call in place of another."""
    table = seccomp.numbers(seccomp._ALWAYS + seccomp._WITH_NAMESPACES, machine)
    assert len(table) == len(set(table))


@pytest.mark.skipif(kernel.MACHINE is None, reason="seccomp is Linux's, here on x86_64 and aarch64")
def test_the_kernel_accepts_the_program_and_agrees():
    """Installed in a forked process, it refuses what the interpreter says it refuses."""
    pid = os.fork()
    if not pid:
        try:
            kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
            seccomp.install(namespaces=False)
            refused = []
            for attempt in (os.fork, lambda: os.execv("/bin/true", ["true"]), lambda: os.kill(1, 0)):
                try:
                    attempt()
                except OSError as e:
                    refused.append(e.errno)
            os.kill(os.getpid(), 0)
            os._exit(0 if refused == [errno.EPERM] * 3 else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, platform.release()
