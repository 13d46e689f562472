-- What another maker made, or the same one at another step, is another artifact, though it has the same content. The
-- longest names still fit: 4 x 600 bytes, of the 2,704 that an entry of an index may have. Rows that were unique by
-- less are unique by more.
ALTER TABLE "data" DROP CONSTRAINT "data_content";--> statement-breakpoint
ALTER TABLE "data" ADD CONSTRAINT "data_content" UNIQUE NULLS NOT DISTINCT("tenant_id","task_id","kind","sha256","step_id","model","model_revision","agent","provider");