"""How calls, answers and events cross the pipe between the interface and the vault process.

Rules (docs/adr/0005-pipe.md):

- A frame is a length (4 bytes, big-endian, at most FRAME_MAX_BYTES) and a MessagePack array; nothing is ever pickled.
- A call is ``[call id, "Service.method", arguments]``; only methods marked `operation` exist. Arguments are checked against the signature
  while they are decoded; a frame that does not fit ends the pipe.
- An answer is ``[call id, null, value]`` or ``[call id, [kind, code, facts], null]``; an event is ``[0, name, value]``.
"""

from __future__ import annotations

import functools
import struct
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from vault.errors import DefectError, Fact, RefusedError, TamperError, UnavailableError, VaultError
from vault.secret import Secret, wipe
from vault.services import events
from vault.services.operation import Operation

FRAME_MAX_BYTES: Final = 16 * 1024 * 1024
_LENGTH = struct.Struct(">I")
_EVENTS: Final[dict[str, Any]] = {one.__name__: one for one in typing.get_args(events.Event)}
_ERRORS: Final[dict[str, type[VaultError]]] = {one.__name__: one for one in (RefusedError, UnavailableError, TamperError, DefectError)}
_RAW_CALL = msgspec.msgpack.Decoder(tuple[int, str, msgspec.Raw])
_RAW_ANSWER = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw, msgspec.Raw])
_FAILURE = msgspec.msgpack.Decoder(tuple[str, str, dict[str, str | int]])
_NAME = msgspec.msgpack.Decoder(str)
_NIL: Final = b"\xc0"
_STR_8: Final = 0xD9
_STR_8_MOST: Final = 0xFF
_STR_16: Final = 0xDA
_CALL_ROOM_BYTES: Final = 64 * 1024  # more than the longest call with passphrases in it: three founders'


@dataclass(frozen=True, slots=True)
class Signature:
    """A method's types, read once from its annotations."""

    operation: Operation
    arguments: msgspec.msgpack.Decoder[Any]
    result: msgspec.msgpack.Decoder[Any]


@functools.cache
def signature(method: Callable[..., Any]) -> Signature:
    """Read the types of a method marked `operation`; anything else is a defect."""
    marked = getattr(method, "__operation__", None)
    if marked is None:
        raise DefectError("wire.not-an-operation")
    hints = typing.get_type_hints(method)
    result = hints.pop("return")
    arguments = tuple[tuple(hints.values())] if hints else tuple[()]  # type: ignore[misc]
    return Signature(marked, msgspec.msgpack.Decoder(arguments), msgspec.msgpack.Decoder(result))


def frame(body: bytes) -> bytes:
    """Put the length before a body."""
    return _LENGTH.pack(_checked_length(len(body))) + body


def read_frame(receive: Callable[[int], bytes]) -> bytes | None:
    """Read one frame with `receive` (which returns at most n bytes, none at the end); None when the pipe ended."""
    head = _exactly(receive, _LENGTH.size)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > FRAME_MAX_BYTES:
        raise DefectError("wire.frame-too-long", size_bytes=length)
    return _exactly(receive, length)


def call_frame(call_id: int, method: Callable[..., Any], arguments: tuple[Any, ...]) -> bytearray:
    """Make the whole frame of a call, for its sender to overwrite once it is sent.

    A `Secret` among the arguments crosses as the text it is. Nothing of it is left but the frame: what is made on the way is wiped, and the
    frame never grows, which would leave a copy behind. (It is cut to its length in place: a large block stays where it is.)

    Raises:
        DefectError: wire.frame-too-long.
    """
    packed: list[bytearray] = []

    def as_text(value: object) -> msgspec.Raw:
        if not isinstance(value, Secret):
            raise TypeError(type(value).__name__)
        packed.append(_packed_text(value))
        return msgspec.Raw(packed[-1])

    made = bytearray(_CALL_ROOM_BYTES)
    try:
        msgspec.msgpack.Encoder(enc_hook=as_text).encode_into((call_id, method.__qualname__, arguments), made, _LENGTH.size)
    finally:
        for one in packed:
            wipe(one)
    _LENGTH.pack_into(made, 0, _checked_length(len(made) - _LENGTH.size))
    return made


def decode_call(body: bytes) -> tuple[int, str, msgspec.Raw]:
    """Give (call id, name, undecoded arguments)."""
    return _RAW_CALL.decode(body)


def encode_value(call_id: int, value: object) -> bytes:
    """Make the body of an answer."""
    return msgspec.msgpack.encode((call_id, None, value))


def encode_failure(call_id: int, error: VaultError) -> bytes:
    """Make the body of a refusal; facts are ids and numbers by the rule of `vault.errors`."""
    return msgspec.msgpack.encode((call_id, (type(error).__name__, error.code, error.facts), None))


def encode_event(event: events.Event) -> bytes:
    """Make the body of an event."""
    return msgspec.msgpack.encode((0, type(event).__name__, event))


def decode_event(name: msgspec.Raw, value: msgspec.Raw) -> events.Event:
    """Read an event of a known name."""
    return msgspec.msgpack.decode(value, type=_EVENTS[_NAME.decode(name)])  # type: ignore[no-any-return]


def decode_answer(body: bytes) -> tuple[int, msgspec.Raw, msgspec.Raw]:
    """Give (call id, failure or event name, value), undecoded; the call id is 0 for an event."""
    return _RAW_ANSWER.decode(body)


def decode_failure(failure: msgspec.Raw) -> VaultError | None:
    """Give the error an answer carries, None if it carries a value."""
    if bytes(failure) == _NIL:
        return None
    kind, code, facts = _FAILURE.decode(failure)
    typed: dict[str, Fact] = dict(facts)
    return _ERRORS[kind](code, **typed)


def _checked_length(length: int) -> int:
    if length > FRAME_MAX_BYTES:
        raise DefectError("wire.frame-too-long", size_bytes=length)
    return length


def _packed_text(secret: Secret) -> bytearray:
    """Give a secret as a MessagePack text; the caller wipes it."""
    length = len(secret)
    head = struct.pack(">BB", _STR_8, length) if length <= _STR_8_MOST else struct.pack(">BH", _STR_16, length)
    made = bytearray(len(head) + length)
    made[: len(head)] = head
    memoryview(made)[len(head) :] = secret.lend()  # assigned to the array itself, it would be copied once more
    return made


def _exactly(receive: Callable[[int], bytes], count: int) -> bytes | None:
    parts: list[bytes] = []
    while count:
        part = receive(count)
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
