-- What replicas that deliver share. Times are Unix seconds by this database's clock.

-- What holds for a destination: one replica's finding is everybody's. `version` counts findings; one
-- that rests on an older version is void. `prober` asks, alone, until `prober_until`.
create table lanes (
    destination text primary key,
    version bigint not null default 0,
    state text not null default 'running',
    since double precision,
    cause jsonb,
    probe_at double precision not null default '-infinity',
    failures integer not null default 0,
    prober text,
    prober_until double precision not null default '-infinity'
);

-- The request budget of a token, named by a digest of where its secret is kept. The first columns
-- are what the limiter knows; the last say whether several replicas ask for moments.
create table budgets (
    token bytea primary key,
    rate double precision not null,
    wall double precision,
    next_at double precision not null default '-infinity',
    held_until double precision not null default '-infinity',
    cut_at double precision not null default '-infinity',
    proved_at double precision not null default '-infinity',
    streak integer not null default 0,
    lessee text,
    leased_at double precision not null default '-infinity',
    contested_at double precision not null default '-infinity'
);
