"""Servers of any kind that refuse the task's login, and proxies in between."""

from __future__ import annotations

from orchestrator.rollout.causes import RepairedBy
from orchestrator.rollout.log_rules.rule import LogRule

RULES = (
    LogRule(
        r"ProxyError|Unable to connect to proxy|[Tt]unnel connection failed|Proxy CONNECT aborted|ProxyConnect\w*Error"
        r"|tunneling socket could not be established|proxyconnect tcp|407 Proxy Authentication",
        "proxy-unreachable",
        "the task's way out leads through a proxy, and the proxy did not let it through",
        "check HTTP_PROXY and HTTPS_PROXY (host, port, login); what is reached directly belongs in NO_PROXY (AWS's "
        "endpoints, 169.254.170.2, the stack's own servers)",
        RepairedBy.OUTSIDE,
        tells=True,
    ),
    LogRule(
        r"ACCESS_REFUSED|AccessRefused\(403|MongoServerError: (bad auth|Authentication failed)"
        r"|pymongo.*Authentication failed|Access denied for user '|SaslAuthentication"
        r"|SASL authentication (error|failed)|SMTPAuthenticationError|535[ ,-].*[Aa]uthentication"
        r"|LDAP.*(error code 49|Invalid credentials)|invalidCredentials",
        "login-refused",
        "a server refused the task's user or password",
        "correct the user and password for that server where the task definition has them",
        RepairedBy.OUTSIDE,
        tells=True,
    ),
)
