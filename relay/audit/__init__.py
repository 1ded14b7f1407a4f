"""The audit: does the money spent match the conversions that really happened?

Facts first (`facts`, gathered by `collect`, the only file here that does I/O), then checks, which
are functions from facts to findings, then triage.
"""
