"""ministack, with what it needs a docker daemon for: `shim.py SETTINGS_JSON`, run by ministack's own Python.

Only seams that ministack has anyway are replaced: an instance's shell (SSM's agent), a task's address, the address of
a database instance (a name, as on AWS, with nothing of docker behind it). What it does not know at all is added:
Application Auto Scaling answers that there is nothing, DescribeListenerCertificates with the default certificate.
What it takes and drops, so that each plan of Terraform would make an instance anew, is kept: the root volume's size and
encryption, an instance's metadata options, the words and tags of a rule that lets all out, a service's rebalancing of
zones.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

INSTANCE = "i-INSTANCE"
"""Stands for an instance's id in the environment of its scripts."""
SCRIPT_SECONDS = 300
PLACE = "second.us-west-2.rds.amazonaws.com"
"""Where ministack's database instances say they are."""


def address_of(instance: str) -> str:
    """The host name of a database instance."""
    return f"{instance}.{PLACE}"


def run_script(environment: Mapping[str, str], instance_id: str, argv: Sequence[str]) -> tuple[int, str, str]:
    """Exit status, standard output and error. As with the agent, it is a file whose first line says the shell."""
    own = {name: value.replace(INSTANCE, instance_id) for name, value in environment.items()}
    Path(own["HOME"]).mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".sh", delete=False) as file:
        file.write(argv[-1])
    script = Path(file.name)
    shell = "bash" if argv[-1].startswith("#!/bin/bash") else "sh"
    try:
        done = subprocess.run(
            [shell, str(script)],
            env=own,
            cwd=own["HOME"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SCRIPT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 137, "", f"it didn't finish within {SCRIPT_SECONDS} s"
    finally:
        script.unlink()
    return done.returncode, done.stdout, done.stderr


def _address_of_task(task: dict[str, Any]) -> str:
    """Private, and always the same for the same task, whose network interface shows it from now on."""
    number = int(task["taskArn"].rsplit("/", 1)[-1].replace("-", "")[:4], 16)
    address = f"10.0.{number >> 8}.{number & 255}"
    if not task.get("attachments"):
        shown = [{"name": "privateIPv4Address", "value": address}]
        task["attachments"] = [
            {"id": str(number), "type": "ElasticNetworkInterface", "status": "ATTACHED", "details": shown}
        ]
    return address


def _nothing_scales() -> Any:
    """A service of ministack that answers each call of Application Auto Scaling with an empty list."""
    lists = {
        "DescribeScalableTargets": "ScalableTargets",
        "DescribeScalingPolicies": "ScalingPolicies",
        "DescribeScheduledActions": "ScheduledActions",
    }

    async def handle_request(
        _method: str, _path: str, headers: Mapping[str, str], _body: bytes, _query: Any
    ) -> tuple[int, dict[str, str], bytes]:
        operation = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        answer: dict[str, Any] = {lists[operation]: []} if operation in lists else {"__type": "ValidationException"}
        status = 200 if operation in lists else 400
        return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()

    return handle_request


def _certificates_of(alb: Any) -> Any:
    """What DescribeListenerCertificates answers, by the listeners that ministack has."""

    def describe(parameters: Mapping[str, Any]) -> Any:
        listener = alb._listeners.get(alb._p(parameters, "ListenerArn"), {})
        members = "".join(
            f"<member><CertificateArn>{arn}</CertificateArn><IsDefault>true</IsDefault></member>"
            for arn in listener.get("Certificates", ())
        )
        return alb._xml(200, "DescribeListenerCertificates", f"<Certificates>{members}</Certificates>")

    return describe


def _keep_what_instances_are_launched_with(ec2: Any) -> None:
    """RunInstances has one root volume for all (8 GB, in the clear), and no metadata options."""
    launch, shown = ec2._ACTION_MAP["RunInstances"], ec2._instance_xml
    defaults = {
        "HttpTokens": "optional",
        "HttpEndpoint": "enabled",
        "HttpProtocolIpv6": "disabled",
        "HttpPutResponseHopLimit": "1",
        "InstanceMetadataTags": "disabled",
    }

    def run_instances(parameters: Mapping[str, Any]) -> Any:
        before = set(ec2._instances)
        answer = launch(parameters)
        roots = [one.get("Ebs", {}) for one in ec2._parse_register_block_device_mappings(parameters)][:1]
        options = {name: ec2._p(parameters, f"MetadataOptions.{name}") or usual for name, usual in defaults.items()}
        for new in set(ec2._instances) - before:
            instance = ec2._instances[new]
            instance["MetadataOptions"] = options
            volume = ec2._volumes[instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]]
            for root in roots:
                volume["Size"] = int(root.get("VolumeSize", volume["Size"]))
                volume["Encrypted"] = root.get("Encrypted") == "true"
        return answer

    def instance_xml(instance: Mapping[str, Any]) -> str:
        said = instance.get("MetadataOptions", {}).items()
        members = "".join(f"<{name[0].lower()}{name[1:]}>{value}</{name[0].lower()}{name[1:]}>" for name, value in said)
        before, end = shown(instance).rsplit("</item>", 1)
        return f"{before}<metadataOptions><state>applied</state>{members}</metadataOptions></item>{end}"

    ec2._ACTION_MAP["RunInstances"] = run_instances
    ec2._instance_xml = instance_xml


def _keep_what_egress_is_for(ec2: Any) -> None:
    """A new group lets all out, also where Terraform has taken that rule away. Put there again, its words and tags are
    dropped: the rule is there already.
    """
    authorize = ec2._ACTION_MAP["AuthorizeSecurityGroupEgress"]

    def authorize_egress(parameters: Mapping[str, Any]) -> Any:
        answer = authorize(parameters)
        group, tags = ec2._p(parameters, "GroupId"), ec2._sg_rule_tag_specifications(parameters)
        for asked in ec2._parse_ip_permissions(parameters, "IpPermissions"):
            for rule in ec2._security_groups.get(group, {}).get("IpPermissionsEgress", ()):
                if ec2._rules_match(asked, rule):
                    rule["IpRanges"] = asked["IpRanges"]
                    ec2._tags[ec2._sg_rule_id(group, True, rule)] = list(tags)
        return answer

    ec2._ACTION_MAP["AuthorizeSecurityGroupEgress"] = authorize_egress


def _name_what_is_restored(rds: Any) -> None:
    """RestoreDBInstanceFromDBSnapshot gives an address of this machine at which nothing listens."""
    restore = rds._ACTION_MAP["RestoreDBInstanceFromDBSnapshot"]

    def restored(parameters: Mapping[str, Any]) -> Any:
        answer = restore(parameters)
        name = rds._p(parameters, "DBInstanceIdentifier")
        if name in rds._instances:
            rds._instances[name]["Endpoint"] |= {"Address": address_of(name), "Port": 5432}
        return answer

    rds._ACTION_MAP["RestoreDBInstanceFromDBSnapshot"] = restored


def _keep_how_services_are_spread(ecs: Any) -> None:
    """CreateService and UpdateService drop availabilityZoneRebalancing."""

    def keeping(make: Any) -> Any:
        def handle(parameters: Mapping[str, Any]) -> Any:
            answer = make(parameters)
            name = parameters.get("serviceName") or str(parameters.get("service", "")).rsplit("/", 1)[-1]
            for service in ecs._services.values():
                if service["serviceName"] == name and "availabilityZoneRebalancing" in parameters:
                    service["availabilityZoneRebalancing"] = parameters["availabilityZoneRebalancing"]
            return answer

        return handle

    for operation in ("CreateService", "UpdateService"):
        ecs._ACTION_MAP[operation] = keeping(ecs._ACTION_MAP[operation])


def _say_all_at_once(protocol: Any) -> None:
    """hypercorn writes an answer's head and its body apart. Terraform's provider takes some of those for broken off and
    asks again, also for what was made by then: the head waits for the first of the body.
    """
    write = protocol._send_h11_event
    heads: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()

    async def send(self: Any, event: Any) -> None:
        own = self.send

        async def held(raw: Any) -> None:
            heads[self] = raw

        async def joined(raw: Any) -> None:
            await own(replace(raw, data=heads.pop(self).data + raw.data) if self in heads else raw)

        self.send = held if type(event).__name__ == "Response" else joined
        try:
            await write(self, event)
        finally:
            self.send = own

    protocol._send_h11_event = send


def main() -> None:
    settings = json.loads(Path(sys.argv[1]).read_text())
    from hypercorn.protocol.h11 import H11Protocol  # noqa: PLC0415 - as below
    from ministack import app  # noqa: PLC0415 - only ministack's own Python has it
    from ministack.services import alb, ec2, ecs, rds  # noqa: PLC0415

    _say_all_at_once(H11Protocol)
    environment = settings["environment"]

    def is_managed(instance_id: str) -> bool:
        return bool(ec2._instances.get(instance_id, {}).get("State", {}).get("Name") == "running")

    def execute(instance_id: str, argv: Sequence[str]) -> tuple[int, str, str]:
        return run_script(environment, instance_id, argv)

    register = rds._register_instance_in_cluster

    def named(instance: dict[str, Any]) -> Any:
        instance["Endpoint"] |= {"Address": address_of(instance["DBInstanceIdentifier"]), "Port": 5432}
        return register(instance)

    ec2.instance_is_managed = is_managed
    ec2.exec_in_instance_blocking = execute
    ecs._task_ip = _address_of_task
    rds._register_instance_in_cluster = named
    alb._ACTION_MAP["DescribeListenerCertificates"] = _certificates_of(alb)
    app.SERVICE_HANDLERS["application-autoscaling"] = _nothing_scales()
    _keep_what_instances_are_launched_with(ec2)
    _keep_what_egress_is_for(ec2)
    _keep_how_services_are_spread(ecs)
    _name_what_is_restored(rds)
    sys.argv[1:] = []
    app.main()


if __name__ == "__main__":
    main()
