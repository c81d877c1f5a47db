"""The URL of the database, with the driver that this service uses."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from records.errors import DatabaseUrlInvalid
from records.sqlite import DRIVER


def parse_url(url: str) -> URL:
    """The URL with its driver: `sqlite:///FILE` or `postgresql://...` (`postgres://` too).

    Raises DatabaseUrlInvalid for anything else, and for a SQLite URL without a file, because
    records must outlive the process.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseUrlInvalid() from error
    backend = parsed.drivername.split("+")[0]
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and parsed.database and ":memory:" not in parsed.database:
        return parsed.set(drivername=DRIVER)
    raise DatabaseUrlInvalid()
