-- What the journal keeps beside its topics. Times are Unix seconds by the relay's clock, but for
-- leases, which go by the database's. Tables with a day are dropped day by day.

-- How far each partition of a destination's topic is. `epoch` fences: who owns a partition raised
-- it, and every write of an earlier owner fails. Offsets below `low` are done (settled, or parked);
-- `done` holds the ranges of those above it. `accepted` and `settled` count arrivals; partition -1
-- counts what was parked and settled later, by whichever replica.
create table progress (
    destination text not null,
    partition integer not null,
    epoch bigint not null default 0,
    owner text not null default '',
    claimed bigint not null default 0,
    low bigint not null default 0,
    done jsonb not null default '[]',
    open bigint not null default 0,
    accepted bigint not null default 0,
    settled bigint not null default 0,
    waiting_bytes bigint not null default 0,
    oldest_at double precision,
    primary key (destination, partition)
);

-- Who owns an event: `key` is a digest of (destination, event, event id), or of a receipt that may
-- come again; `tag` of the receipt that owns it. Each day has a unique index of its own on `key`.
create table claims (
    day date not null,
    key bytea not null,
    tag bigint not null,
    at double precision not null
) partition by range (day);

-- What can be searched: rows as in relay/journal/fingerprint.py, each with the offsets it is about.
create table fingerprints (
    day date not null,
    destination text not null,
    partition integer not null,
    offsets bigint[] not null,
    row bytea not null
) partition by range (day);

-- Attempts and endings: rows as in relay/journal/attempts.py, their seqs being offsets.
create table attempts (
    day date not null,
    destination text not null,
    partition integer not null,
    first bigint not null,
    behind bigint not null,
    unknown boolean not null,
    row bytea not null
) partition by range (day);
create index on attempts (destination, partition, first);
create index on attempts (destination, partition) where unknown;

-- Works that wait for a later attempt, a row an entry. Taken by one replica until its lease ends.
create table parked (
    id bigint generated always as identity primary key,
    destination text not null,
    partition integer not null,
    place bigint not null,
    due_at double precision not null,
    claim bytea not null,
    work text not null,
    story bytea not null,
    unknown_since double precision,
    entry bytea not null,
    size_bytes integer not null,
    accepted_at double precision not null,
    taken_by text,
    taken_until timestamptz
);
create index on parked (destination, due_at);

create table dead_letters (
    id text primary key,
    destination text not null,
    at double precision not null,
    replayed_at double precision,
    letter bytea not null,
    wire bytea
);
create index on dead_letters (at, id);

-- Exact sums; `shard` is the partition they came from, so that replicas do not wait for each other.
create table ledger (
    hour bigint not null,
    destination text not null,
    event text not null,
    outcome text not null,
    shard integer not null,
    count bigint not null,
    keys bigint[] not null,
    primary key (hour, destination, event, outcome, shard)
);
create table ledger_values (
    hour bigint not null,
    destination text not null,
    event text not null,
    outcome text not null,
    shard integer not null,
    currency text not null,
    amount numeric not null,
    primary key (hour, destination, event, outcome, shard, currency)
);

-- People who asked to be forgotten, by the digests of their identifiers.
create table erasures (
    digest bytea not null,
    at double precision not null,
    primary key (digest, at)
);

-- What a source must remember between two webhooks of one cart.
create table remembered (
    key bytea primary key,
    value bytea not null,
    at double precision not null
);
create index on remembered (at);
