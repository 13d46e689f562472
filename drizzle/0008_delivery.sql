ALTER TABLE "pipeline_dispatches" ADD COLUMN "not_before" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "pipelines" ADD COLUMN "previous_secret_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "pipelines" ADD CONSTRAINT "pipelines_signed" CHECK ("pipelines"."endpoint" is null or "pipelines"."secret" is not null);--> statement-breakpoint
ALTER TABLE "pipelines" ADD CONSTRAINT "pipelines_previous_secret" CHECK (("pipelines"."previous_secret" is null) = ("pipelines"."previous_secret_until" is null));