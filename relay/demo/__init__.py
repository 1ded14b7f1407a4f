"""`relay demo`: the whole story on one machine, and whether it adds up.

    story      the acts, in order
    payloads   what senders send: shops' webhooks, JSON, a file; with what is wrong in real data
    signing    how the shops sign. Pure
    relay_process  the relay as a process of its own, so that it can be killed
    http       the senders: they post, and remember what was acknowledged
    accounts   what the journal holds, row by row
    sums       the equations. Pure
    screen     what a person sees of it

What is shown is measured, not asserted: the senders count what they were promised, the stand-in
counts what reached it, and the journal is read from its files, not asked of the relay. The demo
succeeds only if the three agree.
"""
