"""The program that runs on the runner instance, sent there over SSM by `database.ssm`. Only Python 3.9's own library.

It reads a request (base64 of gzipped JSON, in its first argument: names and secret ARNs, nothing secret), fetches the
passwords from Secrets Manager or SSM's parameters itself, talks to PostgreSQL with psql over its standard input, and
prints one JSON object. No password is ever in an argument, in a file, or in what it prints; nor is a URL that a dump
goes to or comes from, which is lent as a password is.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Sequence, Tuple, Union  # noqa: UP035 - Python 3.9 evaluates the aliases below

LONGEST_ANSWER = 20_000
"""Characters; SSM keeps the first 24,000 of the output, so longer answers are packed."""
SERVER_ERROR = 500
"""From here on HTTP statuses are S3's own trouble, which passes."""
LARGEST_DUMP = 5 * 1024**3
"""Bytes that S3 takes in one PUT."""
RDS_AUTHORITIES = "/etc/pki/rds/global-bundle.pem"
"""Where terraform/'s user_data puts AWS's bundle: for regions whose authorities the request does not bring along."""
COLONS = 6
"""In a secret's ARN; with more, a version follows, which a batch can't be asked for."""
NOTHING = "None\n"
"""The CLI's word for what is not in an answer."""
LENT, LOOKS = "/orchestrate/", 5
"""Names of lent passwords begin so: SSM may show them late, but not as long as the CLI takes to start five times."""
Request = Dict[str, Any]  # noqa: UP006


class Failed(Exception):
    """A code and a message for the operator."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.told = {"code": code, "message": message}


UNREACHED = "endpoint URL"
"""Words of the aws CLI when it gets no answer at all: no way out, no VPC endpoint, a closed security group."""
Password = Union[str, Failed]  # noqa: UP007
Reference = Tuple[str, str]  # noqa: UP006
"""The ARN of a secret, or the ARN or name of a parameter; and the key of its JSON object (empty: the whole value)."""


def command(argv: Sequence[str], secrets: Sequence[str] = (), **kwargs: Any) -> Tuple[int, str, str]:  # noqa: UP006
    """Run a program; give its output, or raise Failed with the end of its errors, secrets removed."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, **kwargs)
    except FileNotFoundError:
        if still_booting():
            raise Failed("runner-booting", f"{argv[0]} is not installed yet: user_data is still running") from None
        raise Failed("tool-missing", f"{argv[0]} is not installed on the runner") from None
    errors = done.stderr.strip()
    for secret in secrets:
        errors = errors.replace(secret, "***")
    return done.returncode, done.stdout, errors[-600:]


def still_booting() -> bool:
    """Whether cloud-init is at work: the SSM agent answers before user_data has installed everything."""
    try:
        said = subprocess.run(["cloud-init", "status"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return False
    return "running" in said.stdout or "not started" in said.stdout


def password_in(value: Password, key: str) -> Password:
    """The password in a secret's value."""
    if isinstance(value, Failed) or not key:
        return value
    try:
        return str(json.loads(value)[key])
    except (ValueError, KeyError, TypeError):
        return Failed("secret-malformed", f"the secret is not a JSON object with a {key}")


def aws(*argv: str) -> Tuple[int, str, str]:  # noqa: UP006
    """The aws CLI. Without a way to AWS it ends within half a minute, not after its own five."""
    return command(["aws", *argv, "--cli-connect-timeout", "10"], env=dict(os.environ, AWS_MAX_ATTEMPTS="3"))


def one_secret(arn: str, region: str) -> Password:
    """A secret by itself, in whatever form `valueFrom` names it: where it can't be read, AWS says why."""
    parts = arn.split(":") + [""] * 10
    argv = ["secretsmanager", "get-secret-value", "--region", region]
    argv += ["--secret-id", ":".join(parts[:7]).rstrip(":")]
    argv += ["--version-stage", parts[8]] if parts[8] else []
    argv += ["--version-id", parts[9]] if parts[9] else []
    status, output, errors = aws(*argv, "--query", "SecretString", "--output", "text")
    if not status and output == NOTHING:
        status, output, errors = aws(*argv, "--query", "SecretBinary", "--output", "text")
        if not status and output != NOTHING:
            return text_in({"SecretBinary": output})
    return Failed("secret-unreadable", errors) if status else output[:-1]  # the line feed is the CLI's


def text_in(answer: Dict[str, Any]) -> Password:  # noqa: UP006
    """A secret's text; its bytes, where they are text."""
    if answer.get("SecretString") is not None:
        return str(answer["SecretString"])
    try:
        return base64.b64decode(answer.get("SecretBinary", "")).decode()
    except ValueError:
        return Failed("secret-not-text", "the secret holds bytes that are not text: store it as a string")


def some_secrets(arns: Sequence[str], region: str) -> Dict[str, Password]:  # noqa: UP006
    """Up to 20 secrets in one call; those it doesn't give (or all, where it isn't allowed or known) one by one."""
    argv = ["secretsmanager", "batch-get-secret-value", "--region", region, "--output", "json"]
    current = [arn for arn in arns if arn.count(":") == COLONS]
    status, output, errors = aws(*argv, "--secret-id-list", *current) if current else (1, "", "")
    found = {} if status else {it["ARN"]: text_in(it) for it in json.loads(output)["SecretValues"]}
    for arn in arns:
        if arn not in found:
            found[arn] = Failed("secret-unreadable", errors) if UNREACHED in errors else one_secret(arn, region)
            errors = getattr(found[arn], "message", "")
    return found


def some_parameters(names: Sequence[str], region: str, looks: int = LOOKS) -> Dict[str, Password]:  # noqa: UP006
    """Up to 10 parameters of SSM, by their names or ARNs, in one call; by themselves where one of them is refused."""
    argv = ["ssm", "get-parameters", "--region", region, "--with-decryption", "--output", "json"]
    status, output, errors = aws(*argv, "--names", *names)
    if status and len(names) > 1 and UNREACHED not in errors:
        return {name: some_parameters([name], region)[name] for name in names}
    if status:
        return {name: Failed("secret-unreadable", errors) for name in names}
    found: Dict[str, Password] = {}  # noqa: UP006
    for it in json.loads(output)["Parameters"]:
        found[it["Name"]] = found[it["ARN"]] = it["Value"]
    if looks > 1 and any(name.startswith(LENT) and name not in found for name in names):
        return some_parameters(names, region, looks - 1)
    gone = Failed("parameter-missing", "ParameterNotFound: the parameter is not there")
    return {name: found.get(name, gone) for name in names}


def passwords(request: Request) -> Dict[Reference, Password]:  # noqa: UP006
    """Every password the request needs, or the Failed that says why there is none."""
    wanted = {reference(it) for it in request["tenants"] if it["secret"]}
    wanted |= {reference(it, "url_") for it in request["tenants"] if it.get("url_secret")}
    if request["mode"] in ("observe", "ensure", "load"):
        wanted.add(reference(request, "admin_"))
    secrets = sorted({arn for arn, _ in wanted if ":secretsmanager:" in arn})
    parameters = sorted({arn for arn, _ in wanted} - set(secrets))
    batches: List[Tuple[Any, Sequence[str]]] = []  # noqa: UP006
    batches += [(some_secrets, secrets[start : start + 20]) for start in range(0, len(secrets), 20)]
    batches += [(some_parameters, parameters[start : start + 10]) for start in range(0, len(parameters), 10)]
    with ThreadPoolExecutor(4) as pool:
        known = pool.map(lambda batch: batch[0](batch[1], request["region"]), batches)
    values = {arn: value for some in known for arn, value in some.items()}
    return {(arn, key): password_in(values[arn], key) for arn, key in wanted}


def reference(holder: Request, prefix: str = "") -> Reference:
    """Where the password of the admin or of a tenant is."""
    return holder[prefix + "secret"], holder.get(prefix + "key", "password")


def psql(
    request: Request, *, database: str, user: str, password: str, sql: str, secrets: Sequence[str] = (), **more: str
) -> Tuple[int, str, str]:  # noqa: UP006
    """One psql session, SQL on its standard input. A database's name in an argument could be a connection string."""
    argv = ["psql", "-X", "-q", "-A", "-t", "-w", "-h", request["host"], "-p", str(request["port"])]
    argv += ["-U", user, "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-v", "SHOW_CONTEXT=never"]
    environment = dict(libpq(password), PGDATABASE=database, **more)
    return command([*argv, "-f", "-"], (password, *secrets), input=sql, env=environment)


def libpq(password: str) -> Dict[str, str]:  # noqa: UP006
    """The environment of a PostgreSQL client."""
    checked = {"PGSSLMODE": "verify-full", "PGREQUIREAUTH": "scram-sha-256"}
    return dict(os.environ, PGPASSWORD=password, PGCONNECT_TIMEOUT="10", PGAPPNAME="orchestrate", **checked)


@contextmanager
def authorities(request: Request) -> Iterator[None]:
    """Who may sign the certificate: whom somebody named, else the instance's environment, else who came along."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        print(request.get("authorities", ""), file=file, flush=True)
        if request.get("authorities_named") or (request.get("authorities") and "PGSSLROOTCERT" not in os.environ):
            os.environ["PGSSLROOTCERT"] = file.name
        os.environ.setdefault("PGSSLROOTCERT", RDS_AUTHORITIES)
        yield


def verifier(password: str, salt: bytes) -> str:
    """PostgreSQL's stored form of a password (RFC 5803), so that the server never sees it in clear.

    Passwords are taken as UTF-8; generated ones are ASCII, for which SASLprep changes nothing.
    """
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 4096)
    stored = hashlib.sha256(hmac.new(salted, b"Client Key", hashlib.sha256).digest()).digest()
    server = hmac.new(salted, b"Server Key", hashlib.sha256).digest()
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return "SCRAM-SHA-256$4096:{}${}:{}".format(*encoded)


def as_admin(request: Request, password: Password, sql: str, secrets: Sequence[str] = ()) -> str:
    """Run SQL as the admin user; give the output, or raise Failed."""
    if isinstance(password, Failed):
        raise password
    who = {"user": request["admin"], "password": password}
    status, output, errors = psql(request, database="postgres", sql=sql, secrets=secrets, **who)
    if status:
        raise Failed("sql-failed", errors)
    return output


def as_tenant(errors: str) -> Failed:
    """What went wrong in a session of a tenant's role, whose password is not the admin's."""
    return Failed("tenant-login-refused" if "password authentication failed" in errors else "sql-failed", errors)


def observe(request: Request) -> Request:
    """The catalogue; whether each tenant's role can sign in to its database; what is there, and in those of nobody."""
    known = passwords(request)
    admin = known[reference(request, "admin_")]
    seen = json.loads(as_admin(request, admin, request["observation"]))
    given = {it["name"]: known[reference(it)] for it in request["tenants"] if it["secret"]}
    broken = {name: f"{it.code}: {it.message}" for name, it in given.items() if isinstance(it, Failed)}
    there = [it for it in request["tenants"] if it["name"] in given.keys() - broken.keys()]
    there = [it for it in there if it["database"] in seen["databases"] and it["role"] in seen["roles"]]

    def entered(it: Request) -> Tuple[Request, Tuple[str, Any]]:  # noqa: UP006
        return it, look(request, request["look"], it["database"], it["role"], given[it["name"]])

    def found(name: str) -> Tuple[str, Any]:  # noqa: UP006
        return name, look(request, request["look"], name, request["admin"], admin, PGOPTIONS=request["options"])[1]

    with ThreadPoolExecutor(4) as pool:
        looked = list(pool.map(entered, there))
        holds = dict(pool.map(found, sorted(set(seen["databases"]) - set(request["known"]))))
    logins = {it["name"]: said for it, (said, _) in looked}
    holds.update({it["database"]: held for it, (_, held) in looked})
    return dict(seen, logins=logins, secrets=broken, holds=holds)


def look(request: Request, sql: str, database: str, user: str, password: Any, **more: str) -> Tuple[str, Any]:  # noqa: UP006
    """Say "ok" or why the role can't sign in; and what is in the database, where it can."""
    status, output, errors = psql(request, database=database, user=user, password=password, sql=sql, **more)
    return (errors, None) if status else ("ok", json.loads(output))


def ensure(request: Request) -> Request:
    """Run each tenant's generated statements in a session of their own; why those were refused that were.

    `@verifier@` stands where the verifier of the tenant's password goes.
    """
    known, refused = passwords(request), {}
    for tenant in request["tenants"]:
        sql, password, secrets = request["statements"][tenant["name"]], known.get(reference(tenant), ""), []
        try:
            if "@verifier@" in sql:
                if isinstance(password, Failed):
                    raise password
                secrets = [password, verifier(password, os.urandom(16))]
                sql = sql.replace("@verifier@", secrets[1])
            as_admin(request, known[reference(request, "admin_")], sql, secrets)
        except Failed as error:
            refused[tenant["name"]] = error.told
    return {"refused": refused}


def read(request: Request) -> Request:
    """Run the generated read-only statements in each tenant's database, as its role; the lines that came."""
    known = passwords(request)

    def lines(tenant: Request) -> Tuple[str, List[str]]:  # noqa: UP006
        password = known[reference(tenant)]
        if isinstance(password, Failed):
            raise password
        who = {"database": tenant["database"], "user": tenant["role"], "password": password}
        status, output, errors = psql(request, sql=request["sql"], **who)
        if status:
            raise as_tenant("{}: {}".format(tenant["name"], errors))
        return tenant["name"], [line for line in output.splitlines() if line.strip()]

    with ThreadPoolExecutor(4) as pool:
        return {"lines": dict(pool.map(lines, request["tenants"]))}


def client(program: str, request: Request, tenant: Request, database: str, *arguments: str) -> None:
    """pg_dump or pg_restore, as the tenant's role. Raises Failed."""
    password = passwords(request)[reference(tenant)]
    if isinstance(password, Failed):
        raise password
    argv = [program, "-w", "-h", request["host"], "-p", str(request["port"]), "-U", tenant["role"], "-d", database]
    status, _, errors = command([*argv, *arguments], (password,), env=libpq(password))
    if status:
        raise as_tenant("{}: {}: {}".format(tenant["name"], program, errors))


def moved(url: Password, file: str, *, there: bool) -> None:
    """Put the file at the URL, or fetch it from there. The URL is a secret: it is in no message."""
    if isinstance(url, Failed):
        raise url
    headers = {}
    if there:
        headers = {"Content-Length": str(os.path.getsize(file)), "Content-Type": "application/octet-stream"}  # noqa: PTH202
    try:
        with open(file, "rb" if there else "wb") as held:  # noqa: PTH123
            wanted = urllib.request.Request(url, held if there else None, headers, method="PUT" if there else "GET")  # noqa: S310
            with urllib.request.urlopen(wanted, timeout=300) as answer:  # noqa: S310
                if not there:
                    shutil.copyfileobj(answer, held, 1024 * 1024)
    except urllib.error.HTTPError as error:
        code = "dump-not-moved" if error.code < SERVER_ERROR else "dump-interrupted"
        raise Failed(code, f"S3 answered {error.code} {error.reason}") from None
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        raise Failed("dump-interrupted", "no connection to S3, or it was lost") from None
    except OSError as error:
        raise Failed("dump-not-moved", error.strerror or "the file was not written") from None


def digest_of(file: str) -> str:
    """SHA-256 of its bytes."""
    found = hashlib.sha256()
    with open(file, "rb") as held:  # noqa: PTH123
        for piece in iter(lambda: held.read(1024 * 1024), b""):
            found.update(piece)
    return found.hexdigest()


def dump(request: Request) -> Request:
    """The one tenant's database, by pg_dump, put where its URL says."""
    (tenant,) = request["tenants"]
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        file = os.path.join(folder, "dump")  # noqa: PTH118
        client("pg_dump", request, tenant, tenant["database"], "-Fc", "-f", file)
        size = os.path.getsize(file)  # noqa: PTH202
        if size > LARGEST_DUMP:
            raise Failed(
                "dump-too-large",
                f"the dump of {tenant['database']} has {size} bytes; S3 accepts at most 5 GB in one upload",
            )
        moved(passwords(request)[reference(tenant, "url_")], file, there=True)
        return {"bytes": size, "sha256": digest_of(file)}


def load(request: Request) -> Request:
    """The one tenant's dump, from where its URL says, into an empty database that takes the old one's place."""
    (tenant,) = request["tenants"]
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        file = os.path.join(folder, "dump")  # noqa: PTH118
        known = passwords(request)
        moved(known[reference(tenant, "url_")], file, there=False)
        if digest_of(file) != request["sha256"]:
            raise Failed("dump-damaged", f"the dump of {tenant['database']} is not what the manifest says")
        admin = known[reference(request, "admin_")]
        as_admin(request, admin, request["before"])
        client("pg_restore", request, tenant, request["into"], "--no-owner", "--single-transaction", file)
        as_admin(request, admin, request["after"])
    return {"loaded": tenant["name"]}


def main() -> None:
    """Print the answer as one JSON line; errors too, so that the caller decides by code and not by text."""
    request = json.loads(gzip.decompress(base64.b64decode(sys.argv[1])))
    try:
        modes = {"observe": observe, "ensure": ensure, "read": read, "dump": dump, "load": load}
        with authorities(request):
            answer = modes[request["mode"]](request)
    except Failed as error:
        answer = {"error": error.told}
    text = json.dumps(answer)
    if len(text) > LONGEST_ANSWER:
        text = base64.b64encode(gzip.compress(text.encode())).decode()
    print(text)  # noqa: T201 - its standard output is the answer


if __name__ == "__main__":
    main()
