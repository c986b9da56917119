"""An Aurora stack's whole life, each command under exactly what `orchestrate policy` prints for it.

The cluster is stopped, started, snapshotted, deleted and born again as a whole; of its instances is only asked how they
are.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.lifecycle_stage import NAME, Somebody, lifecycle
from tests.e2e.principal import principal

pytestmark = [pytest.mark.cloud, pytest.mark.terraform]

CLUSTER = f"{NAME}-postgres"
OF_CLUSTERS = {
    f"rds:{do}"
    for do in (
        "CreateDBClusterSnapshot",
        "DescribeDBClusterSnapshots",
        "DescribeDBClusters",
        "ModifyDBCluster",
        "StartDBCluster",
        "StopDBCluster",
    )
}
OF_INSTANCES = {"rds:CreateDBSnapshot", "rds:ModifyDBInstance", "rds:StartDBInstance", "rds:StopDBInstance"}


def test_a_whole_life_on_aurora(tmp_path: Path) -> None:
    with lifecycle(tmp_path, enforce_iam=True, aurora=True) as place:
        place.on_record()
        names = ("pause", "resume", "backup", "destroy", "restore")
        everybody = {name: Somebody(place, principal(place.stage, "aurora", name)) for name in names}
        before = place.fingerprint()
        assert place.clusters() == {CLUSTER: "available"}

        everybody["pause"].calls("pause", "--auto-approve").succeeded()
        assert place.clusters() == {CLUSTER: "stopped"}
        everybody["resume"].calls("resume").succeeded()
        assert place.clusters() == {CLUSTER: "available"}
        assert place.fingerprint() == before

        everybody["backup"].calls("backup").succeeded()
        rds = place.stage.aws.client("rds")
        rds.modify_db_cluster(DBClusterIdentifier=CLUSTER, DeletionProtection=True, ApplyImmediately=True)
        everybody["destroy"].calls("destroy", "--confirm", NAME).succeeded()
        assert (place.clusters(), place.databases()) == ({}, {})

        everybody["restore"].calls("restore", "--auto-approve").succeeded()
        assert place.clusters() == {CLUSTER: "available"}
        assert place.fingerprint() == before
        asked = {action for one in everybody.values() for action, _ in one.who.asked()}
        assert asked >= OF_CLUSTERS
        assert not asked & OF_INSTANCES
