"""RDS: instances take their time, and have a server.

moto: an instance is available at its first read, stops at once, may be changed while stopped, forgets the
performance-insights flag and a parameter's source, shares one resource id with all others, and has no server behind it.

AWS: every change takes its time and shows it in the status; a stopped instance can't be modified
(InvalidDBInstanceState), and RDS starts it by itself after seven days (AutomaticRestartTime); one with read replicas,
or that is one, can't be stopped; the endpoint appears when the server does. Snapshots: rds_snapshots.py. Left out:
Multi-AZ failover, replicas' data.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from moto.cloudwatch.models import MetricDatum, cloudwatch_backends
from moto.rds.exceptions import InvalidDBInstanceStateFault
from moto.rds.models import DBInstance, DBParameterGroup, RDSBackend

from orchestrator.local.core.cloud import ACCOUNT, REGION, Address, Cloud, DatabaseServers
from orchestrator.local.core.corrections import replace
from orchestrator.local.rds.cluster_server import cluster_of, end, serve

CREATE_SECONDS = 300.0
MODIFY_SECONDS = 30.0
REBOOT_SECONDS = 60.0
STOP_SECONDS = 120.0
START_SECONDS = 240.0
STAYS_STOPPED = 7 * 86400.0
RESTART = "automatic_restart_time"
"""The attribute that moto's serialiser shows as AutomaticRestartTime."""
DELETE_SECONDS = 180.0
FULL = "storage-full"

UNCHANGEABLE = frozenset({"creating", "deleting", "failed", "starting", "stopped", "stopping"})

RESTORED_FROM = "restored_from"
"""Among the parameters of a new instance: the snapshot whose data it begins with. Ours, not AWS's."""

PASSWORD_CHANGES = frozenset({"master_user_password", "manage_master_user_password", "rotate_master_user_password"})

FORGOTTEN = {
    "enable_performance_insights": "performance_insights_enabled",
    "performance_insights_retention_period": "performance_insights_retention_period",
    "performance_insights_kms_key_id": "performance_insights_kms_key_id",
    "network_type": "network_type",
    "dedicated_log_volume": "dedicated_log_volume",
    "engine_lifecycle_support": "engine_lifecycle_support",
    "database_insights_mode": "database_insights_mode",
}
"""Request parameter → attribute that moto's serialiser would show, if only it were set."""


def _resource_id() -> str:
    return "db-" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(26))


def _remember(instance: DBInstance, asked: dict[str, Any]) -> None:
    for parameter, attribute in FORGOTTEN.items():
        if asked.get(parameter) is not None:
            setattr(instance, attribute, asked[parameter])


class DbInstances:
    """What happens to an instance over time, and to its server."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def created(self, instance: DBInstance, snapshot: str) -> None:
        """`creating` until the server answers and AWS's time has passed. With a snapshot, its data are that one's."""
        instance.status = "creating"
        self._cloud.after(0, lambda: self._bring_up(instance, snapshot))

    def _bring_up(self, instance: DBInstance, snapshot: str) -> None:
        pace = self._cloud.pace
        ready = pace.monotonic() + pace.scaled(CREATE_SECONDS)
        servers = self._cloud.databases
        try:
            if cluster_of(instance) is not None:
                serve(self._cloud, instance)
            elif servers and instance.engine == "postgres":
                address = _server(servers, instance, snapshot)
                if instance.status != "creating":  # deleted meanwhile
                    servers.delete(instance.db_instance_identifier)
                    return
                self._cloud.addresses.publish(instance.address, address)
        except Exception:  # whatever kept the server from starting, the instance must not stay `creating`
            instance.status = "failed"
            raise
        if pace.sleep((ready - pace.monotonic()) * pace.speed) and instance.status == "creating":
            instance.status = "available"

    def changed(self, instance: DBInstance, asked: dict[str, Any], was: str, grown: int) -> None:
        """`modifying`, then `available`; a new master password counts at once, and `grown` GiB of storage are free.

        A server whose storage `was` full runs again once there is more of it.
        """
        _remember(instance, asked)
        if asked.keys() & PASSWORD_CHANGES:
            self._new_password(instance)
        _more_is_free(instance, grown)
        if was != FULL:
            self._pass_through(instance, "modifying", MODIFY_SECONDS, "available")
        elif grown > 0:
            self._pass_through(instance, "modifying", MODIFY_SECONDS, "available", self._start)
        else:
            instance.status = FULL

    def _new_password(self, instance: DBInstance) -> None:
        if self._cloud.databases and _has_own_server(instance):
            self._cloud.databases.set_password(
                instance.db_instance_identifier,
                str(instance.master_username),
                str(instance._master_user_password),
            )

    def stopping(self, instance: DBInstance) -> None:
        """`stopping` → `stopped`: the server ends, its data stay. After seven days RDS starts it again."""
        setattr(instance, RESTART, None)
        self._pass_through(instance, "stopping", STOP_SECONDS, "stopped", self._stopped)

    def starting(self, instance: DBInstance) -> None:
        """`starting` → `available`."""
        setattr(instance, RESTART, None)
        self._pass_through(instance, "starting", START_SECONDS, "available", self._start)

    def rebooting(self, instance: DBInstance) -> None:
        """`rebooting` → `available`: connections are cut."""
        if self._cloud.databases and _has_own_server(instance):
            self._stop(instance)
            self._pass_through(instance, "rebooting", REBOOT_SECONDS, "available", self._start)

    def deleting(self, backend: RDSBackend, instance: DBInstance) -> None:
        """`deleting`, then gone: DBInstanceNotFound, and its address does not exist."""
        backend.databases[instance.db_instance_identifier] = instance
        instance.status = "deleting"

        def gone() -> None:
            if self._cloud.databases:
                self._cloud.databases.delete(instance.db_instance_identifier)
            self._cloud.addresses.withdraw(instance.address)
            if backend.databases.get(instance.db_instance_identifier) is instance:
                del backend.databases[instance.db_instance_identifier]
            cluster = cluster_of(instance)
            if cluster is not None and not cluster.members:
                end(self._cloud, cluster)

        self._cloud.after(DELETE_SECONDS, gone)

    def _stop(self, instance: DBInstance) -> None:
        if self._cloud.databases and _has_own_server(instance):
            self._cloud.databases.stop(instance.db_instance_identifier)

    def _stopped(self, instance: DBInstance) -> None:
        self._stop(instance)
        pace = self._cloud.pace
        restart = pace.now() + timedelta(seconds=pace.scaled(STAYS_STOPPED))
        setattr(instance, RESTART, restart)

        def start() -> None:
            if instance.status == "stopped" and getattr(instance, RESTART) is restart:
                self.starting(instance)

        self._cloud.after(STAYS_STOPPED, start)

    def _start(self, instance: DBInstance) -> None:
        if self._cloud.databases and _has_own_server(instance):
            self._cloud.addresses.publish(
                instance.address, self._cloud.databases.start(instance.db_instance_identifier)
            )

    def _pass_through(
        self,
        instance: DBInstance,
        during: str,
        seconds: float,
        then: str,
        work: Callable[[DBInstance], None] = lambda _instance: None,
    ) -> None:
        instance.status = during

        def end() -> None:
            if instance.status == during:
                work(instance)
                instance.status = then

        self._cloud.after(seconds, end)


def _has_own_server(instance: DBInstance) -> bool:
    """A cluster's instances share the cluster's."""
    return instance.engine == "postgres" and cluster_of(instance) is None


def _server(servers: DatabaseServers, instance: DBInstance, snapshot: str) -> Address:
    name = instance.db_instance_identifier
    if snapshot:
        return servers.restore(name, instance.address, snapshot)
    return servers.create(
        name,
        instance.address,
        master=str(instance.master_username),
        password=str(instance._master_user_password),
        database=instance.db_name,
    )


def _more_is_free(instance: DBInstance, gib: int) -> None:
    """CloudWatch sees it: what was measured of the free storage grows."""
    if gib > 0:
        name = ("DBInstanceIdentifier", instance.db_instance_identifier)
        for one in cloudwatch_backends[ACCOUNT][REGION].metric_data:
            of_it = name in {(each.name, each.value) for each in one.dimensions}
            if of_it and one.name == "FreeStorageSpace" and isinstance(one, MetricDatum):
                one.value += gib * 2**30


def refuse_unless_changeable(instance: DBInstance, message: str) -> None:
    """As AWS does for what needs a server that runs (InvalidDBInstanceState)."""
    if instance.status in UNCHANGEABLE:
        raise InvalidDBInstanceStateFault(message)


def install(cloud: Cloud) -> None:
    """Instances take their time and have a server; wrong states are refused."""
    instances = DbInstances(cloud)
    _correct_life(instances)
    _correct_changes(instances)
    _correct_attributes()


def _correct_life(instances: DbInstances) -> None:
    create, delete = RDSBackend.create_db_instance, RDSBackend.delete_db_instance
    begin = DBInstance.__init__

    def born(self: DBInstance, *given: Any, **options: Any) -> None:
        """Of moto, every instance gets the same id; who looks at once would see it."""
        begin(self, *given, **options)
        self.dbi_resource_id = _resource_id()

    def create_db_instance(self: RDSBackend, db_kwargs: dict[str, Any]) -> DBInstance:
        snapshot = db_kwargs.pop(RESTORED_FROM, "")
        instance = create(self, db_kwargs)
        _remember(instance, db_kwargs)
        instances.created(instance, snapshot)
        return instance

    def delete_db_instance(self: RDSBackend, db_instance_identifier: str, **options: Any) -> DBInstance:
        known = self.databases.get(db_instance_identifier)
        if known is not None and known.status == "deleting":
            raise InvalidDBInstanceStateFault(f"Instance {db_instance_identifier} is already being deleted.")
        instance = delete(self, db_instance_identifier, **options)
        instances.deleting(self, instance)
        return instance

    replace(DBInstance, __init__=born)
    replace(RDSBackend, create_db_instance=create_db_instance, delete_db_instance=delete_db_instance)


def _correct_changes(instances: DbInstances) -> None:
    modify, stop, start = RDSBackend.modify_db_instance, RDSBackend.stop_db_instance, RDSBackend.start_db_instance
    reboot = RDSBackend.reboot_db_instance

    def modify_db_instance(self: RDSBackend, db_instance_identifier: str, db_kwargs: dict[str, Any]) -> DBInstance:
        known = self.describe_db_instances(db_instance_identifier)[0]
        refuse_unless_changeable(known, "Database instance is not in available state.")
        was, storage = known.status, int(known.allocated_storage or 0)
        instance = modify(self, db_instance_identifier, db_kwargs)
        instances.changed(instance, db_kwargs, was, int(instance.allocated_storage or 0) - storage)
        return instance

    def stop_db_instance(self: RDSBackend, db_instance_identifier: str, snapshot: str | None = None) -> DBInstance:
        known = self.describe_db_instances(db_instance_identifier)[0]
        if known.is_replica or known.read_replica_db_instance_identifiers:
            raise InvalidDBInstanceStateFault("Cannot stop or start an instance that is or has a read replica.")
        instance = stop(self, db_instance_identifier, snapshot)
        instances.stopping(instance)
        return instance

    def start_db_instance(self: RDSBackend, db_instance_identifier: str) -> DBInstance:
        instance = start(self, db_instance_identifier)
        instances.starting(instance)
        return instance

    def reboot_db_instance(self: RDSBackend, db_instance_identifier: str) -> DBInstance:
        instance = reboot(self, db_instance_identifier)
        refuse_unless_changeable(instance, "Database instance is not in available state.")
        instances.rebooting(instance)
        return instance

    replace(
        RDSBackend,
        modify_db_instance=modify_db_instance,
        stop_db_instance=stop_db_instance,
        start_db_instance=start_db_instance,
        reboot_db_instance=reboot_db_instance,
    )


def _correct_attributes() -> None:
    update_parameters = DBParameterGroup.update_parameters

    def with_source(self: DBParameterGroup, new_parameters: Any) -> None:
        update_parameters(self, [{**parameter, "Source": "user"} for parameter in new_parameters])

    def endpoint(self: DBInstance) -> dict[str, Any] | None:
        return None if self.status == "creating" else {"Address": self.address, "Port": self.port}

    replace(DBParameterGroup, update_parameters=with_source)
    replace(DBInstance, endpoint=property(endpoint))
