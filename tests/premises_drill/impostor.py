"""Plays the station's key server with a key of its own: the recorded advertisement word for word, and an answer to every question.

    python -m tests.premises_drill.impostor ADVERTISEMENT PORT     says "ready"

It is as good as an impostor without the station's private key can be: well-formed answers, on the curve, for whichever key is asked.
"""

from __future__ import annotations

import base64
import http.server
import json
import secrets
import sys
from pathlib import Path

from Crypto.PublicKey.ECC import EccPoint  # type: ignore[attr-defined]  # documented there, not re-exported by its stubs

_CURVE, _COORDINATE_BYTES = "P-521", 66
_OWN_KEY = secrets.randbits(512) | 1


class Impostor(http.server.BaseHTTPRequestHandler):
    """Answers as `tangd` does."""

    advertisement = b""

    def do_GET(self) -> None:
        """Give the advertisement."""
        self._say(self.advertisement, "application/jose+json")

    def do_POST(self) -> None:
        """Multiply whatever point is sent by a key that is not the station's."""
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        point = EccPoint(_number(sent["x"]), _number(sent["y"]), _CURVE) * _OWN_KEY
        answer = {"alg": "ECMR", "kty": "EC", "crv": _CURVE, "x": _text(int(point.x)), "y": _text(int(point.y)), "key_ops": ["deriveKey"]}
        self._say(json.dumps(answer).encode(), "application/jwk+json")

    def log_message(self, *_args: object) -> None:
        """Say nothing."""

    def _say(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def _text(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(_COORDINATE_BYTES, "big")).rstrip(b"=").decode()


def main() -> None:
    """Serve."""
    Impostor.advertisement = Path(sys.argv[1]).read_bytes()
    server = http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[2])), Impostor)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
