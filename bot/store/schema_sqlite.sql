create table if not exists goqite (
  id text primary key default ('m_' || lower(hex(randomblob(16)))),
  created text not null default (strftime('%Y-%m-%dT%H:%M:%fZ')),
  updated text not null default (strftime('%Y-%m-%dT%H:%M:%fZ')),
  queue text not null,
  body blob not null,
  timeout text not null default (strftime('%Y-%m-%dT%H:%M:%fZ')),
  received integer not null default 0,
  priority integer not null default 0
) strict;

create trigger if not exists goqite_updated_timestamp after update on goqite begin
  update goqite set updated = strftime('%Y-%m-%dT%H:%M:%fZ') where id = old.id;
end;

create index if not exists goqite_queue_priority_created_idx on goqite (queue, priority desc, created);

create table if not exists seen (
  key blob primary key,
  at integer not null
) strict, without rowid;

create table if not exists job (
  id text primary key,
  state text not null,
  created integer not null,
  changed integer not null,
  body blob not null
) strict;

create index if not exists job_state_idx on job (state);

create table if not exists lane (
  cell text primary key,
  job text not null
) strict, without rowid;

-- commands of the last minute, for the rate of each user
create table if not exists recent (
  id text primary key,
  who text not null,
  at integer not null,
  before integer not null
) strict, without rowid;

create index if not exists recent_who_at_idx on recent (who, at);

create table if not exists format (
  version integer primary key
) strict;
