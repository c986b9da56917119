"""A real DNS server on 127.0.0.1, UDP and TCP on the same port: what the world would see of this cloud.

It serves moto's public Route 53 zones (as of the last change that is INSYNC, see `changes`), the zones of `cloud.zones`
(the Porkbun double's; where both hold the same zone, Route 53 wins, as if the registrar's name servers pointed there),
and AWS's own names (`cloud.addresses`) below `AWS_ZONES`. What is not in there is NXDOMAIN, other zones are REFUSED.
Private hosted zones are not served. Faults: `dns-servfail`, `dns-silent`, `dns-truncated`, `dns-stale`.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Callable
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.rcode

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.dns import route53
from orchestrator.local.dns.authority import PAYLOAD, answer
from orchestrator.local.dns.registrar import Registrar
from orchestrator.local.dns.zone import Zone, ZoneBook, ZoneEntry

AWS_ZONES = ("amazonaws.com", "compute.internal", "ec2.internal")
ADDRESS_TTL = 60
IDLE_SECONDS = 10.0
"""A TCP client that says nothing for so long is dropped."""

Respond = Callable[[bytes, bool], bytes | None]


def start(cloud: Cloud) -> Callable[[], None]:
    """Listen, and say where in `cloud.resolver`. Returns what stops it."""
    cloud.shared(ZoneBook).add(functools.partial(route53.zones, cloud), first=True)
    cloud.shared(ZoneBook).add(cloud.shared(Registrar).zones)
    cloud.shared(ZoneBook).add(functools.partial(aws_zones, cloud))
    tcp, udp = _listen(functools.partial(respond, cloud), cloud.log)
    cloud.resolver = f"127.0.0.1:{udp.server_address[1]}"
    threads = [threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True) for server in (tcp, udp)]
    for thread in threads:
        thread.start()

    def stop() -> None:
        for server in (tcp, udp):
            server.shutdown()
            server.server_close()
        cloud.resolver = ""

    return stop


def aws_zones(cloud: Cloud) -> list[Zone]:
    """AWS's own zones with the names that exist now."""
    entries = [ZoneEntry(name, "A", ADDRESS_TTL, address.ip) for name, address in cloud.addresses.all().items()]
    return [Zone(zone, tuple(entry for entry in entries if entry.name.endswith("." + zone))) for zone in AWS_ZONES]


def respond(cloud: Cloud, wire: bytes, datagram: bool) -> bytes | None:
    """The answer to one message, cut to what the client takes by UDP. None: not a query, nothing to say."""
    try:
        query = dns.message.from_wire(wire)
    except dns.exception.DNSException:
        return _form_error(wire)
    if query.flags & dns.flags.QR or (datagram and cloud.faults.active("dns-silent")):
        return None
    spoilt = _spoilt(cloud, query, datagram)
    if spoilt is not None:
        return spoilt.to_wire()
    try:
        response = answer(query, cloud.shared(ZoneBook).seen())
    except (
        dns.exception.DNSException
    ) as error:  # a record's value that is no valid DNS: the host took it, we can't serve
        cloud.log(f"dns: {query.question[0].to_text()}: {error}")
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.SERVFAIL)
    limit = min(max(query.payload, 512), PAYLOAD) if datagram else 65535
    return response.to_wire(max_size=limit, prefer_truncation=True)


def _spoilt(cloud: Cloud, query: dns.message.Message, datagram: bool) -> dns.message.Message | None:
    """What a fault makes of the answer; None: no fault concerns it."""
    response = dns.message.make_response(query)
    if cloud.faults.active("dns-servfail"):
        response.set_rcode(dns.rcode.SERVFAIL)
    elif datagram and cloud.faults.active("dns-truncated"):
        response.flags |= dns.flags.TC
    else:
        return None
    return response


def _form_error(wire: bytes) -> bytes | None:
    if len(wire) < 12:
        return None
    identifier, flags = struct.unpack("!HH", wire[:4])
    if flags & dns.flags.QR:
        return None
    return struct.pack("!6H", identifier, dns.flags.QR | dns.rcode.FORMERR, 0, 0, 0, 0)


class _Datagram(socketserver.BaseRequestHandler):
    server: _UdpServer

    def handle(self) -> None:
        wire, channel = self.request
        reply = self.server.respond(wire, True)
        if reply is not None:
            with contextlib.suppress(OSError):  # the client is gone
                channel.sendto(reply, self.client_address)


class _Stream(socketserver.StreamRequestHandler):
    server: _TcpServer
    timeout = IDLE_SECONDS

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # silence or a reset: either way the client is done
            while len(head := self.rfile.read(2)) == 2:
                wire = self.rfile.read(int.from_bytes(head, "big"))
                reply = self.server.respond(wire, False)
                if reply is None:
                    return
                self.wfile.write(len(reply).to_bytes(2, "big") + reply)


class _Logged(socketserver.BaseServer):
    """What no handler expected goes to the cloud's log; the client hears nothing and tries again."""

    log: Callable[[str], None]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's signature
        self.log(f"dns: {client_address}: {sys.exception()!r}")


class _UdpServer(_Logged, socketserver.ThreadingUDPServer):
    daemon_threads = True
    max_packet_size = 65535

    def __init__(self, port: int, respond_: Respond, log: Callable[[str], None]) -> None:
        self.respond, self.log = respond_, log
        super().__init__(("127.0.0.1", port), _Datagram)


class _TcpServer(_Logged, socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, respond_: Respond, log: Callable[[str], None]) -> None:
        self.respond, self.log = respond_, log
        super().__init__(("127.0.0.1", 0), _Stream)

    def get_request(self) -> tuple[socket.socket, Any]:
        channel, address = super().get_request()
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return channel, address


def _listen(respond_: Respond, log: Callable[[str], None]) -> tuple[_TcpServer, _UdpServer]:
    """Both protocols on one free port."""
    for _attempt in range(20):
        tcp = _TcpServer(respond_, log)
        try:
            return tcp, _UdpServer(tcp.server_address[1], respond_, log)
        except OSError as error:
            tcp.server_close()
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, "no port is free for both UDP and TCP")
