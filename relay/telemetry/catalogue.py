"""Every metric with its labels, and every log line with its fields. There are no others."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Metric(NamedTuple):
    """One metric. `buckets` are upper bounds in seconds, of a histogram only."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_REMOTE = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LAG = (0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 28800.0, 86400.0, 604800.0)

ARRIVALS = Metric(
    "relay_arrivals_total",
    "counter",
    "Events that senders handed over, whatever became of them.",
    ("source",),
)
OUTCOMES = Metric(
    "relay_outcomes_total",
    "counter",
    "How arrivals ended; each (arrival, destination) ends once.",
    ("destination", "event", "outcome", "reason"),
)
IGNORED = Metric(
    "relay_ignored_total",
    "counter",
    "Verified messages that are no conversion, such as topics that nothing is mapped for.",
    ("source", "reason"),
)
DROPPED_FIELDS = Metric(
    "relay_dropped_fields_total",
    "counter",
    "Fields left out of events that were otherwise good.",
    ("destination", "field", "reason"),
)
SIGNATURE_FAILURES = Metric(
    "relay_signature_failures_total",
    "counter",
    "Requests whose sender could not be verified.",
    ("source", "reason"),
)
DOOR_REFUSALS = Metric(
    "relay_door_refusals_total",
    "counter",
    "Requests turned away before their events were looked at.",
    ("reason",),
)
ACCEPT_SECONDS = Metric(
    "relay_accept_seconds",
    "histogram",
    "From a request's last byte to its answer, durable storage included.",
    buckets=_FAST,
)
ACCEPTED_EVENTS = Metric(
    "relay_accepted_events_total",
    "counter",
    "Events that were journaled; on Kafka with those that turn out to be duplicates.",
    ("destination",),
)
MATCH_KEYS = Metric(
    "relay_match_keys_total",
    "counter",
    "Of the events that were journaled, how many carried this match key.",
    ("destination", "key"),
)
MATCH_KEY_COVERAGE = Metric(
    "relay_match_key_coverage",
    "gauge",
    "Share of the events accepted since start that carry this match key.",
    ("destination", "key"),
)
JOURNAL_ENTRIES = Metric(
    "relay_journal_entries", "gauge", "Events waiting for delivery.", ("destination",)
)
JOURNAL_BYTES = Metric(
    "relay_journal_bytes", "gauge", "Bytes of the events waiting for delivery.", ("destination",)
)
JOURNAL_MAX_BYTES = Metric(
    "relay_journal_max_bytes",
    "gauge",
    "`journal.max_bytes`: above it the door answers 503. None on Kafka.",
)
JOURNAL_OLDEST_SECONDS = Metric(
    "relay_journal_oldest_seconds",
    "gauge",
    "Age of the oldest event waiting; 0 when none waits.",
    ("destination",),
)
JOURNAL_DAMAGED = Metric(
    "relay_journal_damaged_total", "counter", "Records of the journal that could not be read."
)
JOURNAL_HEALTHY = Metric(
    "relay_journal_healthy",
    "gauge",
    "1 when the journal can store what comes and hand out what waits, else 0.",
)
DISK_FREE_BYTES = Metric(
    "relay_disk_free_bytes",
    "gauge",
    "Free on the file system of the journal's folder. None on Kafka.",
)
DISK_MIN_FREE_BYTES = Metric(
    "relay_disk_min_free_bytes",
    "gauge",
    "`journal.min_free_bytes`: below it the door answers 503. None on Kafka.",
)
CONSERVATION_GAP = Metric(
    "relay_conservation_gap",
    "gauge",
    "By how many events accepted differs from settled plus waiting, either way, added up over the "
    "destinations: 0, always.",
)
ATTEMPTS = Metric(
    "relay_attempts_total",
    "counter",
    "Requests to TikTok by its answer's code, else the HTTP status, else the network's failure.",
    ("destination", "code"),
)
ATTEMPT_SECONDS = Metric(
    "relay_attempt_seconds", "histogram", "Duration of requests to TikTok.", buckets=_REMOTE
)
DELIVERY_LAG_SECONDS = Metric(
    "relay_delivery_lag_seconds",
    "histogram",
    "From an event's acceptance to TikTok's answer that settled it.",
    buckets=_LAG,
)
LANE_STATE = Metric(
    "relay_lane_state",
    "gauge",
    "1 for the state a destination's lane is in, 0 for the others.",
    ("destination", "state"),
)
MAX_EVENT_AGE_SECONDS = Metric(
    "relay_max_event_age_seconds",
    "gauge",
    "`max_event_age` of the destination: older events end as `expired`.",
    ("destination",),
)
HEALTH_PROBLEMS = Metric(
    "relay_health_problems",
    "gauge",
    "What `/healthz` fails for: tasks that ended, lanes, partitions or sources that are stuck.",
)
LATE_REPEATS = Metric(
    "relay_resends_after_48h_total",
    "counter",
    "Events sent again after 48 hours, when TikTok no longer drops repeats.",
    ("destination",),
)
KAFKA_MESSAGES = Metric(
    "relay_kafka_messages_total",
    "counter",
    "Messages of topics that are durable here, or were passed over.",
    ("source", "topic"),
)
KAFKA_COMMITS = Metric(
    "relay_kafka_commits_total",
    "counter",
    "Commits of offsets: `done` or `failed`; a failed one is made up for by the next.",
    ("source", "result"),
)
KAFKA_LAG = Metric(
    "relay_kafka_lag_messages",
    "gauge",
    "Messages not yet read, of the partitions that this relay has.",
    ("source", "topic"),
)
KAFKA_STATE = Metric(
    "relay_kafka_source_state",
    "gauge",
    "1 for the state a Kafka source is in, 0 for the others: `connecting`, `no_topic` (one is "
    "missing, or may not be read), `reading`, `waiting_for_journal`, `stopped` (too many messages "
    "are invalid).",
    ("source", "state"),
)
LOG_LINES_WITHHELD = Metric(
    "relay_log_lines_withheld_total",
    "counter",
    "Log lines not written because the same was written a moment before.",
    ("line",),
)
TRACE_SPANS = Metric(
    "relay_trace_spans_total",
    "counter",
    "Spans by what became of them: `exported`, `queue_full` (too many waited), `failed` (the "
    "collector did not answer well), `refused` (it took only others), `stopped` (at shutdown), "
    "`broken` (a mistake of the relay's).",
    ("result",),
)
AUDIT_EVERY = Metric(
    "relay_audit_every_seconds",
    "gauge",
    "`audit.every`: how often an audit is due. None where no audit is configured.",
)
AUDIT_LAST_RUN = Metric(
    "relay_audit_last_run_timestamp_seconds",
    "gauge",
    "When the facts of the last audit were gathered.",
    ("advertiser",),
)
AUDIT_PARTIAL = Metric(
    "relay_audit_partial",
    "gauge",
    "1 when facts were missing, so that not everything was judged.",
    ("advertiser",),
)
AUDIT_FINDINGS = Metric(
    "relay_audit_findings",
    "gauge",
    "Findings that stand, by severity.",
    ("advertiser", "severity"),
)
AUDIT_SILENCED = Metric(
    "relay_audit_findings_silenced", "gauge", "Findings that another one explains.", ("advertiser",)
)
AUDIT_CHECKS = Metric(
    "relay_audit_checks", "gauge", "Checks by what became of them.", ("advertiser", "state")
)
AUDIT_SPEND = Metric(
    "relay_audit_spend",
    "gauge",
    "Spend of the days looked at, in the account's currency.",
    ("advertiser", "currency"),
)
AUDIT_REPORTED = Metric(
    "relay_audit_reported",
    "gauge",
    "Conversions that TikTok reports for the days looked at.",
    ("advertiser",),
)
AUDIT_ARRIVALS = Metric(
    "relay_audit_arrivals",
    "gauge",
    "Arrivals of the days looked at.",
    ("advertiser", "destination", "event"),
)
AUDIT_DELIVERED = Metric(
    "relay_audit_delivered",
    "gauge",
    "Events delivered, of the days looked at.",
    ("advertiser", "destination", "event"),
)
AUDIT_COUNTED = Metric(
    "relay_audit_counted",
    "gauge",
    "Events that TikTok counts from a server, of the days looked at.",
    ("advertiser", "destination", "event"),
)
AUDIT_ATTRIBUTED = Metric(
    "relay_audit_attributed",
    "gauge",
    "Events that TikTok attributes to ads, of the days looked at.",
    ("advertiser", "destination", "event"),
)
AUDIT_CPA = Metric(
    "relay_audit_cpa",
    "gauge",
    "Cost of a conversion over mature days, by whose count: `platform`, `verified` (by clicks that "
    "the relay saw) or `blended` (all delivered).",
    ("advertiser", "currency", "basis"),
)
AUDIT_ROAS = Metric(
    "relay_audit_roas",
    "gauge",
    "Value per unit of spend over mature days, by whose count.",
    ("advertiser", "basis"),
)
AUDIT_CLAIMED = Metric(
    "relay_audit_claimed_ratio",
    "gauge",
    "Share of the delivered conversions that TikTok reports as its own.",
    ("advertiser",),
)
AUDIT_RUNS = Metric(
    "relay_audit_runs_total",
    "counter",
    "Audits by how they ended: `whole`, `partial` or `failed`.",
    ("result",),
)
BUILD_INFO = Metric(
    "relay_build_info",
    "gauge",
    "1, with the relay's version, and whether it accepts and delivers (`all`), or does one of them "
    "(`ingest`, `deliver`).",
    ("version", "role"),
)

#: What the last audits found.
AUDIT_GAUGES = (
    AUDIT_LAST_RUN,
    AUDIT_PARTIAL,
    AUDIT_FINDINGS,
    AUDIT_SILENCED,
    AUDIT_CHECKS,
    AUDIT_SPEND,
    AUDIT_REPORTED,
    AUDIT_ARRIVALS,
    AUDIT_DELIVERED,
    AUDIT_COUNTED,
    AUDIT_ATTRIBUTED,
    AUDIT_CPA,
    AUDIT_ROAS,
    AUDIT_CLAIMED,
)

METRICS = (
    ARRIVALS,
    OUTCOMES,
    IGNORED,
    DROPPED_FIELDS,
    SIGNATURE_FAILURES,
    DOOR_REFUSALS,
    ACCEPT_SECONDS,
    ACCEPTED_EVENTS,
    MATCH_KEYS,
    MATCH_KEY_COVERAGE,
    JOURNAL_ENTRIES,
    JOURNAL_BYTES,
    JOURNAL_MAX_BYTES,
    JOURNAL_OLDEST_SECONDS,
    JOURNAL_DAMAGED,
    JOURNAL_HEALTHY,
    DISK_FREE_BYTES,
    DISK_MIN_FREE_BYTES,
    CONSERVATION_GAP,
    ATTEMPTS,
    ATTEMPT_SECONDS,
    DELIVERY_LAG_SECONDS,
    LANE_STATE,
    MAX_EVENT_AGE_SECONDS,
    HEALTH_PROBLEMS,
    LATE_REPEATS,
    KAFKA_MESSAGES,
    KAFKA_COMMITS,
    KAFKA_LAG,
    KAFKA_STATE,
    AUDIT_EVERY,
    *AUDIT_GAUGES,
    AUDIT_RUNS,
    TRACE_SPANS,
    LOG_LINES_WITHHELD,
    BUILD_INFO,
)

#: Beside these every line has `time`, `level` and its name, `event`.
LOG_LINES: dict[str, tuple[str, ...]] = {
    "service.starting": ("version", "public", "operator", "destinations", "sources"),
    "service.ready": ("seconds",),
    "service.draining": ("signal", "waiting"),
    "service.stopped": ("seconds", "waiting"),
    "config.doubtful": ("key", "problem", "mend"),
    "delivery.attempted": (
        "attempt_id", "destination", "number", "events", "size_bytes", "seconds",
        "verdict", "status", "code", "request_id", "error",
    ),
    "delivery.late_repeat": ("destination", "events", "age_s"),
    "delivery.unknown_code": ("destination", "code", "request_id", "verdict"),
    "lane.changed": ("destination", "state", "before", "code", "request_id", "retry_in_s"),
    "signature.refused": ("source", "reason", "withheld"),
    "door.refused": ("reason", "withheld"),
    "journal.failing": ("error", "withheld"),
    "journal.trouble": ("what", "error", "withheld"),
    "journal.recovered": ("seconds",),
    "journal.damaged": ("records", "withheld"),
    "secret.unavailable": ("reference", "reason", "withheld"),
    "person.erased": ("source", "traces"),
    "sender.uninstalled": ("source",),
    "kafka.waiting": ("source", "error", "withheld"),
    "kafka.assigned": ("source", "partitions"),
    "kafka.commit_failed": ("source", "error", "withheld"),
    "kafka.stopped": ("source", "partition", "offset", "invalid", "seen"),
    "audit.done": ("accounts", "findings", "partial", "seconds"),
    "audit.critical": ("advertiser", "check", "subject", "since"),
    "audit.failed": ("error", "advertiser", "endpoint", "code", "request_id", "retry_in_s"),
    "traces.lost": ("result", "spans", "error", "withheld"),
    "task.failed": ("task", "error", "where"),
    "library.spoke": ("library", "template", "error", "where", "withheld"),
}  # fmt: skip

#: TikTok's standard events (web and app) are always labels of their own; of custom names only the
#: first `MAX_CUSTOM_EVENTS` that come by are, the others share "other".
#: TikTok help, "Supported standard events"; TikTok business SDK, event types.
STANDARD_EVENTS = frozenset(
    {
        "AchieveLevel", "AddPaymentInfo", "AddToCart", "AddToWishlist", "ApplicationApproval",
        "Checkout", "CompletePayment", "CompleteRegistration", "CompleteTutorial", "Contact",
        "CreateGroup", "CreateRole", "CustomizeProduct", "Download", "FindLocation",
        "GenerateLead", "InAppADClick", "InAppADImpr", "InitiateCheckout", "InstallApp",
        "JoinGroup", "LaunchAPP", "Lead", "LoanApplication", "LoanApproval", "LoanDisbursal",
        "Login", "PlaceAnOrder", "Purchase", "Rate", "Registration", "Schedule", "Search",
        "SpendCredits", "StartTrial", "SubmitApplication", "SubmitForm", "Subscribe",
        "UnlockAchievement", "ViewContent",
    }
)  # fmt: skip
MAX_CUSTOM_EVENTS = 50
