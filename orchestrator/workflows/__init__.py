"""What each command does, in its order, for whoever calls it: the command line, a fleet, a program of yours.

Plain options in, events out, an `Outcome` at the end. Nothing in here reads the process's environment, arguments or
terminal, asks a person, prints, or hears a signal; a caller passes what it wants of that (`Caller`). Nothing is kept
between two calls, and several may run at the same time, each in a thread of its own.
"""

from orchestrator.events import Emit, Event
from orchestrator.terraform import PlanOptions
from orchestrator.workflows import dns
from orchestrator.workflows.apply import ApplyOptions, apply
from orchestrator.workflows.backup import BackupOptions, backup
from orchestrator.workflows.caller import Ask, Caller, Cancellation, Question, StackRef, StepOptions
from orchestrator.workflows.certificate import CertificateOptions, certificate
from orchestrator.workflows.continue_ import ContinueOptions, continue_
from orchestrator.workflows.destroy import DestroyOptions, destroy
from orchestrator.workflows.doctor import DoctorOptions, doctor
from orchestrator.workflows.logs import LogsOptions, logs
from orchestrator.workflows.migrate import MigrateOptions, migrate
from orchestrator.workflows.pause import PauseOptions, pause
from orchestrator.workflows.plan import PlanningOptions, plan
from orchestrator.workflows.preflight import PreflightOptions, preflight
from orchestrator.workflows.redeploy import RedeployOptions, redeploy
from orchestrator.workflows.restore import RestoreOptions, restore
from orchestrator.workflows.resume import ResumeOptions, resume
from orchestrator.workflows.run import RunOptions, run
from orchestrator.workflows.shell import ShellOptions, shell
from orchestrator.workflows.status import StatusOptions, status
from orchestrator.workflows.tasks import TasksOptions, tasks
from orchestrator.workflows.upgrade import UpgradeOptions, upgrade

__all__ = [
    "ApplyOptions",
    "Ask",
    "BackupOptions",
    "Caller",
    "Cancellation",
    "CertificateOptions",
    "ContinueOptions",
    "DestroyOptions",
    "DoctorOptions",
    "Emit",
    "Event",
    "LogsOptions",
    "MigrateOptions",
    "PauseOptions",
    "PlanOptions",
    "PlanningOptions",
    "PreflightOptions",
    "Question",
    "RedeployOptions",
    "RestoreOptions",
    "ResumeOptions",
    "RunOptions",
    "ShellOptions",
    "StackRef",
    "StatusOptions",
    "StepOptions",
    "TasksOptions",
    "UpgradeOptions",
    "apply",
    "backup",
    "certificate",
    "continue_",
    "destroy",
    "dns",
    "doctor",
    "logs",
    "migrate",
    "pause",
    "plan",
    "preflight",
    "redeploy",
    "restore",
    "resume",
    "run",
    "shell",
    "status",
    "tasks",
    "upgrade",
]
