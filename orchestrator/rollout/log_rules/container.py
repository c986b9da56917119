"""What a container says of itself: its disk, files, ports, memory, program and variables."""

from __future__ import annotations

from orchestrator.rollout.causes import RepairedBy
from orchestrator.rollout.log_rules.rule import LogRule

_VARIABLE = r"[A-Z][A-Z0-9_]{2,}"

RULES = (
    LogRule(
        r"No space left on device.*/dev/shm|/dev/shm.*No space left on device",
        "shared-memory-full",
        "the task's shared memory (/dev/shm) is full",
        "raise linuxParameters.sharedMemorySize in the container definition (EC2 launch type); on Fargate, have the "
        "application use less of it (PyTorch: num_workers = 0)",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"No space left on device|ENOSPC|Disk quota exceeded",
        "disk-full",
        "the task's own disk is full",
        "give the task definition more ephemeralStorage (Fargate: 20 GiB unless it says more, up to 200)",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"Read-only file system|EROFS",
        "filesystem-read-only",
        "the container writes to a read-only file system",
        "readonlyRootFilesystem = false, or a volume mounted there (not readOnly)",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"(Errno 13\] Permission denied|EACCES: permission denied|PermissionError).*?(?P<name>/[\w./-]+)?",
        "file-denied",
        "the container lacks permission for one of its files",
        "its user (`user` in the container definition) and the owner of the file or volume must agree",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"Address (already )?in use|EADDRINUSE|address already in use",
        "port-in-use",
        "two programs of the task use the same port: its containers share one network",
        "give one of them another port (awsvpc: each port once per task)",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"exec format error|[Ee]xec user process caused.*format",
        "image-other-architecture",
        "the image is built for a different processor than the task's",
        "build it for linux/amd64 (docker buildx --platform), or set runtimePlatform.cpuArchitecture = ARM64",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"executable file not found|: command not found|exec: .*no such file or directory|not found in \$PATH",
        "command-missing",
        "the command of the container is not in its image",
        "check command and entryPoint in the container definition; a script needs Unix line endings and its "
        "interpreter",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"JavaScript heap out of memory|java\.lang\.OutOfMemoryError|\bMemoryError\b|Cannot allocate memory"
        r"|std::bad_alloc|DefaultCPUAllocator: can't allocate",
        "memory-exhausted",
        "the program had no memory left (its own limit, or the container's)",
        "raise the container's memory, and the program's own limit (NODE_OPTIONS=--max-old-space-size, -Xmx)",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"Illegal instruction|SIGILL",
        "processor-too-old",
        "the program uses instructions that this processor lacks (Vespa: Haswell or later)",
        "use a newer instance type, or an image that is built for older processors",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"Invalid HTTP_HOST header|DisallowedHost|HostAuthorization.*Blocked|Blocked host:",
        "health-check-host-refused",
        "the application refuses unknown hosts, and the load balancer's health checks use the task's own address",
        "let the health check's path through without a host check (Django: a middleware before it, or ALLOWED_HOSTS "
        "with the task's address; Rails: config.host_authorization exclude)",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        rf"KeyError: '(?P<name>{_VARIABLE})'|(?P<first>{_VARIABLE}) (is|was) (empty|not set|undefined|required|missing)"
        rf"|[Mm]issing (required )?environment variable:? [`'\"]?(?P<second>{_VARIABLE})"
        rf"|[Ee]nvironment variable(s)?:? [`'\"]?(?P<third>{_VARIABLE})[`'\"]? (is |was |are )?(not|required|missing)"
        r"|ImproperlyConfigured: .*must not be empty|Missing `?secret_key_base|No application encryption key",
        "variable-missing",
        "the application lacks an environment variable",
        "add it to the container's environment or secrets in the task definition",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"ModuleNotFoundError: No module named|Cannot find module '|ImportError: cannot import name"
        r"|error while loading shared libraries",
        "image-incomplete",
        "the image lacks a part of the program",
        "use an image that was built completely: the same tag may have been rebuilt since",
        RepairedBy.TASK_DEFINITION,
    ),
)
