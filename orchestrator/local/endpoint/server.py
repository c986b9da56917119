"""The AWS endpoint: moto's own WSGI application, on 127.0.0.1 only, behind the control API and the Porkbun double.

moto must be imported only after `configure()`: it reads its settings at import.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import threading
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import cache
from typing import TYPE_CHECKING

import botocore.session

from orchestrator.local.core.caller import scope_of
from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.throttle import Throttle, refusal
from orchestrator.local.endpoint import control

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    Application = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]


NOT_FOR_THREADS = ("ec2", "iam")
"""moto replaces whole lists there (a group's rules, a role's policies): of two changes at once, one would be lost."""


def configure() -> None:
    """Give moto its settings, and none of the caller's AWS settings: the cloud talks to nobody.

    Whose a call is, its access key tells; one that no account has made is of moto's own account, `cloud.ACCOUNT`.
    """
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    # Moto has a session for each question about regions, and each would decode all that EC2 can do.
    botocore.session.create_loader = cache(botocore.session.create_loader)


def _one_at_a_time(moto: Application) -> Application:
    locks = {service: threading.Lock() for service in NOT_FOR_THREADS}

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with locks.get(scope_of(environ).service, nullcontext()):
            return moto(environ, start_response)

    return answer


def _counted_and_throttled(cloud: Cloud, application: Application) -> Application:
    throttle = Throttle()
    lock = threading.Lock()

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        service = scope_of(environ).service
        with lock:
            cloud.calls[service or "unsigned"] = cloud.calls.get(service or "unsigned", 0) + 1
        speaks_cbor = "HTTP_SMITHY_PROTOCOL" in environ
        if service and not speaks_cbor and cloud.faults.active("throttle"):
            invocation, attempt = environ.get("HTTP_AMZ_SDK_INVOCATION_ID", ""), environ.get("HTTP_AMZ_SDK_REQUEST", "")
            if throttle.refuses(service, invocation=invocation, sdk_request=attempt):
                return _refuse(service, environ, start_response)
        return application(environ, start_response)

    return answer


def _refuse(service: str, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    from werkzeug.wrappers import Request, Response  # noqa: PLC0415 - only with the fault on

    Request(environ).get_data()  # closing on an unread body would reset the connection
    target, content_type = environ.get("HTTP_X_AMZ_TARGET", ""), environ.get("CONTENT_TYPE", "")
    answer = refusal(service, target=target, content_type=content_type)
    headers = {"x-amzn-ErrorType": answer.error_type} if answer.error_type else {}
    response = Response(answer.body, answer.status, headers, content_type=answer.content_type)
    return response(environ, start_response)


def _mounts(cloud: Cloud) -> dict[str, Application]:
    mounts: dict[str, Application] = {"/_local/": control.application(cloud)}
    if importlib.util.find_spec("orchestrator.local.dns.porkbun"):
        mounts["/_porkbun/"] = importlib.import_module("orchestrator.local.dns.porkbun").application(cloud)
    return mounts


def serve(cloud: Cloud, port: int) -> Callable[[], None]:
    """Listen on 127.0.0.1 (port 0: any free one), say so in `cloud.endpoint`, answer in threads. Returns the stop."""
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - after configure()
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server  # noqa: PLC0415 - with moto

    from orchestrator.local import laws  # noqa: PLC0415 - with moto

    class InOnePiece(MotoRequestHandler):
        """Sends head and body together.

        Terraform's AWS provider sometimes closes a connection whose answer comes in two pieces before it has read the
        second one, and asks again (1 of 2,000 calls on a busy machine): what was done already then fails as a
        duplicate. Over a real network, nobody answers that fast.
        """

        wbufsize = 65_536

        def handle_expect_100(self) -> bool:
            """The client waits for this one before it sends its body."""
            go_on = super().handle_expect_100()
            self.wfile.flush()
            return go_on

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = _one_at_a_time(DomainDispatcherApplication(create_backend_app))
    aws = _counted_and_throttled(cloud, laws.governed(cloud, moto))
    mounts: dict[str, Application] = {}

    def route(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        mount = next((mount for prefix, mount in mounts.items() if path.startswith(prefix)), aws)
        return mount(environ, start_response)

    server = make_server("127.0.0.1", port, route, threaded=True, request_handler=InOnePiece)
    cloud.endpoint = f"http://127.0.0.1:{server.server_port}"
    mounts |= _mounts(cloud)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join(5)

    return stop
