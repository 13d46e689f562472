-- "My tasks", and those of a subject: without an index a list of 50 read every task of the tenant until it had them, or all
-- where there are fewer. For somebody who has none among 1,000,000 tasks that took 400 to 460 ms through the Worker; with
-- the index 13 ms (Index Scan using tasks_assignee). Most tasks lack one or the other, and cost nothing. A move changes
-- neither column, so the update of a task's row stays HOT.
CREATE INDEX "tasks_assignee" ON "tasks" USING btree ("tenant_id","assignee","id") WHERE "tasks"."assignee" is not null;--> statement-breakpoint
CREATE INDEX "tasks_taxonomy_code" ON "tasks" USING btree ("tenant_id","taxonomy_code","id") WHERE "tasks"."taxonomy_code" is not null;
