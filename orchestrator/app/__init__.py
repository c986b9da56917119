"""The composition root: the only room that knows everything. Imported by a command when it runs, never before."""

from orchestrator.app import checklist
from orchestrator.app.certification import Certification
from orchestrator.app.context import DnsRules
from orchestrator.app.foresight import Foresight, foresee, foresee_nothing, tell
from orchestrator.app.operation import Operation, Selection
from orchestrator.app.planned import verify_planned
from orchestrator.app.source import CONTRACT_VARIABLE, contract_from, contract_of_outputs, records_of_terraform

__all__ = [
    "CONTRACT_VARIABLE",
    "Certification",
    "DnsRules",
    "Foresight",
    "Operation",
    "Selection",
    "checklist",
    "contract_from",
    "contract_of_outputs",
    "foresee",
    "foresee_nothing",
    "records_of_terraform",
    "tell",
    "verify_planned",
]
