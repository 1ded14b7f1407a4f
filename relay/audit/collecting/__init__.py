"""Facts first: one collector asks the relay's books and TikTok, and notes of each part when it was
read and what is missing of it. What cannot be read makes an audit partial, never wrong.

    collect     the order of it all            account     the hierarchy and the event sources
    reports     days and hours                 books       what the relay knows
    gathering   completeness of each part      translate   from the client's words to facts: pure
    snapshots   days as earlier audits saw them: pure
"""

from __future__ import annotations

from relay.audit.collecting.books import Books
from relay.audit.collecting.collect import Assignment, Collector, Progress

__all__ = ["Assignment", "Books", "Collector", "Progress"]
