"""What we know of a stack, and where each value came from."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from orchestrator.workflows.caller import Caller, Question, StackRef

if TYPE_CHECKING:
    from orchestrator.aws.access import Access
    from orchestrator.settings import Settings
    from orchestrator.stack.inference import Inferred
    from orchestrator.terraform import Terraform


def contract(stack: StackRef, *, caller: Caller | None = None) -> Inferred:
    """The contract with its provenance, or what it lacks. Raises `Invalid` where there is nothing to know."""
    from orchestrator import app
    from orchestrator.settings import Settings

    given, environment = stack.contract, stack.environment
    if given or environment.get(app.CONTRACT_VARIABLE):
        settings = Settings(stack.settings, environment, stack.directory)
        access = partial(access_to, stack, settings, caller or Caller())
        told = app.contract_from(given, terraform_of(stack, caller), environment, stack.stdin, access=access)
        return app.of_document(told, given or app.CONTRACT_VARIABLE)
    return app.required(app.understand(terraform_of(stack, caller)), stack.directory)


def terraform_of(stack: StackRef, caller: Caller | None) -> Terraform:
    """Terraform there, as the other workflows run it."""
    from orchestrator.aws import child
    from orchestrator.settings import Settings
    from orchestrator.terraform import Terraform

    settings = Settings(stack.settings, stack.environment, stack.directory)
    environment = child.environment_of(stack.environment, settings["profile"])
    if settings["role"] or child.wants_a_person(environment):
        environment = access_to(stack, settings, caller or Caller()).signed(environment)
    return Terraform(stack.directory, environment)


def access_to(stack: StackRef, settings: Settings, caller: Caller) -> Access:
    """With the profile and the role that count here; `caller` is asked for a code."""
    from orchestrator.aws.access import Access

    chosen = settings.all()["profile"]
    return Access(stack.environment, chosen.value, chosen.source, _asked(caller), role=settings["role"])


def _asked(caller: Caller) -> Any:
    """Asks for a code. Raises `Invalid` where there is no terminal to ask on."""
    from orchestrator.aws.access import nobody

    def ask(prompt: str) -> str:
        answer = caller.ask(Question(prompt=prompt, code=True))
        return nobody(prompt) if answer is None else answer

    return ask


def as_document(inferred: Inferred) -> dict[str, Any]:
    """The contract's keys and `provenance`; in its place, when it is not definite, `questions` and `problems`."""
    from orchestrator.stack.encoding import PROVENANCE
    from orchestrator.stack.inference.mapping import dotted

    sources = {dotted(key): one.source for key, one in inferred.found.items()}
    if inferred.stack is not None:
        return {**inferred.stack.model_dump(mode="json", by_alias=True), PROVENANCE: sources}
    return {
        "questions": [
            {
                "key": dotted(one.key),
                "asks": one.asks,
                "options": [{"answer": option.answer, "label": option.label} for option in one.options],
            }
            for one in inferred.questions
        ],
        "problems": [
            {"code": one.code, "message": one.message, "context": one.context, "fix": one.fix}
            for one in inferred.problems
        ],
        PROVENANCE: sources,
    }
