-- Returns the text in which search looks for a needle: the folded title and external id of a task.
--
-- Called by: search_tasks, and the indexes tasks_search and tasks_search_cjk. No SET clause, so that Postgres can inline
-- it.

create or replace function search_text(title_key text, external_id text) returns text
  language sql immutable parallel safe
  return title_key || ' ' || text_fold(coalesce(external_id, ''));
