create extension if not exists pgcrypto;

create or replace function update_timestamp()
returns trigger as $$
begin
   new.updated = now();
   return new;
end;
$$ language plpgsql;

create table if not exists goqite (
  id text primary key default ('m_' || encode(gen_random_bytes(16), 'hex')),
  created timestamptz not null default now(),
  updated timestamptz not null default now(),
  queue text not null,
  body bytea not null,
  timeout timestamptz not null default now(),
  received integer not null default 0,
  priority integer not null default 0
);

create or replace trigger goqite_updated_timestamp
before update on goqite
for each row execute procedure update_timestamp();

create index if not exists goqite_queue_priority_created_idx on goqite (queue, priority desc, created);

create table if not exists seen (
  key bytea primary key,
  at bigint not null
);

create table if not exists job (
  id text primary key,
  state text not null,
  created bigint not null,
  changed bigint not null,
  body bytea not null
);

create index if not exists job_state_idx on job (state);

create table if not exists lane (
  cell text primary key,
  job text not null
);

-- commands of the last minute, for the rate of each user
create table if not exists recent (
  id text primary key,
  who text not null,
  at bigint not null,
  before bigint not null
);

create index if not exists recent_who_at_idx on recent (who, at);

create table if not exists format (
  version integer primary key
);
