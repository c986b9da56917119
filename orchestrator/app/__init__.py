"""The composition root: the only room that knows everything. Imported by a command when it runs, never before."""

from orchestrator.app import checklist
from orchestrator.app.certification import Certification
from orchestrator.app.context import DnsRules
from orchestrator.app.deployments import Continuing, Redeploying
from orchestrator.app.evidence import collect
from orchestrator.app.migration import Migrating
from orchestrator.app.operation import Operation, Selection
from orchestrator.app.pausing import Pausing, Resuming, pause_state_of, paused_survey
from orchestrator.app.plan_consequences import PlanConsequences, consequences_of, no_consequences, tell
from orchestrator.app.planned import verify_planned
from orchestrator.app.repair import RepairPlan, repair_plan
from orchestrator.app.source import CONTRACT_VARIABLE, contract_from, contract_of_outputs, records_of_terraform
from orchestrator.app.status_watch import StatusWatch
from orchestrator.app.understanding import is_said, looker, of_document, owned, required, understand
from orchestrator.app.upgrading import Upgrading

__all__ = [
    "CONTRACT_VARIABLE",
    "Certification",
    "Continuing",
    "DnsRules",
    "Migrating",
    "Operation",
    "Pausing",
    "PlanConsequences",
    "Redeploying",
    "RepairPlan",
    "Resuming",
    "Selection",
    "StatusWatch",
    "Upgrading",
    "checklist",
    "collect",
    "consequences_of",
    "contract_from",
    "contract_of_outputs",
    "is_said",
    "looker",
    "no_consequences",
    "of_document",
    "owned",
    "pause_state_of",
    "paused_survey",
    "records_of_terraform",
    "repair_plan",
    "required",
    "tell",
    "understand",
    "verify_planned",
]
