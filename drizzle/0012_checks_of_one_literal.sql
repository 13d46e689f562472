-- The checks say what they said, each list as one literal. Postgres reads the parts of a check anew for every statement
-- that writes, and of a list each value was one. Each table is read through once.
alter table api_keys
  drop constraint api_keys_role,
  add constraint api_keys_role check (role = any ('{"viewer","operator","reviewer","admin","service"}'::text[]));
--> statement-breakpoint
alter table bulk_operation_items
  drop constraint bulk_operation_items_outcome_known,
  drop constraint bulk_operation_items_from_status,
  drop constraint bulk_operation_items_from_gate,
  add constraint bulk_operation_items_outcome_known check (outcome = any ('{"pending","changed","refused","stale","failed"}'::text[])),
  add constraint bulk_operation_items_from_status check (from_status = any ('{"pending","queued","running","paused","awaiting_input","awaiting_review","in_review","changes_requested","approved","rejected","duplicate","failed","cancelled"}'::text[])),
  add constraint bulk_operation_items_from_gate check (from_gate = any ('{"locked","pending","evaluating","awaiting_review","blocked","passed","waived","failed","errored","revoked"}'::text[]));
--> statement-breakpoint
alter table bulk_operations
  drop constraint bulk_operations_state,
  drop constraint bulk_operations_target,
  drop constraint bulk_operations_action,
  drop constraint bulk_operations_actor_kind,
  drop constraint bulk_operations_actor_role,
  add constraint bulk_operations_state check (state = any ('{"queued","running","completed","partial","failed","cancelled"}'::text[])),
  add constraint bulk_operations_target check (target_status = any ('{"DRAFT","CHECKING_QUALITY","QUALITY_CHECK_FAILED","READY_TO_SUBMIT","SUBMITTED","GENERATING_OUTPUT","OUTPUT_FAILED","IN_REVIEW","CHANGES_REQUESTED","PASSED","DELIVERED","REJECTED","DUPLICATE"}'::text[])),
  add constraint bulk_operations_action check (action = any ('{"advance","retry","run_pipelines","edit","revert"}'::text[])),
  add constraint bulk_operations_actor_kind check (actor_kind = any ('{"person","key","service","system"}'::text[])),
  add constraint bulk_operations_actor_role check (actor_role = any ('{"viewer","operator","reviewer","admin","service"}'::text[]));
--> statement-breakpoint
alter table data
  drop constraint data_kind,
  add constraint data_kind check (kind = any ('{"golden","source","calibrated","generated","delivery"}'::text[]));
--> statement-breakpoint
alter table dispatch_events
  drop constraint dispatch_events_from_state,
  drop constraint dispatch_events_to_state,
  add constraint dispatch_events_from_state check (from_state = any ('{"pending","sent","delivered","recalled","dead"}'::text[])),
  add constraint dispatch_events_to_state check (to_state = any ('{"pending","sent","delivered","recalled","dead"}'::text[]));
--> statement-breakpoint
alter table eval_step_events
  drop constraint eval_step_events_type,
  drop constraint eval_step_events_from_status,
  drop constraint eval_step_events_to_status,
  drop constraint eval_step_events_actor_kind,
  drop constraint eval_step_events_actor_role,
  add constraint eval_step_events_type check (type = any ('{"eval_created","eval_transitioned","trials_recorded","trial_transitioned","trial_retracted"}'::text[])),
  add constraint eval_step_events_from_status check (from_status = any ('{"draft","queued","running","completed","failed","cancelled"}'::text[])),
  add constraint eval_step_events_to_status check (to_status = any ('{"draft","queued","running","completed","failed","cancelled"}'::text[])),
  add constraint eval_step_events_actor_kind check (actor_kind = any ('{"person","key","service","system"}'::text[])),
  add constraint eval_step_events_actor_role check (actor_role = any ('{"viewer","operator","reviewer","admin","service"}'::text[]));
--> statement-breakpoint
alter table evals
  drop constraint evals_status,
  add constraint evals_status check (status = any ('{"draft","queued","running","completed","failed","cancelled"}'::text[]));
--> statement-breakpoint
alter table insights
  drop constraint insights_status,
  add constraint insights_status check (status = any ('{"QUEUED","RUNNING","SUCCEEDED","FAILED","CANCELLED"}'::text[]));
--> statement-breakpoint
alter table pipeline_dispatches
  drop constraint pipeline_dispatches_pipeline,
  drop constraint pipeline_dispatches_state,
  add constraint pipeline_dispatches_pipeline check (pipeline = any ('{"quality_automation","output_generation","post_qa_scoring","payment"}'::text[])),
  add constraint pipeline_dispatches_state check (state = any ('{"pending","sent","delivered","recalled","dead"}'::text[]));
--> statement-breakpoint
alter table pipelines
  drop constraint pipelines_name,
  add constraint pipelines_name check (name = any ('{"quality_automation","output_generation","post_qa_scoring","payment"}'::text[]));
--> statement-breakpoint
alter table reviews
  drop constraint reviews_kind,
  drop constraint reviews_outcome,
  add constraint reviews_kind check (kind = any ('{"automated","expert"}'::text[])),
  add constraint reviews_outcome check (outcome = any ('{"passed","failed"}'::text[]));
--> statement-breakpoint
alter table step_events
  drop constraint step_events_type,
  drop constraint step_events_from_status,
  drop constraint step_events_to_status,
  drop constraint step_events_from_gate,
  drop constraint step_events_to_gate,
  drop constraint step_events_actor_kind,
  drop constraint step_events_actor_role,
  add constraint step_events_type check (type = any ('{"task_created","step_transitioned","gate_changed","step_advanced","step_reworked","version_created","review_recorded","worker_run_changed","bulk_transitioned","bulk_reverted","task_updated","task_archived","task_restored","note_added"}'::text[])),
  add constraint step_events_from_status check (from_status = any ('{"pending","queued","running","paused","awaiting_input","awaiting_review","in_review","changes_requested","approved","rejected","duplicate","failed","cancelled"}'::text[])),
  add constraint step_events_to_status check (to_status = any ('{"pending","queued","running","paused","awaiting_input","awaiting_review","in_review","changes_requested","approved","rejected","duplicate","failed","cancelled"}'::text[])),
  add constraint step_events_from_gate check (from_gate = any ('{"locked","pending","evaluating","awaiting_review","blocked","passed","waived","failed","errored","revoked"}'::text[])),
  add constraint step_events_to_gate check (to_gate = any ('{"locked","pending","evaluating","awaiting_review","blocked","passed","waived","failed","errored","revoked"}'::text[])),
  add constraint step_events_actor_kind check (actor_kind = any ('{"person","key","service","system"}'::text[])),
  add constraint step_events_actor_role check (actor_role = any ('{"viewer","operator","reviewer","admin","service"}'::text[]));
--> statement-breakpoint
alter table steps
  drop constraint steps_kind,
  drop constraint steps_status,
  drop constraint steps_gate,
  add constraint steps_kind check (kind = any ('{"ingestion","authoring","pre_qa","output_generation","expert_review","calibration","delivery"}'::text[])),
  add constraint steps_status check (status = any ('{"pending","queued","running","paused","awaiting_input","awaiting_review","in_review","changes_requested","approved","rejected","duplicate","failed","cancelled"}'::text[])),
  add constraint steps_gate check (gate = any ('{"locked","pending","evaluating","awaiting_review","blocked","passed","waived","failed","errored","revoked"}'::text[]));
--> statement-breakpoint
alter table task_labels
  drop constraint task_labels_status,
  drop constraint task_labels_step_kind,
  add constraint task_labels_status check (unified_status = any ('{"DRAFT","CHECKING_QUALITY","QUALITY_CHECK_FAILED","READY_TO_SUBMIT","SUBMITTED","GENERATING_OUTPUT","OUTPUT_FAILED","IN_REVIEW","CHANGES_REQUESTED","PASSED","DELIVERED","REJECTED","DUPLICATE"}'::text[])),
  add constraint task_labels_step_kind check (step_kind = any ('{"ingestion","authoring","pre_qa","output_generation","expert_review","calibration","delivery"}'::text[]));
--> statement-breakpoint
alter table trials
  drop constraint trials_status,
  add constraint trials_status check (status = any ('{"pending","running","passed","failed","errored"}'::text[]));
--> statement-breakpoint
alter table webhook_deliveries
  drop constraint webhook_deliveries_event,
  drop constraint webhook_deliveries_state,
  add constraint webhook_deliveries_event check (event = any ('{"task.label_changed","task.attention","bulk.finished","dispatch.dead"}'::text[])),
  add constraint webhook_deliveries_state check (state = any ('{"pending","delivered","dead"}'::text[]));
--> statement-breakpoint
alter table worker_runs
  drop constraint worker_runs_type,
  drop constraint worker_runs_state,
  add constraint worker_runs_type check (type = any ('{"QUALITY_AUTOMATION","EXPERT_REVIEW","OUTPUT_GENERATION","POST_QA_SCORING","PAYMENT"}'::text[])),
  add constraint worker_runs_state check (state = any ('{"QUEUED","RUNNING","SUCCEEDED","FAILED","CANCELLED"}'::text[]));
