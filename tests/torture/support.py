"""What the torture tests share: dice that can be thrown again, and processes that do Caseward's work and are killed.

The processes are forked from one that has imported everything, so that a kill costs milliseconds. Must not hide a
failure: whatever goes wrong in a process is an error of its test.
"""

import contextlib
import multiprocessing
import os
import random
import sys
import time
import traceback

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["app", "tests.factories", "tests.torture.jobs"])


def dice(full, name):
    """A random.Random: the same throws in every bounded run, others in each full one (CASEWARD_SEED repeats one)."""
    seed = os.environ.get("CASEWARD_SEED") or (str(time.time_ns()) if full else "caseward")
    print(f"{name}: CASEWARD_SEED={seed}")
    return random.Random(f"{name}:{seed}")


@contextlib.contextmanager
def undone():
    """Whatever happens to the database inside is taken back."""
    from extensions import db

    with db.atomic() as transaction:
        try:
            yield
        finally:
            transaction.rollback()


class Child:
    """A process that runs one function of tests/torture/jobs.py on the instance of a test.

    The function is called with `say` (sends us something) and the arguments given here.
    """

    def __init__(self, environ, job, *args, **named):
        self._here, there = _context.Pipe()
        self._process = _context.Process(target=_run, args=(there, dict(environ), job, args, named), daemon=True)
        self._process.start()
        there.close()

    def hear(self, seconds=60):
        """The next thing it says; an AssertionError with its traceback when it failed instead."""
        if not self._here.poll(seconds):
            self.kill()
            raise AssertionError(f"nothing heard of the process for {seconds} s")
        try:
            kind, said = self._here.recv()
        except EOFError:
            raise AssertionError("the process ended without a word") from None
        if kind == "failed":
            raise AssertionError(f"the process failed:\n{said}")
        return said

    def heard(self):
        """Whether something was said, or the process is gone."""
        return self._here.poll(0)

    def kill(self):
        """kill -9."""
        self._process.kill()
        self._process.join(20)

    def finish(self, seconds=60):
        """Waits until it ends by itself; returns what it said last."""
        last = None
        with contextlib.suppress(EOFError):
            while True:
                if not self._here.poll(seconds):
                    self.kill()
                    raise AssertionError(f"still running after {seconds} s")
                kind, said = self._here.recv()
                if kind == "failed":
                    raise AssertionError(f"the process failed:\n{said}")
                last = said
        self._process.join(seconds)
        return last


def _run(pipe, environ, job, args, named):
    try:
        with open(os.devnull, "w") as nowhere:
            sys.stderr = sys.stdout = nowhere
            from tests.torture import jobs

            for name in [name for name in os.environ if name.startswith("CASEWARD_")]:
                del os.environ[name]
            os.environ.update(environ)
            getattr(jobs, job)(lambda said: pipe.send(("said", said)), *args, **named)
    except BaseException:
        with contextlib.suppress(OSError):
            pipe.send(("failed", traceback.format_exc()))


@contextlib.contextmanager
def children():
    """children(environ, job, …) starts a Child; whatever still runs at the end is killed."""
    started = []

    def start(*args, **named):
        started.append(Child(*args, **named))
        return started[-1]

    try:
        yield start
    finally:
        for one in started:
            one.kill()
