"""The composition root: the only room that knows everything. Imported by a command when it runs, never before."""

from orchestrator.app.certification import Certification
from orchestrator.app.context import DnsRules
from orchestrator.app.operation import Operation, Selection
from orchestrator.app.pausing import Pausing, Resuming, paused_survey, standing_of
from orchestrator.app.planned import verify_planned
from orchestrator.app.source import CONTRACT_VARIABLE, contract_from, contract_of_outputs, records_of_terraform

__all__ = [
    "CONTRACT_VARIABLE",
    "Certification",
    "DnsRules",
    "Operation",
    "Pausing",
    "Resuming",
    "Selection",
    "contract_from",
    "contract_of_outputs",
    "paused_survey",
    "records_of_terraform",
    "standing_of",
    "verify_planned",
]
