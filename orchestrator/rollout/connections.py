"""A connection that failed: how, with whom, and what repairs it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from orchestrator.rollout import addressees
from orchestrator.rollout.addressees import Addressee, AddresseeKind
from orchestrator.rollout.causes import Cause, RepairedBy


class Symptom(Enum):
    """How a connection failed, in the words of operating systems and TLS libraries; the most telling first."""

    NAME = (
        r"could not translate host name|Name or service not known|[Tt]emporary failure in name resolution|nodename nor"
        r"|getaddrinfo|ENOTFOUND|EAI_AGAIN|no such host|UnknownHost|host not found in upstream|Name does not resolve"
        r"|No address associated with hostname|Failed to resolve|NameResolutionError|[Cc]ould not resolve"
        r"|issue connecting with your hostname|server misbehaving|failed to lookup address|Name has no usable address"
    )
    EXPIRED = r"certificate has expired|certificate is not yet valid|CERT_HAS_EXPIRED|CertificateExpiredException"
    MISMATCH = (
        r"(does not|doesn't) match (host|the|certificate)|ALTNAME_INVALID|[Hh]ostname mismatch|IP address mismatch"
        r"|certificate is (not )?valid for|doesn't contain any IP SANs|No subject alternative (DNS )?name"
    )
    CERTIFICATE = (
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|signed by unknown authority|[Ss]elf[- ]signed certificate"
        r"|unable to (get local issuer|verify the first) certificate|PKIX path building failed|x509: "
        r"|tlsv1 alert unknown ca"
    )
    TLS = (
        r"WRONG_VERSION_NUMBER|wrong version number|does not look like a TLS handshake|packet length too long"
        r"|record layer failure|EPROTO|UNEXPECTED_EOF_WHILE_READING|server gave HTTP response to HTTPS client"
    )
    REFUSED = (
        r"([Cc]onnection|[Cc]onnect|[Hh]ost|:\d+) (was )?refused|ConnectionRefused|ECONNREFUSED|Errno 111\b"
        r"|Connect call failed|[Rr]efused (the )?connection"
    )
    SILENT = (
        r"[Tt]imed[ -]?out|[Tt]ime out|TimeoutError|(Connect|Read)Timeout|(connect|i/o) timeout|ETIMEDOUT"
        r"|deadline exceeded|[Tt]imeout (connecting|expired|exceeded|was reached|waiting)|No route to host"
        r"|EHOSTUNREACH|ENETUNREACH|[Nn]etwork is unreachable|Can't reach database server"
        r"|Could not connect to the endpoint|[Cc]annot connect to host|Failed to establish a new connection"
        r"|Max retries exceeded|[Cc]ould(n't| not) connect to|Error connecting to Redis"
        r"|Can't connect to (MySQL )?server|NoBrokersAvailable|The connection attempt failed|tcp connect \("
        r"|([Ff]ailed|[Uu]nable) to connect\b"
    )
    CUT = (
        r"reset by peer|ECONNRESET|Connection closed by server|hang up|RemoteDisconnected|prematurely closed connection"
        r"|[Bb]roken pipe|EPIPE|read error on connection"
        r"|[Ee]rror while reading line from the server"
    )

    @property
    def words(self) -> str:
        """As a message says it."""
        return _WORDS[self.name]


_WORDS = {
    "NAME": "its name does not resolve",
    "EXPIRED": "its certificate has expired",
    "MISMATCH": "its certificate is for another name",
    "CERTIFICATE": "its certificate is not trusted",
    "TLS": "one of the two speaks TLS and the other does not",
    "REFUSED": "the connection was refused",
    "SILENT": "no answer came in time",
    "CUT": "the connection was cut off",
}

_CERTIFICATES = frozenset({Symptom.EXPIRED, Symptom.MISMATCH, Symptom.CERTIFICATE})
_HINTS = (
    (AddresseeKind.REDIS, r"[Rr]edis|\bvalkey|Error -?\d+ connecting to "),
    (AddresseeKind.VESPA, r"[Vv]espa|port=(19071|8081)\b|:19071\b"),
    (AddresseeKind.OPENSEARCH, r"[Oo]pen[Ss]earch"),
    (
        AddresseeKind.DATABASE,
        (
            r"psycopg|asyncpg|connection to server (at|on)|could not connect to server|could not translate host name"
            r"|PG::|pq: |\bpgx?\b|[Pp]ostgre|Can't reach database server|PrismaClient|ActiveRecord::"
            r"|Npgsql|Postgrex|error communicating with database"
        ),
    ),
)
"""Whose client library it is, by the words only that one uses."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    code: str
    message: str
    fix: str
    repaired_by: RepairedBy


_DATABASE = _Meaning(
    "database-unreachable",
    "the task could not connect to PostgreSQL",
    "check that the server is available and that its security group admits the tasks' group on its port",
    RepairedBy.OUTSIDE,
)
_REDIS = _Meaning(
    "redis-unreachable",
    "the task could not connect to Redis",
    'check REDIS_HOST, REDIS_PORT, REDIS_SSL = "true" and the security group of Redis',
    RepairedBy.OUTSIDE,
)
_MEANINGS: Mapping[tuple[AddresseeKind, Symptom | None], _Meaning] = {
    (AddresseeKind.DATABASE, Symptom.NAME): _Meaning(
        "database-host-unknown",
        "the database's host name does not resolve",
        "check POSTGRES_HOST against the database's `address`",
        RepairedBy.TASK_DEFINITION,
    ),
    (AddresseeKind.DATABASE, Symptom.MISMATCH): _Meaning(
        "database-certificate-mismatch",
        "the database server's certificate is for another name than the task uses",
        "POSTGRES_HOST must be RDS's own endpoint, not an alias or an address (or sslmode=verify-ca, which checks no "
        "name)",
        RepairedBy.TASK_DEFINITION,
    ),
    (AddresseeKind.DATABASE, Symptom.CERTIFICATE): _Meaning(
        "database-certificate-untrusted",
        "the task does not trust the database server's certificate",
        "put AWS's current CA bundle (global-bundle.pem) into the image, and use RDS's own endpoint as POSTGRES_HOST",
        RepairedBy.TASK_DEFINITION,
    ),
    (AddresseeKind.DATABASE, Symptom.TLS): _Meaning(
        "database-tls-mismatch",
        "the task and PostgreSQL do not agree on TLS",
        "POSTGRES_PORT must be PostgreSQL's own (a proxy in between?), and both must speak TLS 1.2 or later",
        RepairedBy.TASK_DEFINITION,
    ),
    (AddresseeKind.DATABASE, None): _DATABASE,
    (AddresseeKind.REDIS, Symptom.NAME): _Meaning(
        "redis-unreachable",
        "Redis's host name does not resolve",
        "check REDIS_HOST against the primary endpoint of the replication group",
        RepairedBy.TASK_DEFINITION,
    ),
    (AddresseeKind.REDIS, Symptom.MISMATCH): _Meaning(
        "redis-certificate-mismatch",
        "Redis's certificate is for another name than the task uses",
        "REDIS_HOST must be the group's own endpoint (master.…), not an alias or an address",
        RepairedBy.TASK_DEFINITION,
    ),
    (AddresseeKind.REDIS, Symptom.CERTIFICATE): _Meaning(
        "redis-certificate-untrusted",
        "the task does not trust Redis's certificate",
        "REDIS_SSL_CA_CERTS: the system's bundle (ElastiCache's certificates are Amazon Trust Services'); "
        "REDIS_HOST: the group's own endpoint, not an alias",
        RepairedBy.TASK_DEFINITION,
    ),
    (AddresseeKind.REDIS, Symptom.TLS): _Meaning(
        "redis-tls-mismatch",
        "the TLS settings of Redis and of the task disagree",
        'set REDIS_SSL = "true" for a group with transit encryption, "false" for one without',
        RepairedBy.TASK_DEFINITION,
    ),
    (AddresseeKind.REDIS, None): _REDIS,
    (AddresseeKind.VESPA, None): _Meaning(
        "vespa-unreachable",
        "the task could not reach Vespa's config server",
        "check that the container runs on the Vespa instance and that 8081 and 19071 are open to the tasks",
        RepairedBy.OUTSIDE,
    ),
    (AddresseeKind.OPENSEARCH, None): _Meaning(
        "opensearch-unreachable",
        "the task could not reach OpenSearch",
        "check OPENSEARCH_HOST and its port, OPENSEARCH_USE_SSL, and OpenSearch's security group",
        RepairedBy.OUTSIDE,
    ),
    (AddresseeKind.MODELS, None): _Meaning(
        "model-server-unreachable",
        "the task could not reach the model server",
        "check that its service runs and lets the tasks in; if there is no model server: DISABLE_MODEL_SERVER = true",
        RepairedBy.OUTSIDE,
    ),
    (AddresseeKind.FILES, None): _Meaning(
        "aws-unreachable",
        "the task could not reach S3",
        "give its subnets a route to S3 (NAT gateway or gateway endpoint), and allow 443 in its security group's "
        "egress",
        RepairedBy.OUTSIDE,
    ),
    (AddresseeKind.AWS, None): _Meaning(
        "aws-unreachable",
        "the task could not reach an AWS API",
        "give its subnets a route to that service (NAT gateway or VPC endpoint), and allow 443 in its security "
        "group's egress",
        RepairedBy.OUTSIDE,
    ),
    (AddresseeKind.OTHER, Symptom.NAME): _Meaning(
        "host-unknown",
        "the task uses a host name that does not resolve",
        "correct the name where it is set; in awsvpc, container names don't resolve (use 127.0.0.1)",
        RepairedBy.TASK_DEFINITION,
    ),
    (AddresseeKind.OTHER, Symptom.CERTIFICATE): _Meaning(
        "certificate-untrusted",
        "the task does not trust the certificate of a server",
        "add the CA of that server (or of the proxy in between) to the image's bundle: SSL_CERT_FILE, "
        "REQUESTS_CA_BUNDLE, NODE_EXTRA_CA_CERTS",
        RepairedBy.TASK_DEFINITION,
    ),
    (AddresseeKind.OTHER, Symptom.EXPIRED): _Meaning(
        "certificate-expired",
        "the certificate of a server that the task uses has expired",
        "renew it on that server (of a proxy in between: there); another CA bundle in the task does not help",
        RepairedBy.OUTSIDE,
    ),
    (AddresseeKind.OTHER, Symptom.MISMATCH): _Meaning(
        "certificate-mismatch",
        "the certificate of a server is for another name than the task uses",
        "let the task use the name that is in the certificate, or add this name to it; a CA bundle does not help",
        RepairedBy.TASK_DEFINITION,
    ),
    (AddresseeKind.OTHER, Symptom.TLS): _Meaning(
        "tls-mismatch",
        "the task and a server do not agree on TLS",
        "check http:// or https:// where its address is set, and its port",
        RepairedBy.TASK_DEFINITION,
    ),
    (AddresseeKind.OTHER, None): _Meaning(
        "host-unreachable",
        "the task could not connect to a server",
        "check that the server runs, and that its firewall and the network in between let the tasks in",
        RepairedBy.OUTSIDE,
    ),
}
_MISSING_HOSTS = {
    5432: ("database-host-missing", "POSTGRES_HOST (PGHOST, DATABASE_URL)", "PostgreSQL"),
    6379: ("redis-host-missing", "REDIS_HOST (or the URL of the broker)", "Redis"),
    9200: ("opensearch-host-missing", "OPENSEARCH_HOST", "OpenSearch"),
    19071: ("vespa-host-missing", "VESPA_HOST", "Vespa"),
    8081: ("vespa-host-missing", "VESPA_HOST", "Vespa"),
    5672: ("broker-host-missing", "the URL of the broker (CELERY_BROKER_URL)", "the message broker"),
}
"""Where a client asks when nobody told it where: at its own address."""


def symptom_of(line: str) -> Symptom | None:
    """How a connection failed; None: the line tells of none that failed."""
    return next((one for one in Symptom if re.search(one.value, line)), None)


def cause(line: str, environment: Mapping[str, str]) -> Cause | None:
    """What a line about a failed connection means; None: it is about none, or names nobody."""
    symptom, who = symptom_of(line), addressees.named(line, environment)
    if symptom is None:
        return None
    if who is not None and who.kind is AddresseeKind.ITSELF:
        return _of_itself(who, symptom)
    kind = who.kind if who and who.kind is not AddresseeKind.OTHER else _hinted(line, who)
    if kind is None:
        return None
    meaning = (
        _MEANINGS.get((kind, symptom)) or _MEANINGS[kind, None if kind is not AddresseeKind.OTHER else _plain(symptom)]
    )
    if symptom in _CERTIFICATES and meaning.code.endswith("-unreachable"):
        meaning = _MEANINGS[AddresseeKind.OTHER, symptom]
    return Cause(meaning.code, _told(meaning.message, who, symptom, environment), meaning.fix, meaning.repaired_by)


def _plain(symptom: Symptom) -> Symptom | None:
    return symptom if (AddresseeKind.OTHER, symptom) in _MEANINGS else None


def _hinted(line: str, who: Addressee | None) -> AddresseeKind | None:
    """By the words of the library; somebody whom a variable of another kind holds stays who he is."""
    if who is not None and who.variable:
        return who.kind
    hinted = next((kind for kind, pattern in _HINTS if re.search(pattern, line)), None)
    return hinted or (who.kind if who else None)


def _told(message: str, who: Addressee | None, symptom: Symptom, environment: Mapping[str, str]) -> str:
    if who is None:
        return message
    said = f"{message}: {who}, {symptom.words}"
    own = next((one for one in addressees.known(environment) if one.kind is who.kind), None)
    if who.variable or not environment:
        return said
    theirs = f" ({own.variable} is {own.host})" if own and who.kind is not AddresseeKind.OTHER else ""
    return f"{said}; no plain variable of the task definition holds that address{theirs}"


def _of_itself(who: Addressee, symptom: Symptom) -> Cause:
    code, variable, what = _MISSING_HOSTS.get(who.port or 0, ("", "", ""))
    if code and not who.variable:
        return Cause(
            code,
            f"the task looks for {what} at its own address ({who}): its environment doesn't say where {what} is",
            f"set {variable} in the container's environment in the task definition",
            RepairedBy.TASK_DEFINITION,
        )
    return Cause(
        "neighbour-not-ready",
        f"another container of the task does not answer at {who}: {symptom.words}",
        "look at that container's own log first; use dependsOn (condition HEALTHY) if it only starts later",
        RepairedBy.OUTSIDE,
    )
