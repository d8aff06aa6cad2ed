"""Where compiled code is kept between runs: one file a version, in a folder that only this user or root may write.

A file is replaced as a whole and begins with a digest of its content: a cut or changed one is never taken for code.
"""

import fcntl
import grp
import os
import pwd
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

MAGIC = b"ntm-repro compiled code\n"
FOLDER = "ntm-repro"


class Unusable(Exception):
    """A file or folder that exists and cannot be used; the message says why, and begins with its path."""


def sealed(content: bytes) -> bytes:
    """`content` as it is kept: with a digest before it."""
    return MAGIC + sha256(content).digest() + content


def unsealed(kept: bytes) -> bytes | None:
    """The content of what `sealed` gave; None for anything else, such as a beginning of it or one with other bits."""
    begin = len(MAGIC) + sha256().digest_size
    content = kept[begin:]
    return content if kept[:begin] == MAGIC + sha256(content).digest() else None


def candidates(first: str = "") -> Iterator[Path]:
    """The folders in which compiled code may be kept, the preferred ones first. Nothing is created.

    first: a folder that goes before those of the environment; none where it is empty. A folder of the environment that
    does not exist for this process, such as the home of a user without one, is left out.
    """
    for base in (first, os.environ.get("XDG_CACHE_HOME")):
        if base:
            with suppress(OSError):  # a relative path in a working directory that was removed
                yield Path(base).absolute() / FOLDER
    with suppress(RuntimeError, OSError):  # neither HOME nor an entry in the password database
        home = Path.home()
        if home.is_dir():
            yield home.absolute() / ".cache" / FOLDER
    with suppress(OSError):  # no folder for temporary files can be written
        yield Path(tempfile.gettempdir()).absolute() / f"cache-{os.geteuid()}" / FOLDER


def distrusted(folder: Path) -> str | None:
    """Why code in `folder` may be another user's, who is not root; None where it cannot be.

    Whoever may write one of the folders above may put another in its place, except where the sticky bit forbids it.
    """
    real = Path(os.path.realpath(folder))
    for place in (real, *real.parents):
        try:
            status = place.stat()
        except FileNotFoundError:  # not yet made
            continue
        except OSError as error:
            return f"{place}: {error.strerror}"
        if not stat.S_ISDIR(status.st_mode):
            return f"{place} is not a folder"
        if status.st_uid not in (0, os.geteuid()):
            return f"{place} belongs to another user"
        if _others_may_write(status) and (place == real or not status.st_mode & stat.S_ISVTX):
            return f"{place} may be written by other users"
    return None


def _others_may_write(status: os.stat_result) -> bool:
    if status.st_mode & stat.S_IWOTH:
        return True
    return bool(status.st_mode & stat.S_IWGRP) and not _is_own_group(status.st_gid)


def _is_own_group(number: int) -> bool:
    """Whether a group is that of this user alone, as many systems make one for everybody."""
    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(number)
    except KeyError:
        return False
    return number == user.pw_gid and group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}


@dataclass
class Store:
    """One version of compiled code, under `name` in the first of the candidates that will do.

    name: of the file; it says everything that decides about the code. first: see `candidates`. say: takes a line for
    the user. problems: why a file or folder was passed over by the last `read` or `write`.
    """

    name: str
    first: str
    say: Callable[[str], None]
    problems: list[str] = field(default_factory=list)

    def read(self) -> bytes | None:
        """The code; None where no folder holds it whole. A folder that may only be read will do."""
        self.problems = []
        for folder in candidates(self.first):
            try:
                content = _read(folder / self.name)
            except Unusable as reason:
                self.problems.append(str(reason))
            else:
                if content is not None:
                    return content
        return None

    def write(self, content: bytes) -> Path | None:
        """Keep the code; the folder in which it is now, None where no folder takes it."""
        self.problems = []
        for folder in candidates(self.first):
            try:
                _make(folder)
                _replace(folder / self.name, sealed(content))
            except Unusable as reason:
                self.problems.append(str(reason))
            except OSError as error:
                self.problems.append(f"{folder}: {error.strerror}")
            else:
                return folder
        return None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock against another process that compiles the same; says at once if that has to be waited for.

        Where nothing can be locked it goes on without.
        """
        lock = self._open_lock()
        if lock is None:  # then no other process can find there what this one compiles
            yield
            return
        folder, descriptor = lock
        try:
            self._take(folder, descriptor)
            yield
        finally:
            os.close(descriptor)

    def _open_lock(self) -> tuple[Path, int] | None:
        for folder in candidates(self.first):
            with suppress(OSError, Unusable):
                _make(folder)
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
                return folder, os.open(folder / f"{self.name}.lock", flags, 0o644)
        return None

    def _take(self, folder: Path, descriptor: int) -> None:
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.say(f"compiling the fused kernel: another process is at it, waiting for its code in {folder}")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            self.say(f"compiling the fused kernel: {folder} cannot be locked ({error.strerror}), going on without")


def _make(folder: Path) -> None:
    """Create the folder, readable by all, so that a container's users have what its image was built with.

    Raises `OSError`, or `Unusable` where another user has a say in it.
    """
    reason = distrusted(folder)
    if reason is None:
        for place in reversed([folder, *folder.parents]):
            if not place.exists():
                with suppress(FileExistsError):
                    place.mkdir(mode=0o755)
        reason = distrusted(folder)
    if reason is not None:
        raise Unusable(reason)


def _read(path: Path) -> bytes | None:
    """The content of a file; None where there is none that this user can read. Raises `Unusable`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        reason = distrusted(path.parent)
        if reason is not None:
            raise Unusable(reason)
        if status.st_uid not in (0, os.geteuid()) or _others_may_write(status):
            raise Unusable(f"{path} may be written by other users")
        content = unsealed(_all_of(descriptor)) if stat.S_ISREG(status.st_mode) else None
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    finally:
        os.close(descriptor)
    if content is None:
        raise Unusable(f"{path} is cut or damaged")
    return content


def _all_of(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return file.read()


def _replace(path: Path, content: bytes) -> None:
    """Replace the file as a whole; of two processes at once one wins. Raises `OSError`, with nothing left behind."""
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o644)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(name, path)  # noqa: PTH105 — a name as `mkstemp` gives it
    except BaseException:
        with suppress(OSError):
            os.unlink(name)  # noqa: PTH108
        raise
