"""AWS on 127.0.0.1: moto in process, corrected, plus the real parts moto lacks.

Real: PostgreSQL behind RDS, bash behind SSM, DNS packets, TLS and HTTP behind the load balancer. Simulated: everything
that only AWS can run. Each module's docstring says what it leaves out. moto keeps its state in the process, so there is
one `Cloud` per process; `orchestrate local up` starts that process.
"""
