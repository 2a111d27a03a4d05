"""The next status of a TrainingJob while it is being decided."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from modelyard.api import names
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core import clock, metadata
from modelyard.core.conditions import Conditions, find, in_bytes
from modelyard.core.errors import Waiting
from modelyard.core.plan import Event, Failure, Manifest, ObjectRef, Plan, Question
from modelyard.core.subject import Subject
from modelyard.core.tracking import AttemptIdentity, Run
from modelyard.core.training_job.memory import limit_in
from modelyard.core.training_job.observed import Observed
from modelyard.core.training_job.outcome import TRAINER
from modelyard.core.training_job.problem import problem_of

RETRY_TRACKING_SECONDS = 5.0
"""Until MLflow is asked again; its adapter answers at once while the server is known to be away."""
_ATTEMPTS_KEPT = 10
_OLD_MESSAGE_BYTES = 160
"""A status is read as a whole: a thousand of them are listed, and kept in every cache."""

Record = dict[str, Any]
"""One item of status.attempts."""


def has_ended(status: Mapping[str, Any]) -> bool:
    """Whether a TrainingJob with this status is over, for good or bad."""
    return any(find(status, kind).get("status") == "True" for kind in ("Complete", "Failed"))


@dataclass
class Draft(Subject):
    """Everything decided so far; `finish` makes it a plan."""

    resource: Manifest
    spec: TrainingJobSpec
    observed: Observed
    now: datetime
    status: dict[str, Any] = field(default_factory=dict)
    create: list[Manifest] = field(default_factory=list)
    delete: list[ObjectRef] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    recheck_after: float | None = None
    trouble: str | None = None
    """Why an attempt does not run, in one word."""
    is_quiet: bool = False
    """A retry's first seconds are not told: its Job holds all that a crash would need, and the write is saved."""

    def __post_init__(self) -> None:
        self.before: dict[str, Any] = self.resource.get("status") or {}
        self.status = copy.deepcopy({k: v for k, v in self.before.items() if k != "conditions"})
        self.conditions = Conditions(self.before.get("conditions") or [], self.generation, self.now)
        for kind in ("Suspended", "Tracked", "Registered"):
            self.conditions.keep(kind)

    @property
    def records(self) -> list[Record]:
        """The attempts, newest first."""
        kept: list[Record] = self.status.setdefault("attempts", [])
        return kept

    @property
    def is_over(self) -> bool:
        """Whether it ended before, for good or bad; that never changes again."""
        return has_ended(self.before)

    def identity(self, attempt: int) -> AttemptIdentity:
        """Names one attempt among all clusters."""
        return AttemptIdentity(self.context.cluster, self.resource["metadata"]["uid"], attempt)

    def ask_or_wait(self, question: Question) -> Any:  # noqa: ANN401 - as above
        """The answer; a failure only if asking again cannot help.

        Raises:
            Open: it was not asked yet.
            Waiting: asking again later can help.
        """
        answer = self.ask(question)
        if isinstance(answer, Failure) and answer.is_transient:
            raise Waiting(answer.reason, answer.message, RETRY_TRACKING_SECONDS)
        return answer

    def newest_number(self) -> int:
        """The newest attempt's number, 0 before the first. Jobs count: one may exist that no status tells of."""
        told = [int(record["number"]) for record in self.records]
        return max([0, *told, *(self._number_of(job) for job in self.observed.jobs)])

    def newest_record(self) -> Record | None:
        """The newest attempt's record, made from its Job where a crash left none."""
        number = self.newest_number()
        if number == 0:
            return None
        known = next((record for record in self.records if record["number"] == number), None)
        return known or self.add_record(self._record_of_job(number))

    def add_record(self, record: Record) -> Record:
        """Put a new attempt first; the oldest beyond ten go, and those before it say less."""
        for item in self.records:
            if "message" in item:
                item["message"] = in_bytes(item["message"], _OLD_MESSAGE_BYTES)
        self.status["attempts"] = [record, *self.records][:_ATTEMPTS_KEPT]
        self.status["attempt"] = record["number"]
        for name in ("nextAttemptTime", "refusedSince"):
            self.status.pop(name, None)
        self.status.setdefault("startTime", record["startTime"])
        return record

    def _record_of_job(self, number: int) -> Record:
        """What a Job tells of an attempt."""
        job = next(job for job in self.observed.jobs if self._number_of(job) == number)
        annotations = job["metadata"].get("annotations") or {}
        run_id = annotations.get(names.ANNOTATION_RUN_ID)
        self.set_tracking(number, annotations.get(names.ANNOTATION_EXPERIMENT_ID), run_id)
        memory = limit_in(job, TRAINER) if self.spec.retry.on_out_of_memory else None
        record = {
            "number": number,
            "job": job["metadata"]["name"],
            "startTime": job["metadata"].get("creationTimestamp") or clock.to_text(self.now),
        }
        known = {"runID": run_id, "memory": memory}
        return record | {name: value for name, value in known.items() if value}

    def _number_of(self, job: Manifest) -> int:
        """The attempt that a Job belongs to, by its name, which unlike labels nobody can change; 0 for another Job."""
        _, _, text = job["metadata"]["name"].rpartition("-")
        number = int(text) if text.isascii() and text.isdigit() else 0
        return number if job["metadata"]["name"] == metadata.job_name(self.resource, number) else 0

    def set_tracking(self, attempt: int, experiment_id: str | None, run_id: str | None) -> None:
        """Say where the newest attempt is tracked."""
        url = self.context.run_url(Run(run_id, experiment_id), self.namespace) if run_id and experiment_id else None
        found = {"experimentID": experiment_id, "runID": run_id, "url": url}
        self.status["tracking"] = {name: value for name, value in found.items() if value}
        if run_id:
            self.conditions.true("Tracked", "RunCreated", f"attempt {attempt} is run {run_id}")

    def set_state(self, reason: str, message: str = "") -> None:
        """Say what goes on: the STATE column."""
        self.conditions.false("Complete", reason, message)

    def age_of(self, record: Record) -> timedelta:
        """How long ago an attempt was begun."""
        return self.now - clock.from_text(record["startTime"])

    def look_within(self, seconds: float) -> None:
        """Let this object be looked at again after so many seconds at the latest."""
        self.recheck_after = seconds if self.recheck_after is None else min(seconds, self.recheck_after)

    def was(self, problem: str) -> bool:
        """Whether the status as it was read tells of this problem already."""
        return bool(self.before.get("problem") == problem)

    def finish(self) -> Plan:
        """The plan, with Reconciling and Stalled present only while true."""
        self._state_for_readers()
        stated = {item["type"]: item for item in self.conditions.as_list()}
        self.status["problem"] = problem_of(stated, next(iter(self.records), {}), self.trouble)
        status = self.next_status()
        return Plan(
            create=tuple(self.create),
            delete=tuple(self.delete),
            status=None if self.is_quiet else status,
            events=tuple(self.events),
            recheck_after=self.recheck_after,
        )

    def _state_for_readers(self) -> None:
        """What kstatus readers look for."""
        complete = self.conditions.get("Complete") or {}
        suspended = self.conditions.get("Suspended") or {}
        if self.conditions.get("Failed"):
            self.conditions.true("Stalled", complete["reason"], complete["message"])
        elif self.conditions.get("Stalled"):
            return
        elif complete.get("status") != "True" and suspended.get("status") != "True":
            self.conditions.true("Reconciling", complete["reason"], complete["message"])

    def ref(self, api_version: str, kind: str, name: str, uid: str | None = None) -> ObjectRef:
        """Points at an object beside this one."""
        return ObjectRef(api_version, kind, self.namespace, name, uid)

    def job_of(self, record: Record) -> Manifest | None:
        """The Job of an attempt, if it is cached."""
        return self.observed.job_named(metadata.job_name(self.resource, record["number"]))
