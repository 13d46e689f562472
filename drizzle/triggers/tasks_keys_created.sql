-- New tasks get the keys by which they are sorted, searched and found: see keep_task_keys.

create or replace trigger tasks_keys_created before insert on tasks
  for each row execute function keep_task_keys();
