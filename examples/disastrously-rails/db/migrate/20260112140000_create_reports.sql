create table reports (
  id bigint generated always as identity primary key,
  disaster_id bigint not null references disasters (id) on delete cascade,
  body text not null,
  seen_at timestamptz not null default now()
);

create index reports_by_disaster on reports (disaster_id, seen_at);
