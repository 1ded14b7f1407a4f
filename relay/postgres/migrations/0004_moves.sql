-- What was imported from another journal, and what becomes of a journal that was exported.

-- Arrivals that were settled elsewhere: `rows` are JSON, compressed, of those from `first` on. They
-- are of the partition -2 in `fingerprints`, `attempts` and `progress`, whose `claimed` counts them.
create table moved (
    day date not null,
    destination text not null,
    first bigint not null,
    behind bigint not null,
    rows bytea not null
) partition by range (day);
create index on moved (destination, first);

-- Imported arrivals that wait, on their way through the topic: a message that finds its row here
-- for the first time takes it away; one that finds none was written twice.
create table arriving (
    destination text not null,
    place bigint not null,
    primary key (destination, place)
);

-- How many lines of an export are stored. Of the line `claimed` the arrivals are booked, as places
-- from `place` on, and their messages may be written.
create table imports (
    export text primary key,
    journals text[] not null,
    began_at double precision not null,
    lines bigint not null default 0,
    claimed bigint not null default 0,
    place bigint not null default 0,
    finished boolean not null default false,
    told jsonb not null default '{}'
);

-- What names this journal among all others, and the seal of one that was moved.
create table identity (
    journal text not null,
    sealed_at double precision,
    sealed_by text,
    sealed_into text
);
insert into identity (journal) values (replace(gen_random_uuid()::text, '-', ''));

-- Salts of samples that were imported beside others.
create table former_salts (salt bytea primary key);
