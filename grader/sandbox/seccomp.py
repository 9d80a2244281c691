"""seccomp: the system calls that torch, DataLoader workers and gloo need, and no others.

An allow-list: what the references of all sections were seen to call (by tracing their cells), and the plain relatives
of that (reading, waiting, asking), which other right answers call. A call that is known but not allowed fails with
EPERM, a number that this file has never heard of with ENOSYS (so that libraries fall back to older calls). Some calls
are allowed only with certain arguments.
"""

import ctypes
import errno
import functools
import os
import struct
from collections.abc import Iterator

from grader.sandbox import kernel

# name=x86_64,aarch64 (-1: not there). Plain reading, writing, waiting and asking.
_ALWAYS = """
read=0,63 write=1,64 close=3,57 fstat=5,80 newfstatat=262,79 stat=4,-1 lstat=6,-1 poll=7,-1 ppoll=271,73 lseek=8,62
mprotect=10,226 munmap=11,215 brk=12,214 rt_sigaction=13,134 rt_sigprocmask=14,135 rt_sigreturn=15,139 pread64=17,67
pwrite64=18,68 readv=19,65 writev=20,66 preadv=295,69 pwritev=296,70 access=21,-1 faccessat=269,48 faccessat2=439,439
pipe=22,-1 pipe2=293,59 select=23,-1 pselect6=270,72 sched_yield=24,124 mremap=25,216 msync=26,227 mincore=27,232
madvise=28,233 dup=32,23 dup2=33,-1 dup3=292,24 pause=34,-1 nanosleep=35,101 clock_nanosleep=230,115 getitimer=36,102
setitimer=38,103 alarm=37,-1 getpid=39,172 sendfile=40,71 sendto=44,206 recvfrom=45,207 sendmsg=46,211 recvmsg=47,212
shutdown=48,210 getsockname=51,204 getpeername=52,205 socketpair=53,199 setsockopt=54,208 getsockopt=55,209 exit=60,93
exit_group=231,94 wait4=61,260 waitid=247,95 uname=63,160 fcntl=72,25 flock=73,32 fsync=74,82 fdatasync=75,83
truncate=76,45 ftruncate=77,46 getdents64=217,61 getcwd=79,17 chdir=80,49 fchdir=81,50 rename=82,-1 renameat=264,38
renameat2=316,276 mkdir=83,-1 mkdirat=258,34 rmdir=84,-1 creat=85,-1 link=86,-1 linkat=265,37 unlink=87,-1
unlinkat=263,35 symlink=88,-1 symlinkat=266,36 readlink=89,-1 readlinkat=267,78 chmod=90,-1 fchmod=91,52 fchmodat=268,53
umask=95,166 gettimeofday=96,169 time=201,-1 getrlimit=97,163 getrusage=98,165 sysinfo=99,179 times=100,153
getuid=102,174 geteuid=107,175 getgid=104,176 getegid=108,177 getresuid=118,148 getresgid=120,150 getgroups=115,158
getppid=110,173 getpgrp=111,-1 getpgid=121,155 getsid=124,156 rt_sigpending=127,136 rt_sigtimedwait=128,137
rt_sigsuspend=130,133 sigaltstack=131,132 utimensat=280,88 statfs=137,43 fstatfs=138,44 getpriority=140,141
sched_getparam=143,121 sched_getscheduler=145,120 sched_get_priority_max=146,125 sched_get_priority_min=147,126
sched_getaffinity=204,123 arch_prctl=158,-1 gettid=186,178 futex=202,98 set_tid_address=218,96 clock_gettime=228,113
clock_getres=229,114 openat=257,56 open=2,-1 set_robust_list=273,99 get_robust_list=274,100 fallocate=285,47
eventfd=284,-1 eventfd2=290,19 epoll_create=213,-1 epoll_create1=291,20 epoll_ctl=233,21 epoll_wait=232,-1
epoll_pwait=281,22 epoll_pwait2=441,441 timerfd_create=283,85 timerfd_settime=286,86 timerfd_gettime=287,87
getrandom=318,278 membarrier=324,283 copy_file_range=326,285 statx=332,291 rseq=334,293 close_range=436,436
getcpu=309,168 mlock=149,228 munlock=150,229 restart_syscall=219,128 get_mempolicy=239,236
"""
# Only where namespaces make them harmless (T3): processes and sockets of the cell's own.
_WITH_NAMESPACES = """
fork=57,-1 setsid=112,157 kill=62,129 tkill=200,130 tgkill=234,131 connect=42,203 accept=43,202 accept4=288,242
bind=49,200 listen=50,201 sendmmsg=307,269 recvmmsg=299,243 setpriority=141,140
"""
_MMAP, _IOCTL, _SOCKET, _CLONE, _CLONE3 = (9, 222), (16, 29), (41, 198), (56, 220), (435, 435)
_KILL, _TGKILL, _PRCTL, _PRLIMIT = (62, 129), (234, 131), (157, 167), (302, 261)
_HIGHEST_KNOWN = 462

_AUDIT_ARCH = (0xC000003E, 0xC00000B7)
_ALLOW, _KILL_PROCESS = 0x7FFF0000, 0x80000000
_ERRNO = 0x00050000
_EPERM, _ENOSYS = _ERRNO | 1, _ERRNO | 38
_LD, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06
_NR, _ARCH, _ARGS = 0, 4, 16

_SHARED_ANONYMOUS = 0x21  # memory that RLIMIT_DATA does not count
_NEW_NAMESPACES = 0x7E020000  # mount, cgroup, uts, ipc, user, pid, net
_THREAD = 0x10000
_FAMILIES = (1, 2, 10, 16)  # unix, inet, inet6, netlink (gloo asks for the interfaces)
_IOCTLS = (0x5401, 0x541B, 0x5421, 0x5450, 0x5451, 0x5413, 0x8910, 0x8912, 0x8913, 0x8915, 0x8921, 0x8927, 0x8946)
_PRCTLS = (1, 2, 3, 15, 16, 21, 39, 0x53564D41)  # parent-death signal, names, and asking

_Instruction = tuple[int, int, int, int]


def numbers(table: str, machine: int) -> list[int]:
    """The call numbers of a table for that machine (0: x86_64, 1: aarch64)."""
    pairs = (entry.partition("=")[2].split(",") for entry in table.split())
    return [n for pair in pairs if (n := int(pair[machine])) >= 0]


@functools.cache
def program(machine: int, namespaces: bool, pid: int = 0) -> bytes:
    """The filter as BPF instructions. `pid`: the only process that may be signalled without namespaces."""
    rules: list[_Instruction] = [(_LD, 0, 0, _ARCH), (_JEQ, 1, 0, _AUDIT_ARCH[machine]), (_RET, 0, 0, _KILL_PROCESS)]
    rules.append((_LD, 0, 0, _NR))
    plain = numbers(_ALWAYS, machine) + (numbers(_WITH_NAMESPACES, machine) if namespaces else [])
    for number in plain:
        rules += [(_JEQ, 0, 1, number), (_RET, 0, 0, _ALLOW)]
    for number, block in _conditional(machine, namespaces, pid):
        body = list(block)
        rules += [(_JEQ, 0, len(body), number), *body]
    rules += [(_JGE, 0, 1, _HIGHEST_KNOWN), (_RET, 0, 0, _ENOSYS), (_RET, 0, 0, _EPERM)]
    return b"".join(struct.pack("=HBBI", *r) for r in rules)


def install(namespaces: bool) -> None:
    """Filters this process and its children from now on. `no_new_privs` must be set. Raises OSError."""
    if kernel.MACHINE is None:
        raise OSError(errno.ENOSYS, f"seccomp: {os.strerror(errno.ENOSYS)}")
    code = program(kernel.MACHINE, namespaces, 0 if namespaces else os.getpid())
    instructions = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(code) // 8, ctypes.addressof(instructions))
    kernel.call("seccomp", 1, 0, ctypes.create_string_buffer(header, len(header)))


def _conditional(machine: int, namespaces: bool, pid: int) -> Iterator[tuple[int, Iterator[_Instruction]]]:
    yield _MMAP[machine], _unless_all_bits(3, _SHARED_ANONYMOUS)
    yield _IOCTL[machine], _one_of(1, _IOCTLS)
    yield _PRCTL[machine], _one_of(0, _PRCTLS)
    yield _PRLIMIT[machine], _only_zero(2)  # asking for a limit, not setting it
    yield _CLONE3[machine], iter([(_RET, 0, 0, _ENOSYS)])  # its flags are out of sight; glibc falls back to clone
    if namespaces:
        yield _CLONE[machine], iter([(_LD, 0, 0, _arg(0)), (_JSET, 0, 1, _NEW_NAMESPACES), *_EPERM_OR_ALLOW])
        yield _SOCKET[machine], _one_of(0, _FAMILIES)
    else:
        yield _CLONE[machine], iter([(_LD, 0, 0, _arg(0)), (_JSET, 1, 0, _THREAD), *_EPERM_OR_ALLOW])
        for number in (_KILL[machine], _TGKILL[machine]):
            yield number, _one_of(0, (pid,))


_EPERM_OR_ALLOW: tuple[_Instruction, ...] = ((_RET, 0, 0, _EPERM), (_RET, 0, 0, _ALLOW))


def _arg(n: int) -> int:
    return _ARGS + 8 * n  # the low word on little-endian machines, both of ours


def _one_of(arg: int, values: tuple[int, ...]) -> Iterator[_Instruction]:
    yield (_LD, 0, 0, _arg(arg))
    for v in values:
        yield (_JEQ, 0, 1, v)
        yield (_RET, 0, 0, _ALLOW)
    yield (_RET, 0, 0, _EPERM)


def _only_zero(arg: int) -> Iterator[_Instruction]:
    yield (_LD, 0, 0, _arg(arg))
    yield (_JEQ, 1, 0, 0)
    yield (_RET, 0, 0, _EPERM)
    yield (_LD, 0, 0, _arg(arg) + 4)
    yield (_JEQ, 1, 0, 0)
    yield (_RET, 0, 0, _EPERM)
    yield (_RET, 0, 0, _ALLOW)


def _unless_all_bits(arg: int, bits: int) -> Iterator[_Instruction]:
    low, high = bits & -bits, bits & ~(bits & -bits)
    yield (_LD, 0, 0, _arg(arg))
    yield (_JSET, 0, 2, low)
    yield (_JSET, 0, 1, high)
    yield (_RET, 0, 0, _EPERM)
    yield (_RET, 0, 0, _ALLOW)
