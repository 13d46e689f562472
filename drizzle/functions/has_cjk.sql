-- Whether the text has a character of a script that is written without spaces and whose words can be two characters long:
-- Chinese, Japanese (with kana) and Korean. The service has the same ranges (src/domain/search.ts).
--
-- Called by: search_pairs, search_tasks, and the index tasks_search_cjk.

create or replace function has_cjk(x text) returns boolean language sql immutable strict parallel safe
  return x collate "C" ~ '[\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303b\u3041-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f\uffa1-\uffdc\U0001aff0-\U0001b16f\U00020000-\U0003ffff]';
