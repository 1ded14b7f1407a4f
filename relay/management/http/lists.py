"""Lists: read whole, proven to be one list, then handed out.

A list that changes while it is read is read again, a few times. So nothing of it is handed out
before its last page has come; until then its pages lie in a `Spool`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import orjson

from relay import scrub
from relay.management.endpoints import Endpoint
from relay.management.errors import About, PageChanged
from relay.management.fields import Record
from relay.management.http.ahead import Tasks
from relay.management.http.calls import Caller
from relay.management.http.spool import Spool
from relay.management.notices import Notice, NoticeKind, OnNotice, nobody
from relay.management.proof import Changed, KeyOf, Leaf, Page, Proof, key_by, page_of
from relay.management.query import Params

T = TypeVar("T")

#: What to do with each page as it comes, the first one first: its number, and pages in all.
OnPage = Callable[[Page, int, int], None]


@dataclass(frozen=True, slots=True)
class Question:
    """A list to be read. `key_of` None takes the endpoint's own key."""

    endpoint: Endpoint
    params: Params
    key_of: KeyOf | None = None
    on_page: OnPage | None = None


@dataclass(frozen=True, slots=True)
class Proven:
    """A list that proved itself; close its spool."""

    spool: Spool
    endpoint: Endpoint
    about: About
    rows: int
    total: int | None

    def pages(self) -> Iterator[Iterator[Record]]:
        """Its rows, page after page."""
        for body in self.spool.bodies():
            envelope = orjson.loads(body)
            about = self.about._replace(request_id=scrub.request_id(envelope.get("request_id")))
            yield Record(envelope.get("data") or {}, about).records(self.endpoint.rows)

    def close(self) -> None:
        self.spool.close()


class Lists:
    """Reads lists with the calls of one client."""

    def __init__(self, caller: Caller, tasks: Tasks) -> None:
        self._caller = caller
        self._tasks = tasks

    async def read(self, question: Question, tell: OnNotice) -> Proven:
        """The whole list. Raises `PageChanged` when it changes under every reading."""
        reason = ""
        for reading in range(1, self._caller.patience.readings + 1):
            spool = Spool()
            try:
                proven = await self._read_once(question, spool, tell)
            except Changed as changed:
                spool.close()
                reason = str(changed)
                continue
            except BaseException:
                spool.close()
                raise
            if reading > 1:
                tell(_read_again(question.endpoint, reason))
            return proven
        about = About(question.endpoint.path, question.params.get("advertiser_id"))
        raise PageChanged(
            f"The list changed during every reading: {reason}", about, field="page_info"
        )

    async def read_all(
        self, questions: Iterable[Question], tell: OnNotice
    ) -> AsyncGenerator[Proven, None]:
        """Several lists in order, the next ones read ahead; each is closed when the next is asked
        for."""
        makers = (partial(self.read, question, tell) for question in questions)
        width = self._caller.limits.in_flight
        async with aclosing(self._tasks.in_order(makers, width, Proven.close)) as lists:
            async for proven in lists:
                try:
                    yield proven
                finally:
                    proven.close()

    async def _read_once(self, question: Question, spool: Spool, tell: OnNotice) -> Proven:
        endpoint = question.endpoint
        proof = Proof(endpoint, question.key_of or key_by(endpoint))
        first = await self._page(question, proof, tell, 1)
        self._take(proof, spool, first, 1)
        if first.cursor is not None:
            await self._follow(question, proof, spool, first.cursor, tell)
        elif first.pages is None and endpoint.page_size and first.count >= endpoint.page_size:
            tell(_uncounted(endpoint))
        makers = (
            partial(self._page, question, proof, tell, number)
            for number in range(2, proof.pages + 1)
        )
        width = self._caller.limits.in_flight
        async with aclosing(self._tasks.in_order(makers, width)) as pages:
            number = 1
            async for page in pages:
                number += 1
                self._take(proof, spool, page, number)
        proof.end()
        return Proven(spool, endpoint, first.about, proof.rows, proof.total)

    async def _follow(
        self, question: Question, proof: Proof, spool: Spool, cursor: str | None, tell: OnNotice
    ) -> None:
        """The pages of a list that is read by cursors."""
        number, passed = 1, {cursor}
        while cursor is not None:
            number += 1
            page = await self._page(question, proof, tell, number, cursor)
            self._take(proof, spool, page, number)
            cursor = page.cursor
            if cursor in passed:
                raise Changed("a cursor leads back")
            passed.add(cursor)

    async def _page(
        self,
        question: Question,
        proof: Proof,
        tell: OnNotice,
        number: int,
        cursor: str | None = None,
    ) -> Leaf:
        """A page; its rows go as soon as they were looked at, for those in front may be late."""
        endpoint = question.endpoint
        place: dict[str, Any] = {}
        if endpoint.page_size:
            asked = number if cursor is None else None
            place = {"page": asked, "page_size": endpoint.page_size, "cursor": cursor}
        answer = await self._caller.call(endpoint, {**question.params, **place})
        for notice in answer.notices:
            tell(notice)
        page = page_of(endpoint, answer)
        if question.on_page:
            question.on_page(page, number, max(number, page.pages or 1))
        return proof.leaf(page)

    @staticmethod
    def _take(proof: Proof, spool: Spool, leaf: Leaf, number: int) -> None:
        proof.take(leaf, number)
        spool.add(leaf.body)


def _read_again(endpoint: Endpoint, reason: str) -> Notice:
    text = f"the list changed while it was read ({reason}); the last reading is whole"
    return Notice(NoticeKind.READ_AGAIN, endpoint.path, text, incomplete=False)


def _uncounted(endpoint: Endpoint) -> Notice:
    text = "a full page came without a count; there may be more rows"
    return Notice(NoticeKind.NO_TOTAL, endpoint.path, text, incomplete=True)


#: The records of a list become values.
Read = Callable[[Record], Iterable[T]]


class Listing(Generic[T]):
    """What a list of TikTok's holds; read it with `async for`, or `await listing.all()`, once.

    Rows come when the whole list has been read and proved itself. Afterwards `rows` says how many
    there were and `notices` what TikTok said beside; `is_complete` is False when it said that not
    everything was there.
    """

    def __init__(
        self,
        lists: Lists,
        questions: Iterable[tuple[Question, Read[T]]],
        on_notice: OnNotice = nobody,
    ) -> None:
        self.notices: list[Notice] = []
        self.rows = 0
        self._lists = lists
        self._questions = questions
        self._on_notice = on_notice
        self._begun = False

    @property
    def is_complete(self) -> bool:
        return not any(notice.incomplete for notice in self.notices)

    def __aiter__(self) -> AsyncIterator[T]:
        if self._begun:
            raise RuntimeError("a listing can be read once; ask the client for another")
        self._begun = True
        return self._values()

    async def all(self) -> list[T]:
        """Everything at once."""
        return [value async for value in self]

    async def _values(self) -> AsyncGenerator[T, None]:
        questions, reads = deque[Question](), deque[Read[T]]()
        for question, read in self._questions:
            questions.append(question)
            reads.append(read)
        async with aclosing(self._lists.read_all(questions, self._note)) as lists:
            async for proven in lists:
                read = reads.popleft()
                for page in proven.pages():
                    for record in page:
                        for value in read(record):
                            self.rows += 1
                            yield value
                    await asyncio.sleep(0)  # whoever else reads gets a turn

    def _note(self, notice: Notice) -> None:
        if notice not in self.notices:
            self.notices.append(notice)
            self._on_notice(notice)
