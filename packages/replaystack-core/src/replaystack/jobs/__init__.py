"""Jobs: what runs without a request (cron, queue, script) becomes one event per run."""

from .functions import named_arguments
from .job import Job
from .run import JobLog, JobRun, current_job

__all__ = ["Job", "JobLog", "JobRun", "current_job", "named_arguments"]
