"""TikTok's Marketing API v1.3: reads what an ad account is, spends and reports. Also a library.

In:   a token, and what to read.
Out:  values (`models`, `reports.rows`), in lists that were proven whole; notices where TikTok says
      that they are not.
Fails with: `ManagementError`; its tree is in `errors`.

    http         what waits: connection, calls, lists, the client
    endpoints    what is known of each endpoint       codes       the table of TikTok's codes
    envelope     an answer, opened                    fields      its fields, with their types
    budget       how fast a token may call            retry       what is tried again
    proof        whether pages are one list           oauth       the way to a token
    models       what an account consists of          reports     requests, rows, tasks, files

Decisions, and why:

* **A list is handed out when it is proven, not before.** TikTok's pages are no snapshot. Pages wait
in
  a spool until their number, their keys and their count agree; else the list is read again. So
  nobody ever sees a row of a reading that failed, and what is in memory stays small.
* **What is cut is refused.** Above 20,000 ids TikTok leaves rows out and says so in a header. A
report
  then becomes a task, or `WouldTruncate` where the caller wants none.
* **One budget for a token, moments handed out in the order of asking.** Several lists at once share
it
  without knowing of each other; a throttle holds all of them.
* **A report that timed out is never repeated as it was.** TikTok penalises that: the time is
halved,
  then campaigns are taken apart, then it becomes a task.
* **Secrets are `Hidden`.** They are sent and not shown; errors of the HTTP library end where they
  begin, for their frames know addresses, and one address holds a secret.
"""

from relay.management.budget import Budgets, Limits
from relay.management.http.client import BASE_URL, Client
from relay.management.http.lists import Listing
from relay.management.notices import Notice, NoticeKind
from relay.management.oauth import Grant, consent_url, read_redirect
from relay.management.reports.choice import Choice
from relay.management.reports.http.report import Report
from relay.management.reports.http.store import FileTaskStore
from relay.management.reports.metrics import By, Level
from relay.management.reports.progress import Progress, Stage
from relay.management.reports.request import Output, ReportRequest, Way
from relay.management.reports.rows import ReportRow
from relay.management.reports.tasks import TaskStore
from relay.management.retry import Patience

__all__ = [
    "BASE_URL",
    "Budgets",
    "By",
    "Choice",
    "Client",
    "FileTaskStore",
    "Grant",
    "Level",
    "Limits",
    "Listing",
    "Notice",
    "NoticeKind",
    "Output",
    "Patience",
    "Progress",
    "Report",
    "ReportRequest",
    "ReportRow",
    "Stage",
    "TaskStore",
    "Way",
    "consent_url",
    "read_redirect",
]
