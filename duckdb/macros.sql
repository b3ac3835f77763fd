-- Athena's (Trino's) functions as DuckDB macros, so that each query is written once. Only functions that the queries use.

-- Trino quotes a key in a path as ["…"], DuckDB as ."…".
create or replace macro path_here(path) as replace(replace(path, '["', '."'), '"]', '"');
create or replace macro json_extract_scalar(document, path) as
  case when json_valid(document) and coalesce(json_type(document, path_here(path)), 'NULL') not in ('OBJECT', 'ARRAY')
    then json_extract_string(document, path_here(path)) end;
create or replace macro json_extract(document, path) as
  case when json_valid(document) then system.main.json_extract(document, path_here(path)) end;
create or replace macro json_format(document) as cast(document as varchar);
create or replace macro array_join(list, separator) as array_to_string(list, separator);
-- An atomic group is one that Trino never tries again. RE2 tries nothing twice, and has no such groups. In its place is a capturing one, not
-- `(?:`, since DuckDB makes a LIKE of an expression of only texts and `.*`, and its LIKE tries every place for each of them.
create or replace macro regexp_like(text, pattern) as regexp_matches(text, replace(pattern, '(?>', '('));

-- The ARNs of a record's resources; some resources have only an ARN prefix.
create or replace macro arns_of(resources) as list_filter(
  list_transform(cast(json_extract(resources, '$[*]') as json[]),
    lambda one: coalesce(json_extract_string(one, '$.ARN'), json_extract_string(one, '$.ARNPrefix'))),
  lambda arn: arn is not null);
