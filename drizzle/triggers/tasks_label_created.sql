-- Labels new tasks: keep_labels writes their rows of task_labels, all of a statement in one INSERT.

create or replace trigger tasks_label_created after insert on tasks
  referencing new table as changed for each statement execute function keep_labels();
