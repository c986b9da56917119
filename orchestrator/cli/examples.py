"""The examples below each command's help: command lines as one would type them. A test parses every one."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "apply": (
        "orchestrate apply",
        "orchestrate apply -var-file prod.tfvars",
        "orchestrate apply plan.tfplan --timeout 45m --json",
    ),
    "plan": (
        "orchestrate plan",
        "orchestrate plan -var tenants=12",
        "orchestrate plan --format markdown > comment.md",
    ),
    "preflight": (
        "orchestrate preflight",
        "orchestrate preflight plan.tfplan --no-live",
        "orchestrate preflight --destroy",
    ),
    "run": (
        "orchestrate run",
        "orchestrate run --tenant acme",
        "orchestrate run --canary acme --max-parallel 10 --stop-after-failures 3",
    ),
    "dns plan": (
        "orchestrate dns plan",
        "orchestrate dns plan --tenant acme",
        "orchestrate dns plan --json",
    ),
    "dns apply": (
        "orchestrate dns apply",
        "orchestrate dns apply --tenant acme --auto-approve",
        "orchestrate dns apply --adopt",
    ),
    "dns check": (
        "orchestrate dns check",
        "orchestrate dns check --tenant acme",
        "orchestrate dns check --ask 192.0.2.53:53",
    ),
    "dns undo": (
        "orchestrate dns undo",
        "orchestrate dns undo --tenant acme",
        "orchestrate dns undo --auto-approve",
    ),
    "backup": (
        "orchestrate backup",
        "orchestrate backup --list",
        "orchestrate backup --verify last",
    ),
    "destroy": (
        "orchestrate destroy",
        "orchestrate destroy -var-file prod.tfvars",
        "orchestrate destroy --confirm my-stack",
    ),
    "restore": (
        "orchestrate restore",
        "orchestrate restore s3://my-stack-backups/20261130T030000Z/manifest.json",
        "orchestrate restore -var-file prod.tfvars --auto-approve",
    ),
    "certificate": (
        "orchestrate certificate",
        "orchestrate certificate --timeout 1h",
        "orchestrate certificate --contract contract.json",
    ),
    "status": (
        "orchestrate status",
        "orchestrate status --watch --timeout 30m",
        "orchestrate status --tenant acme --html status.html",
    ),
    "doctor": (
        "orchestrate doctor",
        "orchestrate doctor --tenant acme --fix",
        "orchestrate doctor --bundle evidence.zip --html doctor.html",
    ),
    "explain": (
        "orchestrate explain out-of-memory",
        "orchestrate explain --list",
        "orchestrate explain wrong-account --json",
    ),
    "logs": (
        "orchestrate logs --tenant acme --follow",
        "orchestrate logs --since 1h30m --grep ERROR",
        "orchestrate logs vespa",
    ),
    "tasks": (
        "orchestrate tasks",
        "orchestrate tasks --tenant acme",
        "orchestrate tasks --json",
    ),
    "shell": (
        "orchestrate shell runner",
        "orchestrate shell vespa",
        "orchestrate shell vespa --tenant acme",
    ),
    "history": (
        "orchestrate history",
        "orchestrate history last",
        "orchestrate history last --html report.html",
    ),
    "open": (
        "orchestrate open acme",
        "orchestrate open acme --chdir ../other-stack",
        "orchestrate open acme --contract contract.json",
    ),
    "serve": (
        "orchestrate serve",
        "orchestrate serve --port 8800 --every 5m",
        "orchestrate serve --fleet fleet.toml",
    ),
    "pause": (
        "orchestrate pause",
        "orchestrate pause --tenant acme",
        "orchestrate pause --keep-paused --auto-approve",
    ),
    "resume": (
        "orchestrate resume",
        "orchestrate resume --tenant acme",
        "orchestrate resume --timeout 45m",
    ),
    "redeploy": (
        "orchestrate redeploy acme",
        "orchestrate redeploy acme globex",
        "orchestrate redeploy acme --timeout 45m --json",
    ),
    "migrate": (
        "orchestrate migrate acme",
        "orchestrate migrate",
        "orchestrate migrate acme globex --timeout 2h",
    ),
    "upgrade": (
        "orchestrate upgrade --plan",
        "orchestrate upgrade acme",
        "orchestrate upgrade acme --to v4.6.1 --step-timeouts documents-copied=12h",
    ),
    "continue": (
        "orchestrate continue",
        "orchestrate continue acme",
        "orchestrate continue acme --auto-approve",
    ),
    "lock": (
        "orchestrate lock",
        "orchestrate lock --json",
        "orchestrate lock --lock s3://my-locks/my-stack",
    ),
    "unlock": (
        "orchestrate unlock",
        "orchestrate unlock --force",
        "orchestrate unlock --lock s3://my-locks/my-stack",
    ),
    "init": (
        "orchestrate init",
        "orchestrate init --set runner=aws_instance.jump",
        "orchestrate init --chdir ../other-stack --json",
    ),
    "contract": (
        "orchestrate contract",
        "orchestrate contract --json",
        "orchestrate contract --contract contract.json",
    ),
    "policy": (
        "orchestrate policy run status",
        'orchestrate policy "dns plan"',
        "orchestrate policy run --zone-id Z0123456789ABCDEFGHIJ",
    ),
    "completion": (
        "orchestrate completion bash --install",
        "orchestrate completion zsh --install",
        "orchestrate completion fish > orchestrate.fish",
    ),
    "config": (
        "orchestrate config",
        "orchestrate config --json",
        "orchestrate config --chdir ../other-stack",
    ),
    "fleet run": (
        "orchestrate fleet run",
        "orchestrate fleet run --label env=prod --wave 1,10%,rest --stop-after-failures 2",
        "orchestrate fleet run --failed",
    ),
    "fleet plan": (
        "orchestrate fleet plan",
        "orchestrate fleet plan --label env=prod",
        "orchestrate fleet plan --report markdown > comment.md",
    ),
    "fleet status": (
        "orchestrate fleet status",
        "orchestrate fleet status --stack prod-eu",
        "orchestrate fleet status --report json",
    ),
    "fleet doctor": (
        "orchestrate fleet doctor",
        "orchestrate fleet doctor --failed",
        "orchestrate fleet doctor --report junit > doctor.xml",
    ),
    "fleet pause": (
        "orchestrate fleet pause",
        "orchestrate fleet pause --label env=demo --auto-approve",
        "orchestrate fleet pause --stack demo-1 --auto-approve",
    ),
    "fleet resume": (
        "orchestrate fleet resume",
        "orchestrate fleet resume --label env=demo --wave 1,rest",
        "orchestrate fleet resume --failed",
    ),
    "fleet backup": (
        "orchestrate fleet backup",
        "orchestrate fleet backup --label env=prod",
        "orchestrate fleet backup --report json",
    ),
    "fleet submit": (
        "orchestrate fleet submit run",
        "orchestrate fleet submit backup --label env=prod",
        "orchestrate fleet submit pause --label env=demo --auto-approve",
    ),
    "fleet worker": (
        "orchestrate fleet worker",
        "orchestrate fleet worker --fleet /etc/orchestrate/fleet.toml",
        "orchestrate fleet worker --fleet ../fleet.toml",
    ),
    "fleet list": (
        "orchestrate fleet list",
        "orchestrate fleet list --fleet ../fleet.toml",
        "orchestrate fleet list > orders.txt",
    ),
    "fleet show": (
        "orchestrate fleet show run-1a2b3c4d-1",
        "orchestrate fleet show run-1a2b3c4d-1 --report json",
        "orchestrate fleet show run-1a2b3c4d-1 --report junit > fleet.xml",
    ),
    "fleet cancel": (
        "orchestrate fleet cancel run-1a2b3c4d-1",
        "orchestrate fleet cancel backup-1a2b3c4d-2",
        "orchestrate fleet cancel run-1a2b3c4d-1 --fleet ../fleet.toml",
    ),
    "fleet retry": (
        "orchestrate fleet retry run-1a2b3c4d-1",
        "orchestrate fleet retry run-1a2b3c4d-1 --report markdown",
        "orchestrate fleet retry run-1a2b3c4d-1 --fleet ../fleet.toml",
    ),
    "fleet stacks": (
        "orchestrate fleet stacks",
        "orchestrate fleet stacks --fleet ../fleet.toml",
        "orchestrate fleet stacks > stacks.txt",
    ),
    "fleet up": (
        "orchestrate fleet up",
        "orchestrate fleet up --stacks 5",
        "orchestrate fleet up try-it",
    ),
    "fleet policy": (
        "orchestrate fleet policy > worker.json",
        "orchestrate fleet policy --fleet ../fleet.toml",
        "orchestrate fleet policy",
    ),
    "fleet exec": (
        "orchestrate fleet exec -- orchestrate redeploy --tenant customer-a",
        "orchestrate fleet exec --label env=prod --wave 1,rest -- aws ecs list-clusters",
        "orchestrate fleet exec --stack prod-eu --report json -- ./check.sh",
    ),
    "fleet schedule": (
        'orchestrate fleet schedule "pause label=demo at 20:00 Mon-Fri Europe/Zurich, resume at 07:00"',
        "orchestrate fleet schedule",
        "orchestrate fleet schedule --remove",
    ),
    "fleet watch": (
        "orchestrate fleet watch",
        "orchestrate fleet watch --every 5 --label env=prod",
        "orchestrate fleet watch --off",
    ),
    "schedule": (
        'orchestrate schedule "pause at 20:00 Mon-Fri Europe/Zurich, resume at 07:00"',
        "orchestrate schedule --work",
        'orchestrate schedule "backup at 03:00 daily UTC" --print systemd',
    ),
    "demo": (
        "orchestrate demo",
        "orchestrate demo --keep",
        "orchestrate demo --dns porkbun --speed 60",
    ),
    "local fleet": (
        "orchestrate local fleet",
        "orchestrate local fleet --stacks 5",
        "orchestrate local fleet try-it --speed 20",
    ),
    "local up": (
        "orchestrate local up --stack",
        "orchestrate local up --name second --speed 60 --stack 5",
        "orchestrate local up --enforce-iam --no-late",
    ),
    "local fault": (
        "orchestrate local fault oom --tenant acme",
        "orchestrate local fault oom --clear",
        "orchestrate local fault --clear",
    ),
}
"""The words behind `orchestrate` → three lines."""
