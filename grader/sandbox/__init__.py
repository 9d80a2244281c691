"""Runs a learner's file where it can do no harm. Theory of operation.

Three processes and one channel::

    judge ──control (SEQPACKET, fds)──> zygote ──fork──> cell
      └────────────channel (wire frames)───────────────────┘

The *judge* holds the hidden tests and never runs a learner's file. `warden.py` is its side of this package.
The *zygote* (`zygote.py`) has imported torch and nothing else: no test, no expected value, no pytest. It has run no
torch operation (a forked child would hang on its first one) and is single-threaded when it forks.
The *cell* is one fork of the zygote for one submission. `jail.py` confines it, then `runner.py` loads the learner's
file and answers calls until the channel closes. It is never used for a second submission.

What crosses the channel is described in `wire.py`: plain values, copied, length-prefixed, capped, never pickled; one
request, one reply, with ids, so that a frame that was not asked for ends the cell.

Confinement comes in tiers, found by trying and not by version numbers, and checked from outside for each cell:

- T3: user, pid, mount, network, ipc and uts namespaces; a file tree that holds only Python, torch and their libraries
  (`rootfs.py`), and on top of it Landlock and seccomp, no capabilities, rlimits, private tmpfs with quotas.
- T2: Landlock and seccomp only, for hosts that refuse user namespaces. No sockets, no forks, no scratch folder.
- T1: a process of its own with rlimits. It stops forging of results, and nothing else.

What is covered: reading hidden tests or other submissions, the network, writing outside the scratch folder, outliving
the check, exhausting memory, disk, processes or output, forging results.
What is not: bugs of the kernel that all tiers share; lies about what the cell itself computes (the judge recomputes).

Near side: warden, cell, proc, cgroup, wire. Far side: zygote, jail, runner, rootfs, landlock, seccomp, kernel. The far
side imports only itself, wire, msgspec, torch and the standard library.
"""
