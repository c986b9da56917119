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
        r"(listen|bind).*(EACCES|13: Permission denied|permission denied)|PermissionError.*\('[\d.:]*', \d+\)"
        r"|Permission denied.*could not bind to address",
        "port-denied",
        "the program may not listen on a port below 1024: it does not run as root",
        "let it listen on a higher port (8080), and change containerPort and the target group's port with it; or set "
        "`user` to root in the container definition",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"(sh|bash|exec|tini|dumb-init|process)\b[^/]*: .*\S+: [Pp]ermission denied|exec \S+: [Pp]ermission denied",
        "command-not-executable",
        "the command of the container may not be executed",
        "make the file executable in the image (chmod +x), and check its interpreter and the container's user",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"(Errno 13\] Permission denied|EACCES: permission denied|\bPermissionError).*?(?P<name>/[\w./-]+)?"
        r"|[Ff]ailed to open stream: Permission denied|failed \(13: Permission denied\)"
        r"|(open|mkdir|create|write|unlink) /\S+: permission denied|nio\.file\.AccessDeniedException",
        "file-denied",
        "the container lacks permission for one of its files",
        "its user (`user` in the container definition) and the owner of the file or volume must agree",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"Address (already )?in use|EADDRINUSE|address already in use|Connection in use: \(|port is already allocated"
        r"|Port \d+ (was|is) already in use",
        "port-in-use",
        "two programs of the task use the same port: its containers share one network",
        "give one of them another port (awsvpc: each port once per task)",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"exec format error|[Ee]xec user process caused.*format|wrong ELF class",
        "image-other-architecture",
        "the image is built for a different processor than the task's",
        "build it for linux/amd64 (docker buildx --platform), or set runtimePlatform.cpuArchitecture = ARM64",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"executable file not found|: command not found|exec:? .*no such file or directory|not found in \$PATH"
        r"|\bsh: ((line )?\d+: )?[\w./-]+: not found|/env: .*No such file or directory"
        r"|tini.*exec .* failed: No such file",
        "command-missing",
        "the command of the container is not in its image",
        "check command and entryPoint in the container definition; a script needs Unix line endings and its "
        "interpreter",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"Unrecognized (VM )?option|: error: (unrecognized arguments|argument \S+: |the following arguments are)"
        r"|Error: No such (option|command)|unknown (shorthand )?flag|(invalid|unrecognized) option (--|')",
        "command-invalid",
        "the program refuses the arguments that it was started with",
        "correct command, entryPoint or the variable that holds its options (JAVA_TOOL_OPTIONS, NODE_OPTIONS, "
        "GUNICORN_CMD_ARGS) in the container definition",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"A server is already running\b.*(pid|\.pid)",
        "pid-file-left",
        "a file from an earlier start says that the server already runs",
        "remove it before the server starts (rm -f tmp/pids/server.pid in the container's command); it belongs neither "
        "into the image nor on a volume",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"MessageEncryptor::InvalidMessage|incorrect key length|fernet\.InvalidToken|Fernet key must be"
        r"|DecryptException: The MAC is invalid",
        "application-key-wrong",
        "the application's own key does not open what it should decrypt",
        "set the key by which it was encrypted (RAILS_MASTER_KEY, APP_KEY, SECRET_KEY, ENCRYPTION_KEY_SECRET): a new "
        "key does not open old data",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"JavaScript heap out of memory|java\.lang\.OutOfMemoryError(?!: [Uu]nable to create)|\bMemoryError\b"
        r"|Cannot allocate memory|std::bad_alloc|DefaultCPUAllocator: can't allocate"
        r"|Allowed memory size of \d+ bytes exhausted|fatal error: runtime: out of memory"
        r"|insufficient memory for the Java Runtime"
        r"|Could not reserve enough space for \d+KB object heap",
        "memory-exhausted",
        "the program had no memory left (its own limit, or the container's)",
        "raise the container's memory, and the program's own limit (NODE_OPTIONS=--max-old-space-size, -Xmx, "
        "memory_limit)",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"was sent SIGKILL! Perhaps out of memory|exited prematurely: signal 9|terminated due to signal 9"
        r"|child \d+ exited on signal 9|^Killed$",
        "worker-killed",
        "a worker process was killed (SIGKILL), as the kernel does when the container's memory runs out",
        "raise the container's memory, or start fewer workers (gunicorn --workers, celery --concurrency)",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"WORKER TIMEOUT \(pid",
        "worker-timeout",
        "a worker of gunicorn did not report in time: it was still loading, or waited for something",
        "see what it waited for (its log above); if it only starts slowly: a longer --timeout, more cpu, or --preload",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"Too many open files|EMFILE",
        "files-exhausted",
        "the program has no file descriptors left",
        "raise ulimits nofile in the container definition, or close what it opens",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"can't start new thread|[Uu]nable to create (new )?native thread|pthread_create.*Resource temporarily"
        r"|fork: Resource temporarily unavailable|fork: retry",
        "threads-exhausted",
        "the program may start no more threads or processes",
        "start fewer of them (workers, pools; OPENBLAS_NUM_THREADS), or give the task more memory",
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
        rf"|[Ee]nvironment variable not found: [`'\"]?(?P<fourth>{_VARIABLE})"
        rf"|(?P<fifth>{_VARIABLE}) not found\. Declare it as envvar"
        rf"|[Ss]et the (?P<sixth>{_VARIABLE}) environment variable"
        rf"|Could not resolve placeholder '(?P<seventh>[\w.-]+)'|required key (?P<eighth>{_VARIABLE}) missing value"
        rf"|\b(?P<ninth>{_VARIABLE}): (unbound variable|parameter (null or )?not set)"
        rf"|(?P<tenth>{_VARIABLE})( environment variable)? (must be (set|provided|defined)|has not been set)"
        r"|ImproperlyConfigured: .*must not be empty|Missing `?secret_key_base|No application encryption key"
        r"|Missing encryption key to decrypt file with|\bkey:generate\b|\[NO_SECRET\]|Please define a `secret`"
        r"|DataSource: 'url' attribute is not specified|must set settings\.ALLOWED_HOSTS",
        "variable-missing",
        "the application lacks an environment variable",
        "add it to the container's environment or secrets in the task definition",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"ModuleNotFoundError: No module named|Cannot find module '|ImportError: cannot import name"
        r"|error while loading shared libraries|could not find driver|Class \"Redis\" not found"
        r"|Error loading (psycopg2?|MySQLdb)( or psycopg)? module|could not locate the Query Engine"
        r"|Cannot find package '|compiled against a different Node\.js version|Could not find a production build"
        r"|version `\w+_[\d.]+' not found|Missing staticfiles manifest entry|AssetNotPrecompiled"
        r"|Failed to find attribute '|bundler: command not found|vendor/autoload\.php|compatible framework version"
        r"|Could not find .* in (locally installed gems|any of the sources)"
        r"|UnsupportedClassVersionError|(ClassNotFound|NoClassDefFound)"
        r"|Could not find or load main class|NoSuchModuleError: Can't load plugin: sqlalchemy\.dialects:(?!postgres\b)",
        "image-incomplete",
        "the image lacks a part of the program",
        "use an image that was built completely: the same tag may have been rebuilt since",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"sqlalchemy\.dialects:postgres\b|Could not parse (SQLAlchemy|rfc1738) URL|invalid dsn:|P1013\b"
        r"|Port could not be cast to integer|Invalid Redis URL|Redis URL must specify one of the following schemes"
        r"|the URL must start with the protocol"
        r"|invalid (connection option|URI query parameter)|Invalid port number: |UnknownSchemeError",
        "url-malformed",
        "an address in the task's environment can't be read as a URL",
        "correct it where it is set: postgresql://user:password@host:5432/name (not postgres:// for SQLAlchemy), "
        "redis:// or rediss://; characters such as @ : / # % in a password must be percent-encoded",
        RepairedBy.TASK_DEFINITION,
    ),
)
LAST = (
    LogRule(
        r"FileNotFoundError: \[Errno 2\]|ENOENT: no such file or directory|Unable to access jarfile"
        r"|can't open file '|(cannot load certificate|BIO_new_file|fopen).*[Nn]o such file|open /\S+: no such file"
        r"|cannot load such file -- |[Ff]ailed to open stream: No such file|nio\.file\.NoSuchFileException",
        "file-missing",
        "a file that the program needs is not in the container",
        "put it into the image at that path, mount the volume that holds it, or correct the setting that names it",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"\[emerg\]|AH00526: |supervisord.*Error: .*(section|format)|Puma.*configuration.*invalid",
        "configuration-invalid",
        "a program of the task refuses its configuration file",
        "correct the file and line that it names, in the image or where the container writes it (try: nginx -t)",
        RepairedBy.TASK_DEFINITION,
    ),
)
"""After the connections: a configuration that names a host is refused because of the host."""
