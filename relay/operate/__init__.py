"""The operator's listener: metrics, health, and what the command line asks of a running relay."""
