"""What visitors of a cloud meet where that can't be the world's: a name server, and an HTTPS server behind its names.

Load balancers of ministack listen nowhere: one HTTPS server answers for all of them as Onyx does.
"""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import trustme

HEALTHY = json.dumps({"success": True, "message": "ok", "data": None}).encode()
LOAD_BALANCERS = ".elb.amazonaws.com."
TTL = 1

Look = Callable[[str], str | None]
"""Name with a trailing dot → what its CNAME or alias leads to."""
Addresses = Callable[[str], Sequence[str]]
"""Name of a load balancer, with a trailing dot → its addresses (IPv4)."""


def records(route53: Any) -> Look:
    """Looks into Route 53 at each question."""

    def look(name: str) -> str | None:
        for zone in route53.get_paginator("list_hosted_zones").paginate().search("HostedZones[]"):
            pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone["Id"])
            for one in pages.search("ResourceRecordSets[]"):
                if one["Name"].lower() == name and one["Type"] in ("CNAME", "A"):
                    target = one.get("AliasTarget", {}).get("DNSName") or one["ResourceRecords"][0]["Value"]
                    return f"{target.lower().rstrip('.')}."
        return None

    return look


def here(_name: str) -> Sequence[str]:
    """Every load balancer is on this machine."""
    return ("127.0.0.1",)


def answer(query: dns.message.Message, look: Look, addresses: Addresses) -> dns.message.Message:
    """The CNAME and the addresses behind it; nothing else is known, and what isn't there is NXDOMAIN."""
    response = dns.message.make_response(query)
    response.flags |= dns.flags.AA
    question = query.question[0]
    name = question.name.to_text().lower()
    target = name if name.endswith(LOAD_BALANCERS) else look(name)
    if target is None:
        response.set_rcode(dns.rcode.NXDOMAIN)
        return response
    if target != name:
        response.answer.append(dns.rrset.from_text(question.name, TTL, "IN", "CNAME", target))
    if question.rdtype == dns.rdatatype.A and (found := addresses(target)):
        response.answer.append(dns.rrset.from_text(target, TTL, "IN", "A", *found))
    return response


@contextmanager
def name_server(look: Look, addresses: Addresses = here) -> Iterator[str]:
    """`127.0.0.1:PORT`, by UDP."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, socket = self.request
            socket.sendto(answer(dns.message.from_wire(wire), look, addresses).to_wire(), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server, _served(server):
        yield f"127.0.0.1:{server.server_address[1]}"


@contextmanager
def site(ca: trustme.CA, hostnames: Sequence[str]) -> Iterator[int]:
    """The port of an HTTPS server for these names, with a certificate of `ca`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(HEALTHY)))
            self.end_headers()
            self.wfile.write(HEALTHY)

        def log_request(self, *_: object) -> None:
            """Nobody reads it."""

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(*hostnames).configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with _served(server):
            yield server.server_port


@contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
