create table disasters (
  id bigint generated always as identity primary key,
  name text not null unique,
  happened_on date not null
);
