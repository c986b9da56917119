"""The composition root: the only room that knows everything. Imported by a command when it runs, never before."""

from orchestrator.app import checklist
from orchestrator.app.certification import Certification
from orchestrator.app.context import DnsRules
from orchestrator.app.evidence import collect
from orchestrator.app.operation import Operation, Selection
from orchestrator.app.pausing import Pausing, Resuming, paused_survey, standing_of
from orchestrator.app.plan_consequences import PlanConsequences, foresee, foresee_nothing, tell
from orchestrator.app.planned import verify_planned
from orchestrator.app.repair import RepairPlan, treatment
from orchestrator.app.source import CONTRACT_VARIABLE, contract_from, contract_of_outputs, records_of_terraform
from orchestrator.app.status_watch import StatusWatch
from orchestrator.app.understanding import is_said, looker, of_document, owned, required, understand

__all__ = [
    "CONTRACT_VARIABLE",
    "Certification",
    "DnsRules",
    "Operation",
    "Pausing",
    "PlanConsequences",
    "RepairPlan",
    "Resuming",
    "Selection",
    "StatusWatch",
    "checklist",
    "collect",
    "contract_from",
    "contract_of_outputs",
    "foresee",
    "foresee_nothing",
    "is_said",
    "looker",
    "of_document",
    "owned",
    "paused_survey",
    "records_of_terraform",
    "required",
    "standing_of",
    "tell",
    "treatment",
    "understand",
    "verify_planned",
]
