"""Settings from the environment, checked once at start.

A wrong value raises ConfigError with the sentence that mends it; nothing is guessed and nothing is read
from the environment anywhere else. Must not import anything of Caseward.
"""

import contextlib
import os
import secrets
import stat
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

HOUSE = Path(__file__).resolve().parent
KEY_BYTES = 32


class ConfigError(Exception):
    """A setting that stops the start; its text is the sentence that mends it."""


@dataclass(frozen=True)
class Smtp:
    """Where email goes: `security` is 'plain', 'starttls' or 'tls'; credentials are optional."""

    host: str
    port: int
    security: str
    username: str | None = None
    password: str | None = None


@dataclass(frozen=True)
class Settings:
    """Everything the environment decides. Paths are absolute, ports are integers, `secret_key` is 32 bytes."""

    instance: Path
    host: str
    port: int
    database_url: str | None
    smtp: Smtp | None
    mail_from: str
    base_url: str
    trusted_proxy: str | None
    timezone: str
    web_processes: int
    demo_password: str | None
    secret_key: bytes

    @property
    def is_postgres(self):
        return self.database_url is not None

    @property
    def secure_cookies(self):
        return self.base_url.startswith("https://")

    @property
    def files(self):
        """Folder of uploaded files, outside anything that is served."""
        return self.instance / "files"

    @property
    def backups(self):
        return self.instance / "backups"


def load(environ=None):
    """Read and check all settings. Makes the instance folder and its key file on first use."""
    environ = os.environ if environ is None else environ
    instance = Path(environ.get("CASEWARD_INSTANCE") or HOUSE / "instance").expanduser().resolve()
    host, port = _bind(environ.get("CASEWARD_BIND") or "127.0.0.1:8000")
    base_url = _base_url(environ.get("CASEWARD_BASE_URL"), host, port)
    return Settings(
        instance=instance,
        host=host,
        port=port,
        database_url=_database(environ.get("CASEWARD_DATABASE")),
        smtp=_smtp(environ.get("CASEWARD_SMTP")),
        mail_from=_mail_from(environ.get("CASEWARD_MAIL_FROM"), base_url),
        base_url=base_url,
        trusted_proxy=_proxy(environ.get("CASEWARD_TRUSTED_PROXY")),
        timezone=_timezone(environ.get("CASEWARD_TIMEZONE") or "Europe/London"),
        web_processes=_processes(environ.get("CASEWARD_WEB_PROCESSES")),
        demo_password=environ.get("CASEWARD_DEMO_PASSWORD") or None,
        secret_key=_secret_key(instance),
    )


def _bind(text):
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"CASEWARD_BIND is '{text}'. Write an address and a port, for example 127.0.0.1:8000.")
    host = host.strip("[]")
    if host != "localhost":
        try:
            ip_address(host)
        except ValueError:
            raise ConfigError(
                f"CASEWARD_BIND is '{text}'. Its first part must be an IP address of this server, for example 127.0.0.1."
            ) from None
    return host, int(port)


def _base_url(text, host, port):
    if not text:
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ConfigError(
            f"CASEWARD_BASE_URL is '{text}'. Write the address people type, for example https://caseward.school.example."
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ConfigError(
            f"CASEWARD_BASE_URL is '{text}'. Off this machine Caseward is only served over https://: put it behind a "
            "proxy that has a certificate and write https:// here."
        )
    return text.rstrip("/")


def is_loopback(host):
    """True for localhost and addresses that never leave the machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _database(text):
    if not text:
        return None
    parts = urlsplit(text)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise ConfigError(
            f"CASEWARD_DATABASE starts with '{parts.scheme}:'. Write postgresql://user:password@host:5432/name, "
            "or leave it out to use SQLite in the instance folder."
        )
    return text


def _smtp(text):
    if not text:
        return None
    parts = urlsplit(text)
    security = {"smtp": "plain", "smtp+starttls": "starttls", "smtps": "tls"}.get(parts.scheme)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if security is None or not parts.hostname or port == -1:
        raise ConfigError(
            "CASEWARD_SMTP can't be read. Write smtp://host:25, smtp+starttls://user:password@host:587 "
            "or smtps://user:password@host:465."
        )
    return Smtp(
        host=parts.hostname,
        port=port or {"plain": 25, "starttls": 587, "tls": 465}[security],
        security=security,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def _mail_from(text, base_url):
    if not text:
        host = urlsplit(base_url).hostname
        return "caseward@localhost.localdomain" if is_loopback(host) else f"caseward@{host}"
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain or any(c in text for c in "\r\n<>, ") or "@" in local:
        raise ConfigError(f"CASEWARD_MAIL_FROM is '{text}'. Write one plain address, for example caseward@school.example.")
    return text


def _proxy(text):
    if not text:
        return None
    try:
        return str(ip_address(text))
    except ValueError:
        raise ConfigError(
            f"CASEWARD_TRUSTED_PROXY is '{text}'. Write the one IP address your proxy connects from, for example 127.0.0.1."
        ) from None


def _timezone(text):
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise ConfigError(
            f"CASEWARD_TIMEZONE is '{text}', which is not a known time zone. Write one like Europe/London or America/Chicago."
        ) from None
    return text


def _processes(text):
    if not text:
        return 0
    if not text.isdigit() or not 1 <= int(text) <= 16:
        raise ConfigError(f"CASEWARD_WEB_PROCESSES is '{text}'. Write a number from 1 to 16, or leave it out.")
    return int(text)


def _secret_key(instance):
    """The instance's key: made once, readable by its owner only; a weak or exposed one stops the start."""
    try:
        instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise ConfigError(
            f"The instance folder {instance} can't be made ({problem.strerror}). Set CASEWARD_INSTANCE to a folder "
            "that this user may write to."
        ) from None
    path = instance / "secret.key"
    if not path.exists():
        _make_key(path)
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError(f"The key file {path} can be read by other users. Run: chmod 600 {path}")
    key = path.read_bytes().strip()
    if len(key) < KEY_BYTES * 2:
        raise ConfigError(
            f"The key file {path} is too short. Put the right one back from your backup; a new one signs everybody out."
        )
    return bytes.fromhex(key.decode())


def _make_key(path):
    """Write a whole key under another name and link it: of two processes that start together one wins, none reads half."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(KEY_BYTES).encode())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    except OSError as problem:
        raise ConfigError(f"The key file {path} can't be made ({problem.strerror}). Let this user write there.") from None
