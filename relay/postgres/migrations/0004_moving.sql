-- What came from another journal, see relay/journal/distributed/moving_in.py.

-- What names this journal, and since when (Unix seconds) it was moved elsewhere.
create table identity (journal text not null, sealed_at double precision);
insert into identity (journal) values (replace(gen_random_uuid()::text, '-', ''));

-- Who works on it, see relay/journal/distributed/presence.py.
create table processes (owner text primary key, seen_at timestamptz not null default now());

-- How far imports are; `id` is a digest of what the file holds. Its rows have the numbers from
-- `first_place` on among those of all imports; `standing` is as in relay/journal/moving/standing.py.
create table imports (
    id text primary key,
    began_at double precision not null,
    first_place bigint not null,
    places bigint not null,
    standing text not null
);

-- Arrivals of another journal, some in a row, compressed, each with its place. Fingerprints name
-- them by the partition -2 and the place. `day` is that of their acceptance.
create table history (
    day date not null,
    destination text not null,
    first bigint not null,
    behind bigint not null,
    row bytea not null
);
create index on history (destination, first);
create index on history (day);
