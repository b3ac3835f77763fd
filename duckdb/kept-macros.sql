-- Athena's (Trino's) functions that `activity` and `mentions` need besides those in macros.sql. The columns of `events` do not depend on these.
create or replace macro array_distinct(list) as list_distinct(list);
-- Trino replaces every match, DuckDB the first.
create or replace macro regexp_replace(text, pattern, replacement) as system.main.regexp_replace(text, pattern, replacement, 'g');
