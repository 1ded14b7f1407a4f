"""What can go wrong with TikTok's Marketing API, named. A docstring says what to do about it.

    ManagementError
    ├── Unreachable          no usable answer came, or TikTok failed, and trying again did not help
    │   └── TimedOut         TikTok took too long: ask for less, never for the same again
    ├── Throttled            the rate limit holds longer than the call may wait
    ├── DeadlineExceeded     the call took longer than it was given
    ├── CredentialRefused    the token, or the authorization code, is not accepted
    ├── PermissionRefused    the token is good, but not for this
    ├── CallRefused          TikTok says the request itself is wrong
    │   └── Retired          TikTok has withdrawn the endpoint or a field
    ├── AnswerUnreadable     an answer came that cannot be read
    │   └── PageChanged      the list kept changing while it was read
    ├── WouldTruncate        TikTok would silently leave out a part of what was asked for
    ├── TaskFailed           a report task ended without a report
    ├── RequestInvalid       refused before anything was sent: the text names the field and the mend
    └── RedirectRefused      what came back from the consent page cannot be used

No error holds a token, a secret, an authorization code or the address of a file.
"""

from __future__ import annotations

from typing import NamedTuple

from relay.errors import RelayError


class About(NamedTuple):
    """Which call an error is about.

    `endpoint` is a path like `/campaign/get/`, without its query; `code` is the one in the body of
    TikTok's answer, `name` what its SDK calls it, `request_id` what its support asks for.
    """

    endpoint: str | None = None
    advertiser_id: str | None = None
    code: int | None = None
    name: str | None = None
    request_id: str | None = None

    def __str__(self) -> str:
        parts = (
            self.endpoint,
            f"advertiser {self.advertiser_id}" if self.advertiser_id else None,
            f"code {self.code} {self.name or ''}".rstrip() if self.code is not None else None,
            f"request {self.request_id}" if self.request_id else None,
        )
        return ", ".join(part for part in parts if part)


NOTHING_KNOWN = About()


class ManagementError(RelayError):
    """TikTok's Marketing API did not give what was asked for; `about` says in which call."""

    def __init__(self, detail: str = "", about: About = NOTHING_KNOWN) -> None:
        super().__init__(detail)
        self.about = about

    @property
    def endpoint(self) -> str | None:
        return self.about.endpoint

    @property
    def code(self) -> int | None:
        return self.about.code

    @property
    def request_id(self) -> str | None:
        return self.about.request_id

    def __str__(self) -> str:
        text, known = super().__str__(), str(self.about)
        return f"{text} ({known})" if known else text


class Unreachable(ManagementError):
    """TikTok does not answer, or says that it fails; try again later."""


class TimedOut(Unreachable):
    """TikTok took too long; ask for a shorter time or fewer objects, not for the same again."""


class Throttled(ManagementError):
    """Too many requests for this token; `retry_in_s` says when to come back, as far as known."""

    def __init__(
        self, detail: str = "", about: About = NOTHING_KNOWN, *, retry_in_s: float | None = None
    ) -> None:
        super().__init__(detail, about)
        self.retry_in_s = retry_in_s


class DeadlineExceeded(ManagementError):
    """The answer did not come in the time the call was given."""


class CredentialRefused(ManagementError):
    """TikTok does not accept the token or the code; run `relay login` again."""


class PermissionRefused(ManagementError):
    """The token has no right to this; grant it in TikTok's Business Center, or log in again."""


class CallRefused(ManagementError):
    """TikTok says that the request is wrong; sending it again will not help."""


class Retired(CallRefused):
    """TikTok has withdrawn this endpoint or one of its fields; a newer relay may know better."""


class AnswerUnreadable(ManagementError):
    """An answer is not what the endpoint promises; `field` is where, never what was there."""

    def __init__(
        self, detail: str = "", about: About = NOTHING_KNOWN, *, field: str | None = None
    ) -> None:
        super().__init__(detail, about)
        self.field = field


class PageChanged(AnswerUnreadable):
    """The list changed while it was read, every time; read it again when fewer edits are made."""


class WouldTruncate(ManagementError):
    """TikTok would leave out a part without saying so; ask for less at a time."""


class TaskFailed(ManagementError):
    """TikTok could not make the report; `status` and the text say why, as far as it does."""

    def __init__(
        self,
        detail: str = "",
        about: About = NOTHING_KNOWN,
        *,
        task_id: str | None = None,
        status: str | None = None,
    ) -> None:
        super().__init__(detail, about)
        self.task_id = task_id
        self.status = status


class RequestInvalid(ManagementError):
    """What was asked for cannot be had; nothing was sent. The text names the field and the mend."""

    def __init__(self, field: str, problem: str, mend: str) -> None:
        super().__init__(f"{field}: {problem}. {mend}")
        self.field = field
        self.problem = problem
        self.mend = mend


class RedirectRefused(ManagementError):
    """What came back from TikTok's consent page cannot be used; start the login again."""
