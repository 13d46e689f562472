CREATE SEQUENCE "public"."dispatch_event_position" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE SEQUENCE "public"."feed_id" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "analytics_events" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"bulk_operation_id" uuid,
	"properties" jsonb NOT NULL,
	"reverted_at" timestamp with time zone,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "analytics_events_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "api_keys" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"role" text NOT NULL,
	"digest" "bytea" NOT NULL,
	"last_four" text NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"revoked_at" timestamp with time zone,
	"revoked_by" text,
	CONSTRAINT "api_keys_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "api_keys_role" CHECK ("api_keys"."role" in ('viewer', 'operator', 'reviewer', 'admin', 'service'))
);
--> statement-breakpoint
CREATE TABLE "bulk_operation_items" (
	"tenant_id" uuid NOT NULL,
	"operation_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"task_id" text NOT NULL,
	"planned_seq" integer,
	"step_id" uuid,
	"from_status" text,
	"from_gate" text,
	"outcome" text NOT NULL,
	"code" text,
	"from_label" text,
	"to_label" text,
	"event_seq" integer,
	"error" text,
	CONSTRAINT "bulk_operation_items_tenant_id_operation_id_position_pk" PRIMARY KEY("tenant_id","operation_id","position"),
	CONSTRAINT "bulk_operation_items_outcome_known" CHECK ("bulk_operation_items"."outcome" in ('pending', 'changed', 'refused', 'stale', 'failed')),
	CONSTRAINT "bulk_operation_items_from_status" CHECK ("bulk_operation_items"."from_status" in ('pending', 'queued', 'running', 'paused', 'awaiting_input', 'awaiting_review', 'in_review', 'changes_requested', 'approved', 'rejected', 'duplicate', 'failed', 'cancelled')),
	CONSTRAINT "bulk_operation_items_from_gate" CHECK ("bulk_operation_items"."from_gate" in ('locked', 'pending', 'evaluating', 'awaiting_review', 'blocked', 'passed', 'waived', 'failed', 'errored', 'revoked'))
);
--> statement-breakpoint
CREATE TABLE "bulk_operations" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"actor_id" text NOT NULL,
	"actor_name" text NOT NULL,
	"action" text,
	"target_status" text,
	"reason" text NOT NULL,
	"duplicate_of" uuid,
	"run_attached_workflows" boolean NOT NULL,
	"state" text NOT NULL,
	"requested" integer NOT NULL,
	"changed" integer NOT NULL,
	"refused" integer NOT NULL,
	"stale" integer NOT NULL,
	"failed" integer NOT NULL,
	"dispatched" integer NOT NULL,
	"parent_id" uuid,
	"reverted_by" uuid,
	"cancel_requested_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone,
	CONSTRAINT "bulk_operations_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "bulk_operations_state" CHECK ("bulk_operations"."state" in ('queued', 'running', 'completed', 'partial', 'failed', 'cancelled')),
	CONSTRAINT "bulk_operations_target" CHECK ("bulk_operations"."target_status" in ('DRAFT', 'CHECKING_QUALITY', 'QUALITY_CHECK_FAILED', 'READY_TO_SUBMIT', 'SUBMITTED', 'GENERATING_OUTPUT', 'OUTPUT_FAILED', 'IN_REVIEW', 'CHANGES_REQUESTED', 'PASSED', 'DELIVERED', 'REJECTED', 'DUPLICATE')),
	CONSTRAINT "bulk_operations_one_intent" CHECK (("bulk_operations"."action" is null) <> ("bulk_operations"."target_status" is null))
);
--> statement-breakpoint
CREATE TABLE "data" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"task_id" uuid NOT NULL,
	"version_id" uuid NOT NULL,
	"step_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"object_key" text,
	"uri" text,
	"content_type" text NOT NULL,
	"size_bytes" bigint NOT NULL,
	"sha256" "bytea" NOT NULL,
	"stored_at" timestamp with time zone,
	"model" text,
	"model_revision" text,
	"agent" text,
	"provider" text,
	"prompt_id" uuid,
	"insight_id" uuid,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "data_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "data_content" UNIQUE("tenant_id","task_id","sha256","kind"),
	CONSTRAINT "data_kind" CHECK ("data"."kind" in ('golden', 'source', 'calibrated', 'generated', 'delivery')),
	CONSTRAINT "data_sha256_length" CHECK (octet_length("data"."sha256") = 32),
	CONSTRAINT "data_somewhere" CHECK (("data"."object_key" is null) <> ("data"."uri" is null))
);
--> statement-breakpoint
CREATE TABLE "data_inputs" (
	"tenant_id" uuid NOT NULL,
	"child_id" uuid NOT NULL,
	"parent_id" uuid NOT NULL,
	CONSTRAINT "data_inputs_tenant_id_child_id_parent_id_pk" PRIMARY KEY("tenant_id","child_id","parent_id")
);
--> statement-breakpoint
CREATE TABLE "dispatch_events" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"dispatch_id" uuid NOT NULL,
	"from_state" text,
	"to_state" text NOT NULL,
	"actor_id" text NOT NULL,
	"actor_name" text NOT NULL,
	"reason" text,
	"operation_id" uuid,
	"at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	"position" bigint DEFAULT nextval('dispatch_event_position') NOT NULL,
	CONSTRAINT "dispatch_events_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "dispatch_events_from_state" CHECK ("dispatch_events"."from_state" in ('pending', 'sent', 'delivered', 'recalled', 'dead')),
	CONSTRAINT "dispatch_events_to_state" CHECK ("dispatch_events"."to_state" in ('pending', 'sent', 'delivered', 'recalled', 'dead'))
);
--> statement-breakpoint
CREATE TABLE "eval_step_events" (
	"tenant_id" uuid NOT NULL,
	"eval_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"task_id" uuid NOT NULL,
	"trial_id" uuid,
	"type" text NOT NULL,
	"from_status" text,
	"to_status" text NOT NULL,
	"actor_id" text NOT NULL,
	"actor_name" text NOT NULL,
	"actor_kind" text NOT NULL,
	"actor_role" text NOT NULL,
	"reason" text,
	"payload" text NOT NULL,
	"operation_id" uuid NOT NULL,
	"request_id" text NOT NULL,
	"registry_version" integer NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"prev_hash" "bytea" NOT NULL,
	"hash" "bytea" NOT NULL,
	"txid" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	"feed_id" bigint DEFAULT nextval('feed_id') NOT NULL,
	CONSTRAINT "eval_step_events_tenant_id_eval_id_seq_pk" PRIMARY KEY("tenant_id","eval_id","seq"),
	CONSTRAINT "eval_step_events_state" UNIQUE("tenant_id","eval_id","seq","to_status"),
	CONSTRAINT "eval_step_events_type" CHECK ("eval_step_events"."type" in ('eval_created', 'eval_transitioned', 'trials_recorded', 'trial_transitioned', 'trial_retracted')),
	CONSTRAINT "eval_step_events_from_status" CHECK ("eval_step_events"."from_status" in ('draft', 'queued', 'running', 'completed', 'failed', 'cancelled')),
	CONSTRAINT "eval_step_events_to_status" CHECK ("eval_step_events"."to_status" in ('draft', 'queued', 'running', 'completed', 'failed', 'cancelled')),
	CONSTRAINT "eval_step_events_actor_kind" CHECK ("eval_step_events"."actor_kind" in ('person', 'key', 'service', 'system')),
	CONSTRAINT "eval_step_events_actor_role" CHECK ("eval_step_events"."actor_role" in ('viewer', 'operator', 'reviewer', 'admin', 'service'))
);
--> statement-breakpoint
CREATE TABLE "evals" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"task_id" uuid NOT NULL,
	"version_id" uuid NOT NULL,
	"name" text NOT NULL,
	"k" smallint NOT NULL,
	"status" text NOT NULL,
	"event_seq" integer NOT NULL,
	"event_head" "bytea" NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "evals_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "evals_of_task" UNIQUE("tenant_id","id","task_id"),
	CONSTRAINT "evals_status" CHECK ("evals"."status" in ('draft', 'queued', 'running', 'completed', 'failed', 'cancelled')),
	CONSTRAINT "evals_k_range" CHECK ("evals"."k" between 1 and 1000)
);
--> statement-breakpoint
CREATE TABLE "insights" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"task_id" uuid NOT NULL,
	"eval_id" uuid,
	"trial_id" uuid,
	"kind" text NOT NULL,
	"model" text NOT NULL,
	"model_revision" text,
	"agent" text,
	"provider" text,
	"status" text NOT NULL,
	"input" jsonb,
	"output" jsonb,
	"usage" jsonb,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "insights_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "insights_status" CHECK ("insights"."status" in ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'))
);
--> statement-breakpoint
CREATE TABLE "operations" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"actor_id" text NOT NULL,
	"route" text NOT NULL,
	"key" text,
	"fingerprint" text NOT NULL,
	"result" json,
	"parent_id" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone DEFAULT now() + interval '24 hours' NOT NULL,
	CONSTRAINT "operations_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "pipeline_dispatches" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"pipeline" text NOT NULL,
	"task_id" uuid NOT NULL,
	"version_id" uuid NOT NULL,
	"step_id" uuid NOT NULL,
	"cause_seq" integer NOT NULL,
	"by_hand" boolean DEFAULT false NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone DEFAULT now() NOT NULL,
	"lease_until" timestamp with time zone,
	"last_error" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "pipeline_dispatches_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "pipeline_dispatches_pipeline" CHECK ("pipeline_dispatches"."pipeline" in ('quality_automation', 'output_generation', 'post_qa_scoring', 'payment')),
	CONSTRAINT "pipeline_dispatches_state" CHECK ("pipeline_dispatches"."state" in ('pending', 'sent', 'delivered', 'recalled', 'dead'))
);
--> statement-breakpoint
CREATE TABLE "pipelines" (
	"tenant_id" uuid NOT NULL,
	"name" text NOT NULL,
	"endpoint" text,
	"secret" "bytea",
	"previous_secret" "bytea",
	"timeout_seconds" integer DEFAULT 10 NOT NULL,
	"run_deadline_seconds" integer DEFAULT 3600 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "pipelines_tenant_id_name_pk" PRIMARY KEY("tenant_id","name"),
	CONSTRAINT "pipelines_name" CHECK ("pipelines"."name" in ('quality_automation', 'output_generation', 'post_qa_scoring', 'payment'))
);
--> statement-breakpoint
CREATE TABLE "prompts" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"task_id" uuid NOT NULL,
	"version_id" uuid NOT NULL,
	"step_id" uuid NOT NULL,
	"role" text NOT NULL,
	"content" text NOT NULL,
	"content_hash" text NOT NULL,
	"model" text,
	"model_revision" text,
	"agent" text,
	"provider" text,
	"eval_id" uuid,
	"trial_id" uuid,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "prompts_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "reviews" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"task_id" uuid NOT NULL,
	"version_id" uuid NOT NULL,
	"step_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"outcome" text NOT NULL,
	"sequence" integer NOT NULL,
	"notes" text,
	"reviewer_id" text NOT NULL,
	"reviewer_name" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "reviews_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "reviews_sequence" UNIQUE("tenant_id","task_id","sequence"),
	CONSTRAINT "reviews_kind" CHECK ("reviews"."kind" in ('automated', 'expert')),
	CONSTRAINT "reviews_outcome" CHECK ("reviews"."outcome" in ('passed', 'failed'))
);
--> statement-breakpoint
CREATE TABLE "seed_runs" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"state" text NOT NULL,
	"settings" jsonb NOT NULL,
	"clock_at" timestamp with time zone NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp with time zone,
	CONSTRAINT "seed_runs_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "step_events" (
	"tenant_id" uuid NOT NULL,
	"task_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"version_id" uuid NOT NULL,
	"step_id" uuid NOT NULL,
	"type" text NOT NULL,
	"from_status" text,
	"to_status" text NOT NULL,
	"from_gate" text,
	"to_gate" text NOT NULL,
	"duplicate_of" uuid,
	"run_attached_workflows" boolean NOT NULL,
	"bulk_operation_id" uuid,
	"actor_id" text NOT NULL,
	"actor_name" text NOT NULL,
	"actor_kind" text NOT NULL,
	"actor_role" text NOT NULL,
	"reason" text,
	"payload" text NOT NULL,
	"operation_id" uuid NOT NULL,
	"request_id" text NOT NULL,
	"registry_version" integer NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"prev_hash" "bytea" NOT NULL,
	"hash" "bytea" NOT NULL,
	"txid" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	"feed_id" bigint DEFAULT nextval('feed_id') NOT NULL,
	CONSTRAINT "step_events_tenant_id_task_id_seq_pk" PRIMARY KEY("tenant_id","task_id","seq"),
	CONSTRAINT "step_events_pointer" UNIQUE("tenant_id","task_id","seq","step_id"),
	CONSTRAINT "step_events_state" UNIQUE("tenant_id","task_id","seq","step_id","to_status","to_gate"),
	CONSTRAINT "step_events_type" CHECK ("step_events"."type" in ('task_created', 'step_transitioned', 'gate_changed', 'step_advanced', 'step_reworked', 'version_created', 'review_recorded', 'worker_run_changed', 'bulk_transitioned', 'bulk_reverted', 'task_updated', 'task_archived', 'task_restored', 'note_added')),
	CONSTRAINT "step_events_from_status" CHECK ("step_events"."from_status" in ('pending', 'queued', 'running', 'paused', 'awaiting_input', 'awaiting_review', 'in_review', 'changes_requested', 'approved', 'rejected', 'duplicate', 'failed', 'cancelled')),
	CONSTRAINT "step_events_to_status" CHECK ("step_events"."to_status" in ('pending', 'queued', 'running', 'paused', 'awaiting_input', 'awaiting_review', 'in_review', 'changes_requested', 'approved', 'rejected', 'duplicate', 'failed', 'cancelled')),
	CONSTRAINT "step_events_from_gate" CHECK ("step_events"."from_gate" in ('locked', 'pending', 'evaluating', 'awaiting_review', 'blocked', 'passed', 'waived', 'failed', 'errored', 'revoked')),
	CONSTRAINT "step_events_to_gate" CHECK ("step_events"."to_gate" in ('locked', 'pending', 'evaluating', 'awaiting_review', 'blocked', 'passed', 'waived', 'failed', 'errored', 'revoked')),
	CONSTRAINT "step_events_actor_kind" CHECK ("step_events"."actor_kind" in ('person', 'key', 'service', 'system')),
	CONSTRAINT "step_events_actor_role" CHECK ("step_events"."actor_role" in ('viewer', 'operator', 'reviewer', 'admin', 'service'))
);
--> statement-breakpoint
CREATE TABLE "steps" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"task_id" uuid NOT NULL,
	"version_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"attempt" integer NOT NULL,
	"status" text NOT NULL,
	"gate" text NOT NULL,
	"event_seq" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "steps_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "steps_attempt" UNIQUE("tenant_id","version_id","kind","attempt"),
	CONSTRAINT "steps_of_version" UNIQUE("tenant_id","id","task_id","version_id"),
	CONSTRAINT "steps_kind" CHECK ("steps"."kind" in ('ingestion', 'authoring', 'pre_qa', 'output_generation', 'expert_review', 'calibration', 'delivery')),
	CONSTRAINT "steps_status" CHECK ("steps"."status" in ('pending', 'queued', 'running', 'paused', 'awaiting_input', 'awaiting_review', 'in_review', 'changes_requested', 'approved', 'rejected', 'duplicate', 'failed', 'cancelled')),
	CONSTRAINT "steps_gate" CHECK ("steps"."gate" in ('locked', 'pending', 'evaluating', 'awaiting_review', 'blocked', 'passed', 'waived', 'failed', 'errored', 'revoked'))
);
--> statement-breakpoint
CREATE TABLE "task_labels" (
	"tenant_id" uuid NOT NULL,
	"task_id" uuid NOT NULL,
	"unified_status" text NOT NULL,
	"rank" smallint NOT NULL,
	"attention" text[] NOT NULL,
	"since" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "task_labels_tenant_id_task_id_pk" PRIMARY KEY("tenant_id","task_id"),
	CONSTRAINT "task_labels_status" CHECK ("task_labels"."unified_status" in ('DRAFT', 'CHECKING_QUALITY', 'QUALITY_CHECK_FAILED', 'READY_TO_SUBMIT', 'SUBMITTED', 'GENERATING_OUTPUT', 'OUTPUT_FAILED', 'IN_REVIEW', 'CHANGES_REQUESTED', 'PASSED', 'DELIVERED', 'REJECTED', 'DUPLICATE'))
);
--> statement-breakpoint
CREATE TABLE "task_versions" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"task_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"content" jsonb NOT NULL,
	"content_hash" text NOT NULL,
	"current_step_id" uuid NOT NULL,
	"reason" text,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"sealed_at" timestamp with time zone,
	CONSTRAINT "task_versions_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "task_versions_number" UNIQUE("tenant_id","task_id","number"),
	CONSTRAINT "task_versions_of_task" UNIQUE("tenant_id","id","task_id"),
	CONSTRAINT "task_versions_pointer" UNIQUE("tenant_id","id","task_id","current_step_id")
);
--> statement-breakpoint
CREATE TABLE "tasks" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"external_id" text,
	"title" text NOT NULL,
	"taxonomy_code" text,
	"priority" smallint DEFAULT 0 NOT NULL,
	"assignee" text,
	"current_step_id" uuid NOT NULL,
	"active_version_id" uuid NOT NULL,
	"event_seq" integer NOT NULL,
	"event_head" "bytea" NOT NULL,
	"status_since" timestamp with time zone NOT NULL,
	"archived_at" timestamp with time zone,
	"seed_run_id" uuid,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "tasks_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "tasks_priority_range" CHECK ("tasks"."priority" between 0 and 100),
	CONSTRAINT "tasks_event_seq_positive" CHECK ("tasks"."event_seq" > 0),
	CONSTRAINT "tasks_event_head_length" CHECK (octet_length("tasks"."event_head") = 32)
);
--> statement-breakpoint
CREATE TABLE "taxonomy" (
	"tenant_id" uuid NOT NULL,
	"code" text NOT NULL,
	"label" text NOT NULL,
	"parent_code" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "taxonomy_tenant_id_code_pk" PRIMARY KEY("tenant_id","code")
);
--> statement-breakpoint
CREATE TABLE "tenants" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "trials" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"eval_id" uuid NOT NULL,
	"task_id" uuid NOT NULL,
	"k" smallint NOT NULL,
	"model" text NOT NULL,
	"model_revision" text,
	"agent" text,
	"provider" text,
	"status" text NOT NULL,
	"score" double precision,
	"error" text,
	"output_data_id" uuid,
	"retracted_at" timestamp with time zone,
	"retracted_by" text,
	"retract_reason" text,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "trials_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "trials_status" CHECK ("trials"."status" in ('pending', 'running', 'passed', 'failed', 'errored')),
	CONSTRAINT "trials_k_positive" CHECK ("trials"."k" >= 1),
	CONSTRAINT "trials_retraction" CHECK (("trials"."retracted_at" is null) = ("trials"."retracted_by" is null) and ("trials"."retracted_at" is null) = ("trials"."retract_reason" is null))
);
--> statement-breakpoint
CREATE TABLE "webhooks" (
	"tenant_id" uuid NOT NULL,
	"name" text NOT NULL,
	"url" text NOT NULL,
	"events" text[] NOT NULL,
	"secret" "bytea" NOT NULL,
	"previous_secret" "bytea",
	"enabled" boolean DEFAULT true NOT NULL,
	"position_txid" "xid8",
	"position_feed_id" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "webhooks_tenant_id_name_pk" PRIMARY KEY("tenant_id","name")
);
--> statement-breakpoint
CREATE TABLE "worker_runs" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"task_id" uuid NOT NULL,
	"version_id" uuid NOT NULL,
	"step_id" uuid NOT NULL,
	"type" text NOT NULL,
	"state" text NOT NULL,
	"attempt" integer DEFAULT 1 NOT NULL,
	"dispatch_id" uuid,
	"external_ref" text,
	"deadline_at" timestamp with time zone NOT NULL,
	"lease_owner" text,
	"lease_until" timestamp with time zone,
	"result" jsonb,
	"error" text,
	"late_report" jsonb,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "worker_runs_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "worker_runs_type" CHECK ("worker_runs"."type" in ('QUALITY_AUTOMATION', 'EXPERT_REVIEW', 'OUTPUT_GENERATION', 'POST_QA_SCORING', 'PAYMENT')),
	CONSTRAINT "worker_runs_state" CHECK ("worker_runs"."state" in ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'))
);
--> statement-breakpoint
ALTER TABLE "analytics_events" ADD CONSTRAINT "analytics_events_bulk_operation_fk" FOREIGN KEY ("tenant_id","bulk_operation_id") REFERENCES "public"."bulk_operations"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_tenant_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bulk_operation_items" ADD CONSTRAINT "bulk_operation_items_operation_fk" FOREIGN KEY ("tenant_id","operation_id") REFERENCES "public"."bulk_operations"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD CONSTRAINT "bulk_operations_parent_fk" FOREIGN KEY ("tenant_id","parent_id") REFERENCES "public"."bulk_operations"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD CONSTRAINT "bulk_operations_reverted_by_fk" FOREIGN KEY ("tenant_id","reverted_by") REFERENCES "public"."bulk_operations"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "data" ADD CONSTRAINT "data_step_fk" FOREIGN KEY ("tenant_id","step_id","task_id","version_id") REFERENCES "public"."steps"("tenant_id","id","task_id","version_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "data" ADD CONSTRAINT "data_prompt_fk" FOREIGN KEY ("tenant_id","prompt_id") REFERENCES "public"."prompts"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "data" ADD CONSTRAINT "data_insight_fk" FOREIGN KEY ("tenant_id","insight_id") REFERENCES "public"."insights"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "data_inputs" ADD CONSTRAINT "data_inputs_child_fk" FOREIGN KEY ("tenant_id","child_id") REFERENCES "public"."data"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "data_inputs" ADD CONSTRAINT "data_inputs_parent_fk" FOREIGN KEY ("tenant_id","parent_id") REFERENCES "public"."data"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dispatch_events" ADD CONSTRAINT "dispatch_events_dispatch_fk" FOREIGN KEY ("tenant_id","dispatch_id") REFERENCES "public"."pipeline_dispatches"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "eval_step_events" ADD CONSTRAINT "eval_step_events_eval_fk" FOREIGN KEY ("tenant_id","eval_id","task_id") REFERENCES "public"."evals"("tenant_id","id","task_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "evals" ADD CONSTRAINT "evals_version_fk" FOREIGN KEY ("tenant_id","version_id","task_id") REFERENCES "public"."task_versions"("tenant_id","id","task_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "insights" ADD CONSTRAINT "insights_task_fk" FOREIGN KEY ("tenant_id","task_id") REFERENCES "public"."tasks"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "insights" ADD CONSTRAINT "insights_eval_fk" FOREIGN KEY ("tenant_id","eval_id") REFERENCES "public"."evals"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "insights" ADD CONSTRAINT "insights_trial_fk" FOREIGN KEY ("tenant_id","trial_id") REFERENCES "public"."trials"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pipeline_dispatches" ADD CONSTRAINT "pipeline_dispatches_step_fk" FOREIGN KEY ("tenant_id","step_id","task_id","version_id") REFERENCES "public"."steps"("tenant_id","id","task_id","version_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pipeline_dispatches" ADD CONSTRAINT "pipeline_dispatches_cause_fk" FOREIGN KEY ("tenant_id","task_id","cause_seq") REFERENCES "public"."step_events"("tenant_id","task_id","seq") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pipelines" ADD CONSTRAINT "pipelines_tenant_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "prompts" ADD CONSTRAINT "prompts_step_fk" FOREIGN KEY ("tenant_id","step_id","task_id","version_id") REFERENCES "public"."steps"("tenant_id","id","task_id","version_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "prompts" ADD CONSTRAINT "prompts_eval_fk" FOREIGN KEY ("tenant_id","eval_id") REFERENCES "public"."evals"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "prompts" ADD CONSTRAINT "prompts_trial_fk" FOREIGN KEY ("tenant_id","trial_id") REFERENCES "public"."trials"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "reviews" ADD CONSTRAINT "reviews_step_fk" FOREIGN KEY ("tenant_id","step_id","task_id","version_id") REFERENCES "public"."steps"("tenant_id","id","task_id","version_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD CONSTRAINT "seed_runs_tenant_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "step_events" ADD CONSTRAINT "step_events_step_fk" FOREIGN KEY ("tenant_id","step_id","task_id","version_id") REFERENCES "public"."steps"("tenant_id","id","task_id","version_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "step_events" ADD CONSTRAINT "step_events_duplicate_of_fk" FOREIGN KEY ("tenant_id","duplicate_of") REFERENCES "public"."tasks"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "steps" ADD CONSTRAINT "steps_version_fk" FOREIGN KEY ("tenant_id","version_id","task_id") REFERENCES "public"."task_versions"("tenant_id","id","task_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "task_labels" ADD CONSTRAINT "task_labels_task_fk" FOREIGN KEY ("tenant_id","task_id") REFERENCES "public"."tasks"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "task_versions" ADD CONSTRAINT "task_versions_task_fk" FOREIGN KEY ("tenant_id","task_id") REFERENCES "public"."tasks"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_tenant_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_seed_run_fk" FOREIGN KEY ("tenant_id","seed_run_id") REFERENCES "public"."seed_runs"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "taxonomy" ADD CONSTRAINT "taxonomy_tenant_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "taxonomy" ADD CONSTRAINT "taxonomy_parent_code_fk" FOREIGN KEY ("tenant_id","parent_code") REFERENCES "public"."taxonomy"("tenant_id","code") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "trials" ADD CONSTRAINT "trials_eval_fk" FOREIGN KEY ("tenant_id","eval_id","task_id") REFERENCES "public"."evals"("tenant_id","id","task_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhooks" ADD CONSTRAINT "webhooks_tenant_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "worker_runs" ADD CONSTRAINT "worker_runs_step_fk" FOREIGN KEY ("tenant_id","step_id","task_id","version_id") REFERENCES "public"."steps"("tenant_id","id","task_id","version_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "worker_runs" ADD CONSTRAINT "worker_runs_dispatch_fk" FOREIGN KEY ("tenant_id","dispatch_id") REFERENCES "public"."pipeline_dispatches"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "analytics_events_once" ON "analytics_events" USING btree ("tenant_id","name","bulk_operation_id");--> statement-breakpoint
CREATE UNIQUE INDEX "api_keys_digest" ON "api_keys" USING btree ("tenant_id","digest");--> statement-breakpoint
CREATE INDEX "bulk_operation_items_outcome" ON "bulk_operation_items" USING btree ("tenant_id","operation_id","outcome","position");--> statement-breakpoint
CREATE INDEX "bulk_operations_newest" ON "bulk_operations" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "data_model" ON "data" USING btree ("tenant_id","model","model_revision","id");--> statement-breakpoint
CREATE INDEX "data_inputs_parent" ON "data_inputs" USING btree ("tenant_id","parent_id");--> statement-breakpoint
CREATE INDEX "dispatch_events_dispatch" ON "dispatch_events" USING btree ("tenant_id","dispatch_id","position");--> statement-breakpoint
CREATE INDEX "eval_step_events_task" ON "eval_step_events" USING btree ("tenant_id","task_id","at");--> statement-breakpoint
CREATE INDEX "eval_step_events_feed" ON "eval_step_events" USING btree ("tenant_id","txid","feed_id");--> statement-breakpoint
CREATE INDEX "evals_task" ON "evals" USING btree ("tenant_id","task_id","id");--> statement-breakpoint
CREATE INDEX "evals_name" ON "evals" USING btree ("tenant_id","name","id");--> statement-breakpoint
CREATE INDEX "insights_task" ON "insights" USING btree ("tenant_id","task_id","id");--> statement-breakpoint
CREATE INDEX "insights_model" ON "insights" USING btree ("tenant_id","model","model_revision","id");--> statement-breakpoint
CREATE UNIQUE INDEX "operations_key" ON "operations" USING btree ("tenant_id","actor_id","route","key");--> statement-breakpoint
CREATE INDEX "operations_expiry" ON "operations" USING btree ("tenant_id","expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "pipeline_dispatches_payment_once" ON "pipeline_dispatches" USING btree ("tenant_id","version_id") WHERE pipeline = 'payment' and state <> 'recalled';--> statement-breakpoint
CREATE UNIQUE INDEX "pipeline_dispatches_open_once" ON "pipeline_dispatches" USING btree ("tenant_id","step_id","pipeline") WHERE state in ('pending', 'sent');--> statement-breakpoint
CREATE INDEX "pipeline_dispatches_due" ON "pipeline_dispatches" USING btree ("tenant_id","next_attempt_at","id") WHERE state = 'pending';--> statement-breakpoint
CREATE INDEX "pipeline_dispatches_task" ON "pipeline_dispatches" USING btree ("tenant_id","task_id","id");--> statement-breakpoint
CREATE INDEX "prompts_task" ON "prompts" USING btree ("tenant_id","task_id","id");--> statement-breakpoint
CREATE INDEX "prompts_model" ON "prompts" USING btree ("tenant_id","model","model_revision","id");--> statement-breakpoint
CREATE INDEX "prompts_agent" ON "prompts" USING btree ("tenant_id","agent","id");--> statement-breakpoint
CREATE INDEX "reviews_step" ON "reviews" USING btree ("tenant_id","step_id","sequence");--> statement-breakpoint
CREATE INDEX "step_events_feed" ON "step_events" USING btree ("tenant_id","txid","feed_id");--> statement-breakpoint
CREATE INDEX "step_events_bulk" ON "step_events" USING btree ("tenant_id","bulk_operation_id","task_id");--> statement-breakpoint
CREATE INDEX "task_labels_rank" ON "task_labels" USING btree ("tenant_id","rank","task_id");--> statement-breakpoint
CREATE INDEX "task_labels_since" ON "task_labels" USING btree ("tenant_id","since","task_id");--> statement-breakpoint
CREATE INDEX "task_labels_updated_at" ON "task_labels" USING btree ("tenant_id","updated_at","task_id");--> statement-breakpoint
CREATE INDEX "task_labels_attention" ON "task_labels" USING btree ("tenant_id","task_id") WHERE attention <> '{}';--> statement-breakpoint
CREATE UNIQUE INDEX "tasks_external_id" ON "tasks" USING btree ("tenant_id","external_id");--> statement-breakpoint
CREATE INDEX "tasks_title" ON "tasks" USING btree ("tenant_id","title","id");--> statement-breakpoint
CREATE INDEX "tasks_priority" ON "tasks" USING btree ("tenant_id","priority","id");--> statement-breakpoint
CREATE UNIQUE INDEX "trials_live_slot" ON "trials" USING btree ("tenant_id","eval_id","k","model") WHERE retracted_at is null;--> statement-breakpoint
CREATE INDEX "trials_model" ON "trials" USING btree ("tenant_id","model","model_revision","id");--> statement-breakpoint
CREATE INDEX "worker_runs_task" ON "worker_runs" USING btree ("tenant_id","task_id","id");--> statement-breakpoint
CREATE INDEX "worker_runs_open" ON "worker_runs" USING btree ("tenant_id","step_id") WHERE state in ('QUEUED', 'RUNNING');--> statement-breakpoint
CREATE UNIQUE INDEX "worker_runs_dispatch" ON "worker_runs" USING btree ("tenant_id","dispatch_id");