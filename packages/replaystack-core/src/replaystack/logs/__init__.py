"""Logs: loggers, flows, and the raw formats in which logs of others come."""
