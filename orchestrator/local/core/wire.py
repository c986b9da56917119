"""One request for AWS as a call (service, operation, parameters), and answers in the protocol it was made in.

Services, operations and shapes are botocore's; reading requests and writing answers is moto's, writing requests and
reading answers botocore's. What is no operation that botocore knows, or speaks CBOR (moto doesn't), is no call here.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from botocore.awsrequest import HeadersDict
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.utils import parse_timestamp
from moto.core.exceptions import ServiceException
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from orchestrator.local.core.caller import OBSERVER, TERRAFORM, scope_of
from orchestrator.local.core.cloud import ACCESS_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from moto.core.model import OperationModel

ASKED = "local_cloud.asked"
"""Key of the environment: the request as it was signed, where a law asks moto something else (`AwsCall.asking`)."""
OTHERWISE_NAMED = {
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}
"""Signing name → botocore's name of the service, where they differ."""
LOAD_BALANCING = "elasticloadbalancing"
NEW_LOAD_BALANCERS = b"Version=2015-12-01"


@dataclass(frozen=True, slots=True)
class AwsCall:
    """One request, read. `service` is botocore's name, `parameters` as boto3 takes them (times are aware)."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    key: str
    region: str
    agent: str
    model: OperationModel
    protocol: str
    environ: WSGIEnvironment
    body: bytes | None
    """None: it streams (an object's data), and is not read here."""

    @property
    def name(self) -> str:
        """`ecs.DescribeServices`."""
        return f"{self.service}.{self.operation}"

    @property
    def of_observer(self) -> bool:
        """Whether a test's oracle asks, not who is tested."""
        return OBSERVER in self.agent

    @property
    def of_terraform(self) -> bool:
        """Whether Terraform's provider asks."""
        return TERRAFORM in self.agent

    def asking(self, parameters: Mapping[str, Any]) -> AwsCall:
        """The same operation with other parameters; who verifies the signature finds the first form at `ASKED`."""
        serializer = create_serializer(self.protocol, include_validation=False)
        written = serializer.serialize_to_request(dict(parameters), self.model)
        path, body = str(written["url_path"]), _body_of(written)
        query = written.get("query_string") or ""
        query = query if isinstance(query, str) else urlencode(query, doseq=True)
        path, _, fixed = path.partition("?")
        query = "&".join(part for part in (fixed, query) if part)
        environ = self.environ | {
            "PATH_INFO": unquote(path),
            "QUERY_STRING": query,
            "RAW_URI": f"{path}?{query}" if query else path,
            "REQUEST_URI": f"{path}?{query}" if query else path,
            "CONTENT_LENGTH": str(len(body)),
            ASKED: self.environ.get(ASKED) or (self.environ, self.body),
        }
        return dataclasses.replace(self, parameters=parameters, environ=environ, body=body)


def _body_of(written: Mapping[str, Any]) -> bytes:
    body = written.get("body") or b""
    if isinstance(body, Mapping):
        return urlencode(body, doseq=True).encode()
    return body.encode() if isinstance(body, str) else bytes(body)


def read(environ: WSGIEnvironment) -> AwsCall | None:
    """The call; None for what is none. The request can be read again afterwards."""
    scope = scope_of(environ)
    if not scope.service or "HTTP_SMITHY_PROTOCOL" in environ:
        return None
    streams = scope.service == "s3" and environ.get("REQUEST_METHOD") == "PUT" and _is_object(environ)
    body = None if streams else _take_body(environ)
    service = _service(scope.service, body or b"")
    if service is None:
        return None
    request = Request({**environ, "wsgi.input": BytesIO(body or b""), "CONTENT_LENGTH": str(len(body or b""))})
    try:
        model, labels = get_service_router(service).match(request)
        protocol = determine_request_protocol(model.service_model, request.content_type)
        parameters = _parameters(model, protocol, request, labels)
    except (NotFound, NotImplementedError, OperationNotFoundError, RequestParserError, KeyError, ValueError):
        return None
    return AwsCall(
        service=service,
        operation=str(model.name),
        parameters=parameters,
        key=scope.key,
        region=scope.region,
        agent=environ.get("HTTP_USER_AGENT", ""),
        model=model,
        protocol=protocol,
        environ=environ,
        body=body,
    )


def _is_object(environ: WSGIEnvironment) -> bool:
    """A PUT of an object, as far as its path tells; of its tags or its retention too, which no law looks at."""
    return "/" in str(environ.get("PATH_INFO", "")).strip("/")


def _take_body(environ: WSGIEnvironment) -> bytes:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = bytes(environ["wsgi.input"].read(length)) if length else b""
    if length:
        environ["wsgi.input"] = BytesIO(body)
    return body


def _service(signing_name: str, body: bytes) -> str | None:
    name = OTHERWISE_NAMED.get(signing_name, signing_name)
    if name == LOAD_BALANCING:
        name = "elbv2" if NEW_LOAD_BALANCERS in body else "elb"
    return name if _is_known(name) else None


@cache
def _is_known(service: str) -> bool:
    try:
        get_service_model(service)
    except UnknownServiceError:
        return False
    return True


def _parameters(model: OperationModel, protocol: str, request: Request, labels: Mapping[str, Any]) -> dict[str, Any]:
    parser = PROTOCOL_PARSERS[protocol](model, timestamp_parser=_timestamp)
    return dict(
        parser.parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.data,
                "url_path": request.path,
                "url_params": dict(labels),
            }
        )
    )


def _timestamp(text: Any) -> Any:
    return parse_timestamp(text).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Send it."""
        headers = dict(self.headers)
        if environ.get("REQUEST_METHOD") != "HEAD":
            headers = {name: value for name, value in headers.items() if name.lower() != "content-length"}
            headers["Content-Length"] = str(len(self.body))
        start_response(f"{self.status} {HTTPStatus(self.status).phrase}", list(headers.items()))
        return [self.body]


def other(call: AwsCall, service: str, operation: str, parameters: Mapping[str, Any]) -> AwsCall:
    """What a law asks for itself, as the account's root user, in the region of a call."""
    description: Any = get_service_model(service)
    model = description.operation_model(operation)
    protocol = str(description.resolved_protocol)
    written = create_serializer(protocol, include_validation=False).serialize_to_request(dict(parameters), model)
    body = _body_of(written)
    signer = description.metadata.get("signingName") or description.metadata["endpointPrefix"]
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in written["headers"].items()}
    environ = call.environ | {
        "REQUEST_METHOD": str(written["method"]),
        "PATH_INFO": unquote(str(written["url_path"])),
        "QUERY_STRING": "",
        "RAW_URI": str(written["url_path"]),
        "REQUEST_URI": str(written["url_path"]),
        "CONTENT_TYPE": headers.pop("HTTP_CONTENT_TYPE", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": _signature(signer, call.region),
        **headers,
    }
    return dataclasses.replace(
        call,
        service=service,
        operation=operation,
        parameters=parameters,
        key=ACCESS_KEY,
        model=model,
        protocol=protocol,
        environ=environ,
        body=body,
    )


def _signature(service: str, region: str) -> str:
    return f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/{region}/{service}/aws4_request, SignedHeaders=host"


def ask(application: WSGIApplication, call: AwsCall) -> HttpAnswer:
    """What the application says to the call."""
    from werkzeug.test import run_wsgi_app  # noqa: PLC0415 - with moto

    environ = call.environ if call.body is None else {**call.environ, "wsgi.input": BytesIO(call.body)}
    chunks, status, headers = run_wsgi_app(application, environ, buffered=True)
    return HttpAnswer(int(status.split()[0]), dict(headers), b"".join(chunks))


def result_of(call: AwsCall, answer: HttpAnswer) -> dict[str, Any]:
    """What boto3 would make of a good answer, without its metadata."""
    seen: Any = {
        "status_code": answer.status,
        "headers": HeadersDict(answer.headers),
        "body": answer.body,
        "context": {"operation_name": call.operation},
    }
    shape: Any = call.model.output_shape
    result = dict(create_parser(call.protocol).parse(seen, shape))
    result.pop("ResponseMetadata", None)
    return result


def answer_of(call: AwsCall, result: Mapping[str, Any], like: HttpAnswer) -> HttpAnswer:
    """A good answer with this result, with the other answer's headers."""
    written = _serializer(call).serialize(dict(result))
    body: Any = written["body"]
    headers = {**like.headers, **written["headers"]}
    return HttpAnswer(like.status, headers, body.encode() if isinstance(body, str) else body)


def refusal_of(call: AwsCall, code: str, message: str, status: int = 0) -> HttpAnswer:
    """The service's error, in the call's protocol; a status of 0 is the protocol's usual one."""
    written = _serializer(call).serialize(_RefusedCallError(code, message))
    body: Any = written["body"]
    headers = {**written["headers"], "x-amzn-RequestId": "local-cloud-law"}
    if call.protocol in {"json", "rest-json"}:
        headers["x-amzn-ErrorType"] = code
        body = json.dumps({**json.loads(body), "message": message}) if call.protocol == "json" else body
    return HttpAnswer(status or written["status_code"], headers, body.encode() if isinstance(body, str) else body)


class _RefusedCallError(ServiceException):
    """Of no moto module: its code is taken as it is, not sought in a service's model."""


def _serializer(call: AwsCall) -> Any:
    return get_serializer_class(call.service, call.protocol)(operation_model=call.model)
