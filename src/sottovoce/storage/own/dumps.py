"""The whole database as a file, and back: by pg_dump, pg_restore and psql of PostgreSQL's wheel.

They fit every server that the database may be on (15 or later); those of a Debian do not fit a newer one.
Two schemas are dumped: the server's own and that of its jobs. Owners and grants are not: who restores owns.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO

import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from sottovoce.storage.own.placement import installed

JOBS = "procrastinate"
"""The schema of the job queue."""
_NEWER = b"SET transaction_timeout = 0;\n"
"""What pg_restore writes and a server before 17 refuses."""
_HEAD = 64
"""Lines in which it stands."""
_EMPTY = """
SELECT pg_catalog.set_config('search_path', '{schema}', true);
DO $$
DECLARE
    command text;
BEGIN
    DROP SCHEMA IF EXISTS procrastinate CASCADE;
    FOR command IN
        SELECT format('DROP TABLE IF EXISTS %I.%I CASCADE', current_schema(), relname) FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
            AND relowner = current_user::regrole
        UNION ALL
        SELECT format('DROP SEQUENCE IF EXISTS %I.%I CASCADE', current_schema(), relname) FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'S'
            AND relowner = current_user::regrole
        UNION ALL
        SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure) FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proowner = current_user::regrole
    LOOP
        EXECUTE command;
    END LOOP;
END
$$;
CREATE SCHEMA procrastinate;
"""


class DumpFailed(Exception):
    """One of PostgreSQL's programs refused; the text is its last words, without a password."""


def dump(dsn: str, schema: str, snapshot: str, target: Path) -> None:
    """Write what `snapshot` (of pg_export_snapshot) shows to `target`, for its owner alone. Blocks.

    DumpFailed, CannotStart where the program is missing, OSError.
    """
    of = [f"--schema={schema}", f"--schema={JOBS}"]
    with private(target) as file:
        _run("pg_dump", dsn, ["--no-password", "--format=custom", f"--snapshot={snapshot}", *of], file)
        os.fsync(file.fileno())


def restore(dsn: str, schema: str, source: Path) -> None:
    """Put a dump in the place of all that the role owns in its schemas: wholly, or nothing changes. Blocks.

    DumpFailed, CannotStart, OSError.
    """
    of = [f"--schema={schema}", f"--schema={JOBS}", "--no-owner", "--no-privileges", "--no-comments"]
    reading = [_program("pg_restore"), *of, "--file=-", str(source)]
    with tempfile.TemporaryFile() as said, _psql(dsn) as writing:
        assert writing.stdin is not None
        with subprocess.Popen(reading, stdout=subprocess.PIPE, stderr=said) as script:  # noqa: S603
            assert script.stdout is not None
            try:
                writing.stdin.write(_EMPTY.format(schema=schema).encode())
                for _ in range(_HEAD):
                    line = script.stdout.readline()
                    writing.stdin.write(b"" if line == _NEWER else line)
                shutil.copyfileobj(script.stdout, writing.stdin, 1 << 20)
                if script.wait() == 0:
                    writing.stdin.write(b"COMMIT;\n")
            except BrokenPipeError:
                script.kill()  # psql says why
                return
        if script.returncode:
            raise DumpFailed(f"pg_restore: {_last_words(said)}")


@contextmanager
def _psql(dsn: str) -> Iterator[subprocess.Popen[bytes]]:
    """A psql in a transaction that commits only if it is told to. DumpFailed with its last words."""
    options = ["--no-password", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    named, environment = _reached(dsn)
    command = [_program("psql"), *options, named]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stderr=said, env=environment
        ) as psql,
    ):
        assert psql.stdin is not None
        psql.stdin.write(b"BEGIN;\n")
        try:
            yield psql
        except BaseException:
            psql.kill()
            raise
        finally:
            with suppress(BrokenPipeError):
                psql.stdin.close()
            psql.wait()
        if psql.returncode:
            raise DumpFailed(f"psql: {_last_words(said)}")


def _run(name: str, dsn: str, options: Sequence[str], output: IO[bytes]) -> None:
    named, environment = _reached(dsn)
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(  # noqa: S603
            [_program(name), *options, named], stdout=output, stderr=said, env=environment, check=False
        )
        if done.returncode:
            raise DumpFailed(f"{name}: {_last_words(said)}")


def _program(name: str) -> str:
    return str(installed() / "bin" / name)


def _reached(dsn: str) -> tuple[str, dict[str, str]]:
    """How libpq is told of a database: nothing secret on the command line, which others may read."""
    url = sa.make_url(dsn).set(drivername="postgresql")
    parts = conninfo_to_dict(url.render_as_string(hide_password=False))
    password = parts.pop("password", None)
    secret = {} if password is None else {"PGPASSWORD": str(password)}
    return make_conninfo("", **parts), {**os.environ, "PGCONNECT_TIMEOUT": "10", **secret}


def _last_words(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read().decode("utf-8", "replace").strip().splitlines()
    return " / ".join(lines[-3:]) or "it failed without a word"


def private(path: Path) -> BinaryIO:
    """A new file, for its owner alone, to write to. OSError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")
