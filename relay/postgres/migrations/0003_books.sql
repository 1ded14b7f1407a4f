-- What an audit needs: more sums, what was wrong with fields, a sample of what was delivered, notes.

-- `late` is by the words of relay/journal/ledger.py, in their order; rows of earlier releases have
-- none. `click_amount` is the part of `amount` that came with a click id.
alter table ledger
    add column tests bigint not null default 0,
    add column worthless bigint not null default 0,
    add column late bigint[] not null default '{}';
alter table ledger_values add column click_amount numeric not null default 0;
create table ledger_reasons (
    hour bigint not null,
    destination text not null,
    event text not null,
    outcome text not null,
    shard integer not null,
    reason text not null,
    count bigint not null,
    primary key (hour, destination, event, outcome, shard, reason)
);

-- What was wrong with fields at the door; `shard` as in the ledger.
create table issues (
    hour bigint not null,
    destination text not null,
    event text not null,
    field text not null,
    reason text not null,
    shard integer not null,
    count bigint not null,
    primary key (hour, destination, event, field, reason, shard)
);

-- Samples, see relay/journal/sample.py; `hour` is that of `event_time`. Digests are salted with the
-- one row of `sampling`, and stand here as signed numbers.
create table sampling (salt bytea not null);
insert into sampling values (decode(replace(gen_random_uuid()::text, '-', ''), 'hex'));
create table samples (
    id bigint generated always as identity primary key,
    hour bigint not null,
    destination text not null,
    event text not null,
    event_id bigint not null,
    event_time bigint not null,
    delivered_at double precision not null,
    purchase bigint,
    click bigint,
    buyer bigint,
    value numeric,
    currency text,
    match_keys integer not null,
    from_tiktok boolean not null,
    share double precision not null
);
create index on samples (hour, id);

-- Notes, in the order of their keys' bytes.
create table notes (
    key text collate "C" primary key,
    value bytea not null
);
