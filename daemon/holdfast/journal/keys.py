"""The device key: made on the hub at first start, never leaves it. Signs checkpoints of the chain."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_FILE = "device.key"
BADGE_KEY_FILE = "badge.key"


def device_key(directory: Path) -> Ed25519PrivateKey:
    """The key of this hub; made and synced to disk, mode 0600, when there is none yet."""
    return Ed25519PrivateKey.from_private_bytes(_secret(directory / KEY_FILE))


def badge_key(directory: Path) -> bytes:
    """The key that badge tags are computed with; made like the device key."""
    return _secret(directory / BADGE_KEY_FILE)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def statement(genesis_hash: bytes, seq: int, head: bytes) -> bytes:
    """What a checkpoint signs."""
    return b"holdfast checkpoint\n" + genesis_hash + seq.to_bytes(8, "big") + head


def signed_by(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _secret(path: Path) -> bytes:
    """32 random bytes kept at `path`."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(os.urandom(32))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_directory(path.parent)
    return path.read_bytes()


def sync_directory(directory: Path) -> None:
    """Make renames and new files in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
