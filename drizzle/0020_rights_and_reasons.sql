-- Bulk operations can archive, restore and rework (to_kind is the stage that a rework leads to), and one in which every
-- task was refused ends as refused.
--
-- The checks are verified while the table is locked. It has a row for each operation, not for each task, so that takes
-- milliseconds even after years.
ALTER TABLE "bulk_operations" DROP CONSTRAINT "bulk_operations_state";--> statement-breakpoint
ALTER TABLE "bulk_operations" DROP CONSTRAINT "bulk_operations_action";--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD COLUMN "to_kind" text;--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD CONSTRAINT "bulk_operations_to_kind" CHECK ("bulk_operations"."to_kind" = any ('{"ingestion","authoring","pre_qa","output_generation","expert_review","calibration","delivery"}'::text[]));--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD CONSTRAINT "bulk_operations_rework_to_kind" CHECK (("bulk_operations"."action" is not distinct from 'rework') = ("bulk_operations"."to_kind" is not null));--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD CONSTRAINT "bulk_operations_state" CHECK ("bulk_operations"."state" = any ('{"queued","running","completed","partial","failed","refused","cancelled"}'::text[]));--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD CONSTRAINT "bulk_operations_action" CHECK ("bulk_operations"."action" = any ('{"advance","retry","run_pipelines","edit","archive","restore","rework","revert"}'::text[]));
