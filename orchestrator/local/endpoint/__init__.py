"""The local cloud's process and its AWS endpoint, the control API, and who starts and asks it from outside."""
