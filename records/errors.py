"""The errors of the store. Each has a stable code, an HTTP status and a message for the public.

The public message says what to do and carries neither exception text nor a patient's words;
the cause stays chained to the error for the log.
"""

from __future__ import annotations

import sqlite3
from typing import ClassVar

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError


class RecordsError(Exception):
    """Base of every error of the store. `message` may be shown to the caller of the API."""

    code: ClassVar[str] = "records.error"
    status: ClassVar[int] = 500
    text: ClassVar[str] = "The record could not be stored or read."

    def __init__(self, message: str | None = None) -> None:
        self.message = message or self.text
        super().__init__(self.message)


class DatabaseError(RecordsError):
    """The database could not do what was asked. Nothing of the transaction was kept."""

    code = "database.error"
    status = 503
    text = "The database failed. Nothing was stored; please try again."


class DatabaseLocked(DatabaseError):
    code = "database.locked"
    text = "The database is busy. Nothing was stored; please try again in a moment."


class DatabaseReadOnly(DatabaseError):
    code = "database.read_only"
    text = "The database can only be read. An operator must make it writable again."


class DatabaseUnavailable(DatabaseError):
    code = "database.unavailable"
    text = "The database cannot be reached. Nothing was stored; please try again."


class DatabaseDamaged(DatabaseError):
    code = "database.damaged"
    text = "The database file is damaged. An operator must restore it from a copy."


class DiskFull(DatabaseError):
    code = "database.disk_full"
    status = 507
    text = "The disk of the database is full. Nothing was stored; an operator must free space."


class RecordRefused(DatabaseError):
    """A constraint or trigger of the database said no: a fault of the program, or tampering."""

    code = "database.refused"
    status = 500
    text = "The database refused a change that would break the record. Nothing was stored."


class DatabaseUrlInvalid(DatabaseError):
    code = "database.url_invalid"
    status = 500
    text = "The database URL must be sqlite:///FILE or postgresql://USER@HOST/NAME."


class DatabaseNewer(DatabaseError):
    code = "database.newer"
    text = (
        "The database was written by a newer version of this service. "
        "Install that version; this one will not touch the records."
    )


class DatabaseOlder(DatabaseError):
    code = "database.older"
    text = "The database is older than this version of the service. Migrate it first."


class NotFound(RecordsError):
    code = "consultation.not_found"
    status = 404
    text = "There is no such consultation."


class Conflict(RecordsError):
    code = "conflict"
    status = 409
    text = "This cannot be done in the present state of the consultation."


class TurnRunning(Conflict):
    code = "turn.running"
    text = "A turn of this consultation is still being answered. Wait for it, then try again."


class TurnSuperseded(Conflict):
    code = "turn.superseded"
    text = "That turn failed and the consultation has gone on since. Send a new turn."


class LeaseLost(Conflict):
    code = "turn.lease_lost"
    text = "Another process has taken over this turn."


class ConsultationClosed(Conflict):
    code = "consultation.closed"
    text = "This consultation is closed. Open a new one."


class IdempotencyMismatch(RecordsError):
    code = "idempotency.mismatch"
    status = 422
    text = "This Idempotency-Key was used with another body. Use a new key for a new message."


class IdempotencyKeyInvalid(RecordsError):
    code = "idempotency.key_invalid"
    status = 422
    text = "The Idempotency-Key must be 1 to 255 printable ASCII characters."


class TextNotStorable(RecordsError):
    code = "text.not_storable"
    status = 422
    text = "The text holds characters that are not text (NUL or half a surrogate pair)."


class KeyInvalid(RecordsError):
    code = "api_key.invalid"
    status = 401
    text = "The API key is missing, unknown or revoked."


class SigningKeyInvalid(RecordsError):
    code = "signing_key.invalid"
    text = (
        "The file with the signing key of the anchors cannot be read or made, or holds no Ed25519 "
        "key. Put the right file in its place (HUATUO_ANCHOR_KEY)."
    )


class AnchorsUnreadable(RecordsError):
    code = "anchors.unreadable"
    status = 422
    text = "The file of anchors cannot be read. Export the anchors again."


class RecordBroken(RecordsError):
    code = "record.broken"
    text = "The record of this consultation does not hold. Nothing was changed; verify it first."


_SQLITE: dict[int, type[DatabaseError]] = {
    sqlite3.SQLITE_BUSY: DatabaseLocked,
    sqlite3.SQLITE_LOCKED: DatabaseLocked,
    sqlite3.SQLITE_READONLY: DatabaseReadOnly,
    sqlite3.SQLITE_FULL: DiskFull,
    sqlite3.SQLITE_CANTOPEN: DatabaseUnavailable,
    sqlite3.SQLITE_IOERR: DatabaseUnavailable,
    sqlite3.SQLITE_CORRUPT: DatabaseDamaged,
    sqlite3.SQLITE_NOTADB: DatabaseDamaged,
}

# By the SQLSTATE of PostgreSQL, or by its class (the first two characters).
_SQLSTATE: dict[str, type[DatabaseError]] = {
    "55P03": DatabaseLocked,  # lock_not_available
    "57014": DatabaseLocked,  # query_canceled, by a timeout
    "40001": DatabaseLocked,  # serialization_failure
    "40P01": DatabaseLocked,  # deadlock_detected
    "25006": DatabaseReadOnly,
    "53100": DiskFull,
    "08": DatabaseUnavailable,  # connection exceptions
    "28": DatabaseUnavailable,  # invalid authorisation
    "3D": DatabaseUnavailable,  # no such database
    "53": DatabaseUnavailable,  # out of connections or memory
    "57": DatabaseUnavailable,  # the server is shutting down
    "XX": DatabaseDamaged,
}


def translate(error: DBAPIError) -> DatabaseError:
    """The error of the store that stands for an error of the driver."""
    original = error.orig
    if isinstance(error, IntegrityError):
        return RecordRefused()
    code = getattr(original, "sqlite_errorcode", None)
    if isinstance(code, int):
        # The low byte is the primary code; the rest refines it.
        return _SQLITE.get(code & 0xFF, DatabaseError)()
    state = getattr(original, "sqlstate", None)
    if isinstance(state, str):
        return (_SQLSTATE.get(state) or _SQLSTATE.get(state[:2], DatabaseError))()
    lost = error.connection_invalidated or type(original).__name__ == "OperationalError"
    return DatabaseUnavailable() if lost else DatabaseError()


def cause(error: DBAPIError) -> BaseException | None:
    """What may be chained to the translated error: None where its text could quote a patient.

    PostgreSQL says "Failing row contains (...)" where a constraint is broken.
    """
    return None if isinstance(error, IntegrityError | DataError) else error
