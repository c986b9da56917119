"""Many stacks: one command for a selection of them, in waves, carried out by one worker or several.

Orders, queues, history and recovery are DBOS's (extra `fleet`, imported by `engine.py` and `worker.py` alone). Ours is
which stacks there are, in which order they go, what is done at one of them (`orchestrator.workflows`), and to notice
that a worker has died.
"""
