"""The key that anchors are signed with: Ed25519, in a PEM file that only its owner may read.

The file lies beside the database by default, which shows an anchor that somebody else made, but not
what the operator of this machine himself rewrites. Keep a copy of the anchors elsewhere for that.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from records.errors import SigningKeyInvalid


class Signer:
    """Signs texts. `public` is the public key, 32 bytes in hexadecimal."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes_raw().hex()

    def sign(self, text: str) -> str:
        """The signature of a text, 64 bytes in hexadecimal."""
        return self._key.sign(text.encode()).hex()


def read(path: Path) -> Signer:
    """The signer whose key is in a file. Raises SigningKeyInvalid."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningKeyInvalid() from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyInvalid()
    return Signer(key)


def read_or_make(path: Path) -> Signer:
    """The signer whose key is in a file, made with a new key where there is no such file.

    Of several processes that make it at once, one wins and all use its key. Raises
    SigningKeyInvalid for a file that holds no key, which is never overwritten.
    """
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        own = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(pem)
                file.flush()
                os.fsync(handle)
            with contextlib.suppress(FileExistsError):
                os.link(own, path)
        except OSError as error:
            raise SigningKeyInvalid() from error
        finally:
            own.unlink(missing_ok=True)
    return read(path)


def holds(text: str, signature: str, public: str) -> bool:
    """Whether a signature of a text was made with the private key of `public`."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), text.encode())
    except (ValueError, InvalidSignature):
        return False
    return True
