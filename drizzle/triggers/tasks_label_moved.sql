-- Labels changed tasks again: keep_labels rewrites their rows of task_labels, all of a statement in one INSERT. Reviews
-- and runs need no trigger of their own, because whatever a label depends on also changes event_seq of its task.

create or replace trigger tasks_label_moved after update on tasks
  referencing new table as changed for each statement execute function keep_labels();
