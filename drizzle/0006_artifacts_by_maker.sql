-- What another maker made, or the same one at another step, is another artifact, though it has the same content. The
-- longest names still fit: 4 x 600 bytes, of the 2,704 that an entry of an index may have. Rows that were unique by
-- less are unique by more.
ALTER TABLE "data" DROP CONSTRAINT "data_content";--> statement-breakpoint
ALTER TABLE "data" ADD CONSTRAINT "data_content" UNIQUE NULLS NOT DISTINCT("tenant_id","task_id","kind","sha256","step_id","model","model_revision","agent","provider");--> statement-breakpoint
-- For each row that is swept the foreign key asks whether a trial names it: without this, all trials of its tenant.
CREATE INDEX "trials_output" ON "trials" USING btree ("tenant_id","output_data_id") WHERE output_data_id is not null;--> statement-breakpoint

-- Only what never came is taken away: an artifact is history, and its content is kept for it.
create trigger data_artifacts_kept before delete on data for each row
  when (old.stored_at is not null or old.uri is not null)
  execute function refuse_change('Nothing deletes history.');
--> statement-breakpoint
create trigger data_no_truncate before truncate on data for each statement
  execute function refuse_change('Nothing deletes history.');
--> statement-breakpoint

-- Whoever marks content as stored ends the claim of a sweep that died, as the next sweep would.
grant delete on swept_objects to stepledger_app;
