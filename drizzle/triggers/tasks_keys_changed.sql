-- A task with another title or external id gets other keys, and nothing else can change them: see keep_task_keys. The
-- condition costs a move next to nothing.

create or replace trigger tasks_keys_changed before update on tasks for each row
  when ((new.title, new.external_id, new.title_key, new.external_id_key)
    is distinct from (old.title, old.external_id, old.title_key, old.external_id_key))
  execute function keep_task_keys();
