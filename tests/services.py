"""Real things for tests to meet: a PostgreSQL server, an SMTP listener, a Chromium, Caseward itself as a process.

Nothing here knows pytest or Caseward's code, so benchmarks and screenshots use it too. Nothing here may pretend: what
is missing on the machine is an error that says what to install, never a stand-in and never a skip.

`python -m tests.services ensure` finds PostgreSQL and Chromium, or installs them with apt.
"""

import asyncio
import atexit
import contextlib
import email
import email.policy
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Missing(Exception):
    """Something this machine lacks; the message says exactly what to install."""


def free_port() -> int:
    """A port on 127.0.0.1 that was free a moment ago (somebody else may still take it)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# ---------------------------------------------------------------------------------------------------- PostgreSQL

_CLUSTER_PREFIX = "caseward-pg-"
_POSTGRES_SENTENCE = (
    "PostgreSQL's server programs (initdb, postgres) were not found. Install them with: "
    "sudo apt-get install postgresql   (on macOS: brew install postgresql), then run this again."
)
# The server's own time zone is not UTC on purpose: a value that is shifted on the way in or out shows at once.
# A lock nobody gives back fails its test instead of hanging the run.
_POSTGRES_CONFIG = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 150
shared_buffers = 64MB
lock_timeout = 20s
timezone = 'Asia/Kolkata'
log_timezone = 'UTC'
"""


def postgres_programs() -> Path:
    """The folder with initdb and postgres, the newest where there are several."""
    found = shutil.which("initdb")
    if found and (real := Path(found).resolve().parent) and (real / "postgres").exists():
        return real
    versions = glob.glob("/usr/lib/postgresql/*/bin/postgres") + glob.glob("/opt/homebrew/opt/postgresql*/bin/postgres")
    if versions:
        return Path(max(versions, key=lambda path: [int(part) for part in path.split("/") if part.isdigit()])).parent
    raise Missing(_POSTGRES_SENTENCE)


class PostgresServer:
    """A private cluster in a temporary folder, reachable on 127.0.0.1 and gone when stopped."""

    def __init__(self):
        self.programs = postgres_programs()
        _sweep_stale_clusters()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{_CLUSTER_PREFIX}{os.getpid()}-"))
        self._identity = _unprivileged()
        if self._identity:
            os.chown(self.folder, self._identity["user"], self._identity["group"])
        self._process = None
        atexit.register(self.stop)
        try:
            self._create()
            self._start()
        except BaseException:
            self.stop()
            raise

    def url(self, database: str = "postgres") -> str:
        """The address of a database of this server, which is made (empty) if it doesn't exist."""
        if database not in self.databases():
            self.execute(f'CREATE DATABASE "{database}"')
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def clone(self, template: str, database: str) -> str:
        """A copy of one database under another name; nobody may be connected to the template."""
        self.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        self.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def databases(self) -> list[str]:
        return [name for (name,) in self.execute("SELECT datname FROM pg_database")]

    def execute(self, sql: str) -> list[tuple]:
        """Runs one statement in the maintenance database."""
        import psycopg

        with psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)  # "immediate": nothing here is worth a clean shutdown
            self._process.wait(timeout=20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _create(self) -> None:
        command = [self.programs / "initdb", "-D", self.folder / "data", "-A", "trust", "-U", "postgres",
                   "-E", "UTF8", "--locale=C", "--no-sync"]
        made = subprocess.run(command, capture_output=True, text=True, cwd="/", **self._identity)
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{made.stdout}{made.stderr}")

    def _start(self) -> None:
        for _ in range(5):  # a free port may be taken between the look and the start
            self.port = free_port()
            config = _POSTGRES_CONFIG.format(port=self.port, folder=self.folder)
            (self.folder / "data" / "postgresql.auto.conf").write_text(config)
            with open(self.folder / "log", "ab") as log:
                self._process = subprocess.Popen(
                    [self.programs / "postgres", "-D", self.folder / "data"],
                    stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", start_new_session=True, **self._identity,
                )
            if self._answers(seconds=30):
                return
        raise RuntimeError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()}")

    def _answers(self, seconds: float) -> bool:
        import psycopg

        until = time.monotonic() + seconds
        while time.monotonic() < until and self._process.poll() is None:
            with contextlib.suppress(psycopg.OperationalError):
                self.execute("SELECT 1")
                return True
            time.sleep(0.05)
        return False


@contextlib.contextmanager
def postgres() -> Iterator[PostgresServer]:
    """`with postgres() as server: server.url("name")`."""
    server = PostgresServer()
    try:
        yield server
    finally:
        server.stop()


def _unprivileged() -> dict:
    """Arguments for subprocess that leave root, which PostgreSQL refuses; empty for everybody else."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            account = pwd.getpwnam(name)
            return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    raise Missing("PostgreSQL does not run as root and there is no user 'postgres': run the tests as another user.")


def _sweep_stale_clusters() -> None:
    """Stops and removes clusters whose test process was killed before it could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_CLUSTER_PREFIX}*-*"):
        owner = folder.name.removeprefix(_CLUSTER_PREFIX).split("-")[0]
        if not owner.isdigit() or _command_of(int(owner)):
            continue
        with contextlib.suppress(OSError, ValueError):
            server = int((folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
            if str(folder) in _command_of(server):  # the number may have gone to another process since
                os.kill(server, signal.SIGQUIT)
                _wait_until(lambda pid=server: not _command_of(pid), seconds=10)
        shutil.rmtree(folder, ignore_errors=True)


def _command_of(pid: int) -> str:
    """The command line of a process, empty if there is none."""
    if os.path.isdir("/proc/self"):
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return subprocess.run(["ps", "-p", str(pid), "-o", "args="], capture_output=True, text=True).stdout


def _wait_until(true, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.02)
    return bool(true())


# ---------------------------------------------------------------------------------------------------------- SMTP


@dataclass(frozen=True)
class Received:
    """One delivered email: what the envelope said and what was in it."""

    sender: str
    to: list[str]
    raw: bytes

    @property
    def message(self) -> email.message.EmailMessage:
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def text(self) -> str:
        """The plain text part, decoded."""
        part = self.message.get_body(preferencelist=("plain",))
        return part.get_content() if part else ""


class SmtpListener:
    """A real SMTP server on 127.0.0.1 in a thread. It can be told to refuse, hang or drop, as real ones do.

    `at` is the moment the trouble starts: "connect", "mail", "rcpt" or "data" (after the whole message).
    """

    def __init__(self, tls=None, starttls: bool = False, user: str | None = None, password: str | None = None):
        """`tls`: an ssl.SSLContext, spoken from the first byte, or after STARTTLS if `starttls`."""
        self._tls, self._starttls, self._credentials = tls, starttls, (user, password)
        self.port = None
        self.messages: list[Received] = []
        self.attempts = 0
        self._arrived = threading.Condition()
        self._server = None
        self._transports = set()
        self.answer(None)
        self.start()

    # what the listener does with the next message

    def answer(self, code: int | None, at: str = "data", times: int | None = None) -> None:
        """Answers `code` (451, 550, …) from now on, or for so many `times`; None: healthy."""
        self._trouble, self._code, self._at, self._times = ("answer" if code else None), code, at, times
        self._release()

    def hang(self, at: str = "connect") -> None:
        """Says nothing any more, until answer(None)."""
        self._trouble, self._at, self._times = "hang", at, None

    def drop(self, at: str = "data", keep: bool = False, times: int | None = None) -> None:
        """Breaks the connection; with `keep` the message counts as delivered although its sender can't know."""
        self._trouble, self._at, self._keep, self._times = "drop", at, keep, times

    # reading

    def wait_for(self, count: int, seconds: float = 5) -> list[Received]:
        """The messages, once there are at least `count`; fails with those that did come."""
        with self._arrived:
            self._arrived.wait_for(lambda: len(self.messages) >= count, timeout=seconds)
            if len(self.messages) < count:
                came = [f"{received.to}: {received.subject}" for received in self.messages]
                raise AssertionError(f"{len(came)} of {count} emails came within {seconds} s: {came}")
            return list(self.messages)

    def reset(self) -> None:
        """Healthy, empty and running."""
        self.answer(None)
        self.messages.clear()
        self.attempts = 0
        self.start()

    # life

    def start(self) -> None:
        """Listens, on the same port as before if it had one."""
        if self._server:
            return
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port or 0))
        self.port = listening.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp listener", daemon=True)
        self._thread.start()
        self._healthy = asyncio.Event()
        direct = None if self._starttls else self._tls
        self._server = asyncio.run_coroutine_threadsafe(
            self._loop.create_server(self._protocol, sock=listening, ssl=direct), self._loop).result(10)

    def stop(self) -> None:
        """Nobody answers on the port any more: an outage."""
        if not self._server:
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._server = None

    async def _close(self) -> None:
        self._server.close()
        self._healthy.set()
        for transport in list(self._transports):
            transport.abort()
        await asyncio.sleep(0)
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _release(self) -> None:
        if getattr(self, "_server", None):
            healthy, self._healthy = self._healthy, asyncio.Event()
            self._loop.call_soon_threadsafe(healthy.set)

    def _protocol(self):
        from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

        listener, (user, password) = self, self._credentials

        class Protocol(SMTP):
            def connection_made(self, transport):
                listener._transports.add(transport)
                super().connection_made(transport)

            def connection_lost(self, error):
                listener._transports.discard(self.transport)
                super().connection_lost(error)

            async def _handle_client(self):
                listener.attempts += 1
                refused = await listener._meet("connect", self)
                if refused:
                    await self.push(refused)
                    self.transport.close()
                    return
                await super()._handle_client()

        def check(server, session, envelope, mechanism, data):
            right = LoginPassword((user or "").encode(), (password or "").encode())
            return AuthResult(success=data == right, handled=False)

        return Protocol(self, hostname="listener.test", loop=self._loop, enable_SMTPUTF8=True,
                        tls_context=self._tls if self._starttls else None, require_starttls=self._starttls,
                        authenticator=check if user else None, auth_required=bool(user),
                        auth_require_tls=bool(self._tls and self._starttls))

    async def _meet(self, moment: str, server) -> str | None:
        """Makes the trouble that was asked for at this moment; a text is the refusal to send."""
        if self._trouble is None or self._at != moment:
            return None
        if self._trouble == "hang":
            await self._healthy.wait()
            return None
        if self._times is not None:
            self._times -= 1
            if self._times < 0:
                return None
        if self._trouble == "drop":
            server.transport.abort()
            raise ConnectionResetError
        return f"{self._code} {'Try again later' if self._code < 500 else 'Refused'}"

    # aiosmtpd's handler interface

    async def handle_MAIL(self, server, session, envelope, address, options):
        refused = await self._meet("mail", server)
        if refused is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return refused or "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        refused = await self._meet("rcpt", server)
        if refused is None:
            envelope.rcpt_tos.append(address)
        return refused or "250 OK"

    async def handle_DATA(self, server, session, envelope):
        dropping = self._trouble == "drop" and self._at == "data" and self._times != 0
        if dropping and self._keep:
            self._deliver(envelope)
        refused = await self._meet("data", server)
        if refused is None:
            self._deliver(envelope)
        return refused or "250 OK"

    async def handle_exception(self, error):
        return "421 Closing"

    def _deliver(self, envelope) -> None:
        with self._arrived:
            self.messages.append(Received(envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content))
            self._arrived.notify_all()


# ------------------------------------------------------------------------------------------------------ Chromium

CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic",
                      "--no-first-run", "--disable-component-update", "--disable-sync"]
_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_CHROMIUM_SENTENCE = (
    "No Chromium was found. Install one with: sudo apt-get install chromium   (where the distribution has none: "
    ".venv/bin/playwright install --with-deps chromium), or name one: CASEWARD_CHROMIUM=/path/to/chrome, "
    "then run this again."
)


def chromium_path() -> str:
    """A Chromium or Chrome of this machine: the one CASEWARD_CHROMIUM names, the system's, or Playwright's own."""
    named = os.environ.get("CASEWARD_CHROMIUM")
    if named:
        return named
    for found in filter(None, map(shutil.which, _CHROMIUM_NAMES)):
        return found
    cache = os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or os.path.expanduser("~/.cache/ms-playwright")
    for found in sorted(glob.glob(f"{cache}/chromium-*/chrome-linux*/chrome"), reverse=True):
        return found
    raise Missing(_CHROMIUM_SENTENCE)


@contextlib.contextmanager
def browser():
    """A headless Playwright browser that talks to nobody but the pages it is sent to."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS)
        try:
            yield launched
        finally:
            launched.close()


# ------------------------------------------------------------------------------------------------ Caseward itself


class LiveServer:
    """The real `python app.py` (or another command) as a process of its own, on a free port."""

    def __init__(self, environ: dict, args: tuple[str, ...] = ("app.py",), seconds: float = 30):
        """`environ`: CASEWARD_… settings; those of the shell that runs the tests are not passed on."""
        self.environ, self.args, self.seconds = dict(environ), tuple(args), seconds
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lines: list[str] = []
        self._process = None
        atexit.register(self.kill)
        self.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts it (again), and returns when /health answers 200."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CASEWARD_", "FLASK_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-u", *self.args], cwd=ROOT, start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            env=inherited | {"CASEWARD_BIND": f"127.0.0.1:{self.port}", "PYTHONDONTWRITEBYTECODE": "1"} | self.environ,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        if not _wait_until(lambda: self._healthy() or not self.running, self.seconds) or not self.running:
            self.kill()
            raise RuntimeError(f"{' '.join(self.args)} did not start:\n" + "\n".join(self.lines))

    def wait_for_line(self, text: str, seconds: float = 10) -> str:
        """The first printed line that holds `text`."""
        if not _wait_until(lambda: any(text in line for line in list(self.lines)), seconds):
            raise AssertionError(f"no line with {text!r} within {seconds} s:\n" + "\n".join(self.lines))
        return next(line for line in list(self.lines) if text in line)

    def stop(self, seconds: float = 20) -> int:
        """Asks it to end (SIGTERM), as an operator would; returns its exit code."""
        self._process.terminate()
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running {seconds} s after SIGTERM:\n" + "\n".join(self.lines)) from None
        finally:
            self._reader.join(5)

    def kill(self) -> None:
        """kill -9, with everything it started."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        self._reader.join(5)

    def _read(self, process) -> None:
        with process.stdout:
            for line in process.stdout:
                self.lines.append(line.rstrip("\n"))

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False


# ----------------------------------------------------------------------------------------------------- on machines


def ensure() -> None:
    """Finds PostgreSQL and Chromium; installs with apt what is missing; raises Missing if that can't be done."""
    wanted = []
    for find, packages in ((postgres_programs, ["postgresql"]), (_working_chromium, ["chromium", "chromium-browser"])):
        try:
            find()
        except Missing as missing:
            wanted.append((find, packages, missing))
    if not wanted:
        return
    apt = _apt()
    if apt is None:
        raise Missing("\n".join(str(missing) for _, _, missing in wanted))
    _run([*apt, "update", "-q"])
    for find, packages, _ in wanted:
        for package in packages:
            print(f"Installing {package} with apt-get: the tests need it.", flush=True)
            if _run([*apt, "install", "-y", "-q", "--no-install-recommends", package]):
                break
        find()


def _working_chromium() -> str:
    """The path of a Chromium that starts: a placeholder that only points to a snap store does not."""
    path = chromium_path()
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        if subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0:
            return path
    raise Missing(f"{path} does not start. {_CHROMIUM_SENTENCE}")


def _apt() -> list[str] | None:
    """apt-get with the rights it needs, without asking anybody for a password; None where that isn't possible."""
    if not shutil.which("apt-get"):
        return None
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    if os.geteuid() == 0:
        return quiet
    allowed = shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0
    return ["sudo", "-n", *quiet] if allowed else None


def _run(command: list[str]) -> bool:
    return subprocess.run(command, stdin=subprocess.DEVNULL).returncode == 0


def main(arguments: list[str]) -> int:
    if arguments != ["ensure"]:
        print("usage: python -m tests.services ensure", file=sys.stderr)
        return 2
    try:
        ensure()
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
