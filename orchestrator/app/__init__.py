"""The composition root: the only room that knows everything. Imported by a command when it runs, never before."""

from orchestrator.app.certification import Certification
from orchestrator.app.context import DnsRules
from orchestrator.app.evidence import collect
from orchestrator.app.lookout import Lookout
from orchestrator.app.operation import Operation, Selection
from orchestrator.app.planned import verify_planned
from orchestrator.app.repair import Treatment, treatment
from orchestrator.app.source import CONTRACT_VARIABLE, contract_from, contract_of_outputs, records_of_terraform

__all__ = [
    "CONTRACT_VARIABLE",
    "Certification",
    "DnsRules",
    "Lookout",
    "Operation",
    "Selection",
    "Treatment",
    "collect",
    "contract_from",
    "contract_of_outputs",
    "records_of_terraform",
    "treatment",
    "verify_planned",
]
