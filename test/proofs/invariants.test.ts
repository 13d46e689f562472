import { beforeAll, describe, expect, test } from "vitest";
import { DECISION_INVARIANTS } from "../../src/db/invariants/decisions.ts";
import { INVARIANTS } from "../../src/db/invariants/index.ts";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import type { WorkerType } from "../../src/domain/lifecycle/statuses.ts";
import { expectDone, freshApi, type Place, type TestApi } from "../support/api.ts";
import {
  expectInvariantsHold,
  givenBreaker,
  invariantsBrokenBy,
  REHASH,
  REHASH_EVALS,
} from "../support/model/invariants.ts";
import { givenWorld, type World } from "../support/model/world.ts";

/** A world with duplicates, and with operations that were reverted. */
interface BreakableWorld extends World {
  /** Names `paid`. */
  duplicate: TaskView;
  /** Was rejected in bulk and, by the revert, made a duplicate of `paid` again. */
  duplicateAgain: TaskView;
  archived: TaskView;
  /** Is held while it runs; its check has succeeded meanwhile. */
  held: TaskView;
  /** Was running when its generation succeeded. */
  generated: TaskView;
}

/** A way to break an invariant by hand. */
interface Breach {
  /** What the statement does to the tables. */
  by: string;
  sql: (world: BreakableWorld) => string;
  /** Other invariants that this necessarily breaks. */
  also?: string[];
}

const events = ({ busy }: World) => `step_events where task_id = '${busy.id}'`;
const changeEvent = (set: string, seq: number) => (world: World) =>
  `update step_events set ${set} where task_id = '${world.busy.id}' and seq = ${seq}`;

/**
 * The busy task's step 1 left `queued` for `running` with event 2, and `running` for `awaiting_review` with event 4.
 */
const NOTE_SEQ = 3;

/** Makes the expert's reviews of the busy task failed ones, in the reviews as in the history. */
const failingReviews = ({ busy }: World) => `
  update reviews set outcome = 'failed' where task_id = '${busy.id}' and kind = 'expert';
  update step_events set payload = replace(payload, '"passed"', '"failed"')
    where task_id = '${busy.id}' and type = 'review_recorded' and payload like '%"expert"%'${REHASH}`;

const prompt = ({ id, currentStep, activeVersion }: World["busy"]) => `
  insert into prompts (tenant_id, id, task_id, version_id, step_id, role, content, content_hash, created_by)
    select tenant_id, new_id(), id, '${activeVersion.id}', '${currentStep.id}', 'user', 'A forged one',
      encode(sha256('A forged one'), 'hex'), 'a forger'
    from tasks where id = '${id}'`;

/** Inserts a row into the log of the payment dispatch. States are SQL or a state's name. */
const logged = (from: string, to: string) => `
  insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name)
    select tenant_id, new_id(), id, ${from.startsWith("d.") ? from : `'${from}'`}, ${to}, 'forger', 'Forger'
    from pipeline_dispatches d where pipeline = 'payment';`;

/** Makes the duplicate of `paid` name another task. */
const naming = (original: (world: BreakableWorld) => TaskView) => (world: BreakableWorld) =>
  `
  update step_events set duplicate_of = '${original(world).id}'
  where task_id = '${world.duplicate.id}' and duplicate_of is not null${REHASH}`;

const stepOfHeld = ({ held }: BreakableWorld) => `steps where id = '${held.currentStep.id}'`;
const setHeld = (set: string) => (world: BreakableWorld) =>
  `update ${stepOfHeld(world).replace(" where", ` set ${set} where`)}`;

/** Takes the move back that the last report made, as releases before deferred reports left it. */
const swallowed =
  (gate: string) =>
  ({ generated: { id, currentStep } }: BreakableWorld) =>
    `
  update tasks set event_seq = event_seq - 1, event_head = (select prev_hash from step_events
      where task_id = '${id}' and seq = tasks.event_seq), status_since = (select at from step_events
      where task_id = '${id}' and to_status = 'running' limit 1) where id = '${id}';
  update steps set status = 'running', gate = '${gate}', event_seq = event_seq - 1 where id = '${currentStep.id}';
  delete from step_events where task_id = '${id}' and to_status = 'approved';
  update task_labels l set unified_status = 'GENERATING_OUTPUT', rank = label_rank('GENERATING_OUTPUT'), attention = '{}',
    since = t.status_since, running_since = t.status_since, event_seq = t.event_seq from tasks t where t.id = l.task_id and t.id = '${id}'`;

const BREACHES: Record<string, Breach[]> = {
  "holds-match-their-events": [
    { by: "a hold with another gate", sql: setHeld("held_gate = 'errored'") },
    { by: "a hold by another event", sql: setHeld("held_seq = held_seq - 1") },
    {
      by: "an event whose hold does not continue the one before it",
      sql: ({
        held,
      }) => `update step_events set payload = replace(payload, '"from":null', '"from":{"gate":"locked","seq":1}')
        where task_id = '${held.id}' and payload like '%"hold":%'${REHASH}`,
    },
  ],
  "deferred-reports-match-their-events": [
    { by: "a deferred report that was lost", sql: setHeld("deferred = null") },
    {
      by: "a deferred report that leads to another status",
      sql: setHeld(`deferred = replace(deferred::text, 'approved', 'failed')::jsonb`),
    },
  ],
  "reports-wait-only-for-a-hold-or-pause": [
    {
      by: "a hold that ended without its deferred report",
      sql: (world) => `${setHeld("held_seq = null, held_gate = null, gate = 'pending'")(world)};
        update step_events set to_gate = 'pending', from_gate = case when type = 'gate_changed' then from_gate else 'pending' end,
          payload = regexp_replace(payload, '"hold":\\{.*\\}\\}', '"none":0') where task_id = '${world.held.id}' and to_gate = 'blocked';
        update task_labels set attention = '{}' where task_id = '${world.held.id}'${REHASH}`,
    },
  ],
  "ended-runs-have-moved-their-step": [
    { by: "a success that did not move its step", sql: swallowed("pending") },
  ],
  "current-step-named-by-event": [
    {
      by: "pointing a task at a step that was created without an event",
      sql: ({ busy }) => `
        insert into steps (tenant_id, id, task_id, version_id, kind, attempt, status, gate, event_seq)
          select tenant_id, '00000000-0000-7000-8000-000000000001', task_id, version_id, kind, 99, status, gate, event_seq
          from steps where id = '${busy.currentStep.id}';
        update task_versions set current_step_id = '00000000-0000-7000-8000-000000000001'
          where id = '${busy.activeVersion.id}';
        update worker_runs set state = 'CANCELLED' where state = 'RUNNING';
        update tasks set current_step_id = '00000000-0000-7000-8000-000000000001' where id = '${busy.id}';
        update task_labels l set unified_status = label_of(f.kind, f.status, coalesce(f.held_gate, f.gate), f.review_failed, f.running_workers)
          from task_facts f where f.task_id = l.task_id`,
      also: [
        "runs-match-their-events",
        "steps-match-their-events",
        "task-equals-newest-event",
        "step-equals-newest-event",
        "status-since-is-the-last-change",
      ],
    },
  ],
  "task-equals-newest-event": [
    {
      by: "changing a task's updated_at",
      sql: ({ busy }) => `
        update tasks set updated_at = updated_at + interval '1 day' where id = '${busy.id}';
        update task_labels set updated_at = updated_at + interval '1 day' where task_id = '${busy.id}'`,
    },
  ],
  "step-equals-newest-event": [
    {
      by: "opening the gate of an earlier step",
      sql: ({ busy }) =>
        `update steps set gate = 'waived' where task_id = '${busy.id}' and kind = 'output_generation'`,
    },
    {
      by: "rejecting a step of a sealed version",
      sql: ({ busy }) =>
        `update steps set status = 'rejected' where task_id = '${busy.id}' and kind = 'ingestion'`,
    },
  ],
  "task-keys-match-their-texts": [
    {
      by: "changing the key by which a task is sorted",
      sql: ({ busy }) => `update tasks set title_key = 'zzz' where id = '${busy.id}'`,
    },
    {
      by: "removing it",
      sql: ({ busy }) => `update tasks set title_key = null where id = '${busy.id}'`,
    },
    {
      by: "changing the key by which its external id is found",
      sql: ({ busy }) => `update tasks set external_id_key = 'zzz' where id = '${busy.id}'`,
    },
  ],
  "external-ids-have-one-task": [
    {
      by: "removing the key of an external id",
      sql: () => `update tasks set external_id_key = null where external_id is not null`,
    },
  ],
  "current-step-belongs-to-task": [
    {
      by: "pointing a task at another task's step",
      sql: ({ busy, paid }) =>
        `update tasks set current_step_id = '${paid.currentStep.id}' where id = '${busy.id}';
         update worker_runs set state = 'CANCELLED' where state = 'RUNNING'`,
      also: [
        "runs-match-their-events",
        "current-step-named-by-event",
        "task-equals-newest-event",
        "version-pointer-equals-task-pointer",
        "status-since-is-the-last-change",
        "labels-match-resolver",
      ],
    },
  ],
  "version-pointer-equals-task-pointer": [
    {
      by: "pointing the active version at an earlier step",
      sql: ({ busy }) => `
        update task_versions set current_step_id = (select id from steps
          where task_id = '${busy.id}' and kind = 'output_generation')
        where id = '${busy.activeVersion.id}'`,
    },
  ],
  "sealed-unless-active": [
    {
      by: "sealing the active version",
      sql: ({ busy }) =>
        `update task_versions set sealed_at = now() where id = '${busy.activeVersion.id}'`,
      also: ["versions-match-their-events"],
    },
    {
      by: "unsealing a version",
      sql: ({ busy }) =>
        `update task_versions set sealed_at = null where task_id = '${busy.id}' and number = 1`,
      also: ["versions-match-their-events"],
    },
  ],
  "status-since-is-the-last-change": [
    {
      by: "making a task look as if it had been stuck for a day",
      sql: ({ busy }) => `
        update tasks set status_since = status_since - interval '1 day' where id = '${busy.id}';
        update task_labels set since = since - interval '1 day', running_since = running_since - interval '1 day'
          where task_id = '${busy.id}'`,
    },
  ],
  "events-numbered-without-gaps": [
    {
      by: "deleting a note from a history and rehashing the chain",
      sql: (world) => `delete from ${events(world)} and seq = ${NOTE_SEQ}${REHASH}`,
    },
    {
      by: "adding an event that the task does not count",
      sql: (world) => `
        insert into step_events select (jsonb_populate_record(e, jsonb_build_object('seq', ${world.busy.eventSeq + 1}))).*
          from step_events e where task_id = '${world.busy.id}' and seq = ${world.busy.eventSeq};
        update step_events set from_status = to_status, from_gate = to_gate, type = 'note_added'
          where task_id = '${world.busy.id}' and seq = ${world.busy.eventSeq + 1}${REHASH}`,
      also: ["task-equals-newest-event", "step-equals-newest-event"],
    },
  ],
  "event-starts-where-previous-ended": [
    {
      by: "ending an event with a gate that the next one does not start with",
      sql: (world) => changeEvent("to_gate = 'waived'", 2)(world) + REHASH,
    },
  ],
  "idled-steps-match-their-events": [
    {
      by: "calling a step idle without an event",
      sql: ({ busy }) => `
        update steps set idled_seq = event_seq where id = '${busy.currentStep.id}';
        update task_labels set attention = array_append(attention, 'idle'), running_since = null
        where task_id = '${busy.id}'`,
    },
    {
      by: "calling a step idle that nobody runs",
      sql: (world) => changeEvent("type = 'step_idled'", NOTE_SEQ)(world) + REHASH,
    },
  ],
  "idle-steps-ask-for-attention": [
    // The clock of the tenant is simulated. It was set long enough ago to know how late it was two sweeps ago.
    [
      "simulated",
      "update simulated_clocks set (at, set_at) = (at - interval '1 day', set_at - interval '1 day')",
    ],
    ["real", "delete from simulated_clocks"],
  ].map(([time, clock]) => ({
    by: `leaving a task in running after its only run has ended, in ${time} time`,
    sql: ({ busy }: World) => `
        ${clock};
        update worker_runs set state = 'CANCELLED', updated_at = now() - interval '3 hours' where state = 'RUNNING';
        update worker_runs set updated_at = now() - interval '3 hours' where task_id = '${busy.id}';
        update tasks set status_since = status_since - interval '3 hours' where id = '${busy.id}';
        update task_labels l set since = l.since - interval '3 hours', running_since = f.running_since,
          unified_status = label_of(f.kind, f.status, f.gate, f.review_failed, f.running_workers)
        from task_facts f where f.task_id = l.task_id and l.task_id = '${busy.id}'`,
    also: ["runs-match-their-events", "status-since-is-the-last-change"],
  })),
  "times-do-not-decrease": [
    {
      by: "dating a note before the task",
      sql: (world) => changeEvent("at = at - interval '1 day'", NOTE_SEQ)(world) + REHASH,
    },
  ],
  "status-moves-are-legal": [
    {
      by: "moving a step through a status that its kind does not have",
      sql: (world) => `
        ${changeEvent("to_status = 'paused'", 2)(world)};
        ${changeEvent("from_status = 'paused', to_status = 'paused'", NOTE_SEQ)(world)};
        ${changeEvent("from_status = 'paused'", 4)(world)}${REHASH}`,
    },
    {
      by: "changing a status in a note",
      sql: (world) => `
        ${changeEvent("to_status = 'awaiting_review'", NOTE_SEQ)(world)};
        ${changeEvent("from_status = 'awaiting_review', type = 'note_added'", 4)(world)}${REHASH}`,
    },
  ],
  "gate-moves-are-legal": [
    {
      by: "moving a step through a gate that does not follow",
      sql: (world) => `
        ${changeEvent("to_gate = 'revoked'", 2)(world)};
        ${changeEvent("from_gate = 'revoked', to_gate = 'revoked'", NOTE_SEQ)(world)};
        ${changeEvent("from_gate = 'revoked'", 4)(world)}${REHASH}`,
    },
  ],
  "reverts-invert-previous-event": [
    {
      by: "calling a note a revert",
      sql: (world) => changeEvent("type = 'bulk_reverted'", NOTE_SEQ)(world) + REHASH,
    },
    {
      by: "reverting an event that is not the last one",
      sql: () =>
        `update step_events set payload = '{"undoes":1}' where type = 'bulk_reverted'${REHASH}`,
    },
  ],
  "events-have-actor-and-request": [
    {
      by: "removing the request id from an event",
      sql: (world) => changeEvent("request_id = ''", NOTE_SEQ)(world) + REHASH,
    },
    {
      by: "removing the actor's name from an event",
      sql: (world) => changeEvent("actor_name = ''", NOTE_SEQ)(world) + REHASH,
    },
    {
      by: "removing the actor from an event of an eval",
      sql: () => `update eval_step_events set actor_id = '' where seq = 2${REHASH_EVALS}`,
    },
  ],
  "registry-versions-are-known": [
    {
      by: "recording a registry version that does not exist",
      sql: (world) => changeEvent("registry_version = 99", NOTE_SEQ)(world) + REHASH,
    },
  ],
  "approvals-overrule-failed-reviews": [
    {
      by: "turning the review that overruled a failed check into another failure",
      sql: failingReviews,
      also: ["advances-leave-through-open-gates", "reviews-carry-agreeing-moves"],
    },
  ],
  "advances-leave-through-open-gates": [
    {
      by: "turning the review that let a task advance into a failure",
      sql: failingReviews,
      also: ["approvals-overrule-failed-reviews", "reviews-carry-agreeing-moves"],
    },
  ],
  "reviews-carry-agreeing-moves": [
    {
      by: "recording that a failed review approved its step",
      sql: failingReviews,
      also: ["approvals-overrule-failed-reviews", "advances-leave-through-open-gates"],
    },
  ],
  "decisions-have-reasons": [
    {
      by: "removing the reason for which gates were revoked",
      sql: ({ busy }) =>
        `update step_events set reason = null where task_id = '${busy.id}' and type = 'gate_changed'${REHASH}`,
    },
    {
      by: "blanking the reason for which gates were revoked",
      sql: ({ busy }) =>
        `update step_events set reason = E' \\n' where task_id = '${busy.id}' and type = 'gate_changed'${REHASH}`,
    },
  ],
  "finished-work-is-revised-by-reviewers": [
    {
      by: "attributing the new version of an accepted task to an operator",
      sql: ({ busy }) =>
        `update step_events set actor_role = 'operator' where task_id <> '${busy.id}' and type = 'version_created'${REHASH}`,
    },
  ],
  "tasks-match-their-events": [
    {
      by: "renaming a task without an event",
      sql: ({ busy }) => `update tasks set title = 'Another title' where id = '${busy.id}'`,
      also: ["task-keys-match-their-texts"],
    },
    {
      by: "assigning a task without an event",
      sql: ({ busy }) => `update tasks set assignee = 'somebody' where id = '${busy.id}'`,
    },
    {
      by: "archiving a task without an event",
      sql: ({ busy }) => `
        update tasks set archived_at = now() where id = '${busy.id}';
        update task_labels set archived = true, running_since = null where task_id = '${busy.id}'`,
    },
    {
      by: "attributing a task to another author",
      sql: ({ busy }) => `update tasks set created_by = 'somebody' where id = '${busy.id}'`,
    },
  ],
  "versions-match-their-events": [
    {
      by: "rewording why a version was opened",
      sql: ({ busy }) =>
        `update task_versions set reason = 'Another reason' where id = '${busy.activeVersion.id}'`,
    },
    {
      by: "moving the time at which a version was sealed",
      sql: ({ busy }) =>
        `update task_versions set sealed_at = sealed_at + interval '1 second' where task_id = '${busy.id}'`,
    },
    {
      by: "exchanging the hash of a content",
      sql: ({ busy }) =>
        `update task_versions set content_hash = repeat('0', 64) where id = '${busy.activeVersion.id}'`,
    },
  ],
  "steps-match-their-events": [
    {
      by: "renumbering an attempt",
      sql: ({ busy }) => `update steps set attempt = 9 where id = '${busy.currentStep.id}'`,
    },
    {
      by: "dating a step before its task",
      sql: ({ busy }) =>
        `update steps set created_at = created_at - interval '1 day' where id = '${busy.currentStep.id}'`,
    },
  ],
  "reviews-match-their-events": [
    {
      by: "turning the review of an earlier step around",
      sql: ({ busy }) =>
        `update reviews set outcome = 'passed' where task_id = '${busy.id}' and outcome = 'failed'`,
    },
    {
      by: "attributing a review to somebody else",
      sql: ({ busy }) =>
        `update reviews set reviewer_name = 'Somebody' where task_id = '${busy.id}' and sequence = 1`,
    },
    {
      by: "renumbering a review of an earlier step",
      sql: ({ busy }) =>
        `update reviews set sequence = 99 where task_id = '${busy.id}' and sequence = 1`,
    },
    {
      by: "letting a withdrawn review count again",
      sql: ({ reviewed }) =>
        `update reviews set withdrawn_seq = null where task_id = '${reviewed.id}'`,
      also: ["labels-match-resolver"],
    },
    {
      by: "withdrawing a review of an earlier step without an event of that",
      sql: ({ busy }) =>
        `update reviews set withdrawn_seq = 1 where task_id = '${busy.id}' and sequence = 1`,
    },
    {
      by: "deleting a review of an earlier step",
      sql: ({ busy }) => `delete from reviews where task_id = '${busy.id}' and sequence = 1`,
    },
  ],
  "reviews-judge-current-step": [
    {
      by: "recording a review on an earlier step",
      sql: ({ busy }) => `
        update step_events r set step_id = e.step_id, from_status = e.to_status, to_status = e.to_status,
            from_gate = e.to_gate, to_gate = e.to_gate
          from step_events e where r.task_id = '${busy.id}' and r.type = 'review_recorded'
            and e.task_id = r.task_id and e.seq = 1${REHASH}`,
      also: [
        "event-starts-where-previous-ended",
        "rows-match-their-step",
        "step-equals-newest-event",
      ],
    },
  ],
  "withdrawals-undo-own-review": [
    {
      by: "attributing a withdrawal to someone else",
      sql: () =>
        `update step_events set actor_id = 'someone else' where type = 'review_withdrawn'${REHASH}`,
    },
    {
      by: "withdrawing more than the review and its move",
      sql: () => `update step_events e set operation_id = new_id() from step_events w
        where w.type = 'review_withdrawn' and e.task_id = w.task_id and e.seq = w.seq - 1${REHASH}`,
    },
  ],
  "slots-have-one-holder": [
    {
      by: "letting two people hold the review of one step",
      sql: () => `insert into review_slots (tenant_id, id, task_id, version_id, step_id, round, slot, person, actor_id,
          actor_name, task_seq, lease_seconds, lease_until, operation_id)
        select tenant_id, new_id(), task_id, version_id, step_id, round + 1, slot, 'someone else', actor_id, actor_name,
          task_seq, lease_seconds, lease_until, operation_id from review_slots`,
    },
  ],
  "claims-are-of-waiting-tasks": [
    {
      by: "claiming a task as of an event after which it did not wait",
      sql: ({ reviewed }) => `update review_slots set task_seq = (select seq from step_events
        where task_id = '${reviewed.id}' and type = 'step_transitioned' and to_status = 'changes_requested')`,
    },
    {
      by: "claiming the review of a task that has ended",
      sql: ({
        paid,
      }) => `insert into review_slots (tenant_id, id, task_id, version_id, step_id, round, slot, person,
          actor_id, actor_name, task_seq, lease_seconds, lease_until, operation_id)
        select tenant_id, new_id(), id, active_version_id, current_step_id, 1, 1, 'someone', 'someone', 'Someone',
          event_seq, 60, now(), new_id() from tasks where id = '${paid.id}'`,
    },
  ],
  "runs-match-their-events": [
    {
      by: "letting a run fail that had succeeded",
      sql: ({ busy }) => `update worker_runs set state = 'FAILED'
        where task_id = '${busy.id}' and state = 'SUCCEEDED'`,
    },
    {
      by: "deleting a run",
      sql: ({ busy }) =>
        `delete from worker_runs where task_id = '${busy.id}' and state = 'SUCCEEDED'`,
      also: ["late-reports-are-late"],
    },
    {
      by: "turning around what a check found",
      sql: ({ busy }) =>
        `update worker_runs set verdict = 'passed' where task_id = '${busy.id}' and verdict = 'failed'`,
    },
    {
      by: "writing a late verdict over a missing one",
      sql: () =>
        "update worker_runs set verdict = 'passed' where type = 'OUTPUT_GENERATION' and state = 'CANCELLED'",
    },
  ],
  "items-match-their-events": [
    {
      by: "changing what an item was planned for",
      sql: () =>
        "update bulk_operation_items set planned_seq = planned_seq + 1 where event_seq is not null",
    },
    {
      by: "changing the status that an item left",
      sql: () =>
        "update bulk_operation_items set from_status = 'failed' where event_seq is not null",
    },
  ],
  "bulk-operations-match-their-events": [
    {
      by: "rewording the reason of a bulk operation",
      sql: ({ bulkOperationId }) =>
        `update bulk_operations set reason = 'Another reason' where id = '${bulkOperationId}'`,
    },
    {
      by: "attributing a bulk operation to somebody else",
      sql: ({ bulkOperationId }) =>
        `update bulk_operations set actor_id = 'somebody' where id = '${bulkOperationId}'`,
    },
  ],
  "bulk-dispatches-are-counted": [
    {
      by: "counting a dispatch that does not exist",
      sql: () => "update bulk_operations set dispatched = dispatched + 1",
    },
  ],
  "dispatches-match-their-cause": [
    {
      by: "claiming that a person requested an attached payment",
      sql: () => "update pipeline_dispatches set by_hand = true where pipeline = 'payment'",
    },
  ],
  "evals-match-their-events": [
    {
      by: "renaming an eval",
      sql: () => "update evals set name = 'Another name' where name = 'agents'",
    },
    { by: "raising k", sql: () => "update evals set k = k + 1" },
    {
      by: "telling the trials of an eval apart by more",
      sql: () => "update evals set slot_by = '{model,provider}' where name <> 'agents'",
      also: ["one-live-trial-per-slot"],
    },
  ],
  "prompts-match-their-hashes": [
    { by: "rewording a prompt", sql: () => "update prompts set content = 'Why not?'" },
  ],
  "rows-match-their-step": [
    {
      by: "moving an ended run to another version",
      sql: ({ busy, paid }) => `update worker_runs set version_id = '${paid.activeVersion.id}'
        where task_id = '${busy.id}' and state = 'SUCCEEDED'`,
    },
    {
      by: "moving a prompt to another task",
      sql: ({ busy, paid }) =>
        `update prompts set task_id = '${paid.id}' where task_id = '${busy.id}'`,
    },
  ],
  "steps-and-versions-match-their-task": [
    {
      by: "adding a version without a task",
      sql: () => `
        insert into task_versions (tenant_id, id, task_id, number, content, content_hash, current_step_id, created_by)
        select tenant_id, new_id(), new_id(), 1, content, content_hash, current_step_id, created_by
        from task_versions limit 1`,
      also: ["versions-match-their-events"],
    },
  ],
  "version-numbers-without-gaps": [
    {
      by: "renumbering a version",
      sql: ({ busy }) =>
        `update task_versions set number = 7 where id = '${busy.activeVersion.id}'`,
      also: ["versions-match-their-events"],
    },
  ],
  "hash-chain-intact": [
    {
      by: "rewording a reason",
      sql: changeEvent("reason = 'Another reason'", NOTE_SEQ),
    },
    {
      by: "changing the hash of only one event",
      sql: (world) => changeEvent("hash = sha256('forged')", NOTE_SEQ)(world),
    },
  ],
  "head-is-the-last-hash": [
    {
      by: "changing a task's head",
      sql: ({ busy }) => `update tasks set event_head = sha256('forged') where id = '${busy.id}'`,
      also: ["task-equals-newest-event"],
    },
  ],
  "changed-items-have-their-event": [
    {
      by: "counting an event that was never written",
      sql: () => "update bulk_operation_items set event_seq = 99 where outcome = 'changed'",
      also: ["items-match-their-events"],
    },
    {
      by: "attributing an event to a bulk operation that did not write it",
      sql: (world) =>
        changeEvent(`bulk_operation_id = '${world.bulkOperationId}'`, NOTE_SEQ)(world) + REHASH,
      also: ["bulk-operations-match-their-events"],
    },
  ],
  "changed-items-have-their-dispatch": [
    {
      by: "removing the operation from a dispatch",
      sql: () => "update pipeline_dispatches set bulk_operation_id = null",
      also: ["bulk-dispatches-are-counted"],
    },
    {
      by: "attributing a payment to an operation that requested none",
      sql: ({ bulkOperationId }) =>
        `update pipeline_dispatches set bulk_operation_id = '${bulkOperationId}' where pipeline = 'payment'`,
      also: ["bulk-dispatches-are-counted", "dispatches-match-their-cause"],
    },
  ],
  "reverts-and-originals-reference-each-other": [
    {
      by: "clearing that an operation was reverted",
      sql: () => "update bulk_operations set reverted_by = null",
      also: ["reverts-invert-previous-event"],
    },
    {
      by: "marking an operation as reverted that was not",
      sql: ({ bulkOperationId }) =>
        `update bulk_operations set reverted_by = id where id = '${bulkOperationId}'`,
    },
  ],
  "reverted-operations-are-not-retried": [
    {
      by: "making an operation a retry of one that was reverted a day before",
      sql: ({ bulkOperationId }) => `
        update bulk_operations b set parent_id = p.id, created_at = b.created_at + interval '1 day'
        from bulk_operations p where b.id = '${bulkOperationId}' and p.reverted_by is not null`,
    },
  ],
  "duplicates-name-tasks-that-are-worked-on": [
    {
      by: "making a task a duplicate of itself",
      sql: naming(({ duplicate }) => duplicate),
    },
    {
      by: "making a task a duplicate of a duplicate",
      sql: naming(({ duplicateAgain }) => duplicateAgain),
    },
    {
      by: "making two tasks duplicates of each other",
      sql: ({ duplicate, duplicateAgain }) => `
        update step_events set duplicate_of = '${duplicate.id}'
          where task_id = '${duplicateAgain.id}' and duplicate_of is not null;
        update step_events set duplicate_of = '${duplicateAgain.id}'
          where task_id = '${duplicate.id}' and duplicate_of is not null${REHASH}`,
    },
    {
      by: "making a task a duplicate of one that was rejected before",
      sql: naming(({ changed }) => changed),
    },
    {
      by: "making a task a duplicate of one that was archived before",
      sql: naming(({ archived }) => archived),
    },
  ],
  "originals-are-named-by-duplicates": [
    {
      by: "naming an original in a note",
      sql: (world) => `
        update step_events set duplicate_of = '${world.paid.id}'
        where task_id = '${world.busy.id}' and seq = ${NOTE_SEQ}${REHASH}`,
    },
    {
      by: "reverting to a duplicate of another task",
      sql: ({ duplicateAgain, claimed }) => `
        update step_events set duplicate_of = '${claimed.id}'
        where task_id = '${duplicateAgain.id}' and type = 'bulk_reverted'${REHASH}`,
    },
  ],
  "ended-operations-are-complete": [
    {
      by: "ending an operation without a time",
      sql: () => "update bulk_operations set finished_at = null",
    },
    {
      by: "cancelling an operation without a request",
      sql: () => "update bulk_operations set state = 'cancelled'",
    },
  ],
  "bulk-counts-equal-items": [
    {
      by: "counting a change twice",
      sql: () => "update bulk_operations set changed = changed + 1",
    },
    {
      by: "marking a complete operation as partial",
      sql: () => "update bulk_operations set state = 'partial'",
    },
  ],
  "reworks-lead-to-their-stage": [
    {
      by: "naming another stage for a rework",
      sql: () => "update bulk_operations set to_kind = 'ingestion' where to_kind is not null",
    },
  ],
  "analytics-report-terminal-changes-once": [
    {
      by: "reporting a target that is not terminal",
      sql: () =>
        "update bulk_operations set target_status = 'IN_REVIEW' where target_status is not null",
      also: ["bulk-operations-match-their-events"],
    },
    {
      by: "reporting one operation twice",
      sql: () => `
        drop index analytics_events_once;
        insert into analytics_events (tenant_id, id, name, bulk_operation_id, properties)
          select tenant_id, new_id(), name, bulk_operation_id, properties from analytics_events`,
    },
  ],
  "dispatches-were-requested": [
    {
      by: "attributing a payment to an event that did not opt in",
      sql: () => "update pipeline_dispatches set cause_seq = 1 where pipeline = 'payment'",
      also: ["dispatches-match-their-cause"],
    },
  ],
  "dispatch-equals-newest-log-entry": [
    {
      by: "changing a dispatch without a log entry",
      sql: () => "update pipeline_dispatches set state = 'dead' where pipeline = 'payment'",
    },
  ],
  "dispatch-moves-are-legal": [
    {
      by: "logging a state that a dispatch was never in",
      sql: () => logged("dead", "d.state"),
    },
    {
      by: "starting the log of a dispatch in the middle",
      sql: () => `
        delete from dispatch_events where to_state = 'pending';
        update dispatch_events set from_state = null`,
      also: ["dispatches-match-their-cause"],
    },
    {
      by: "sending a dispatch after it was recalled",
      sql: () =>
        logged("d.state", "'recalled'") +
        logged("recalled", "'sent'") +
        "update pipeline_dispatches set state = 'sent' where pipeline = 'payment'",
    },
  ],
  "dispatches-end-by-the-law": [
    "endpoint_answered_404",
    "endpoint_answered_408",
    "attempts_exhausted",
    "unknown",
  ].map((reason) => ({
    by: `ending a dispatch as ${reason} after one attempt`,
    sql: () =>
      logged("d.state", "'dead'") +
      `update pipeline_dispatches set state = 'dead', dead_reason = '${reason}', attempts = 1
        where pipeline = 'payment'`,
    also: ["delivered-dispatches-have-a-run"],
  })),
  "delivered-dispatches-have-a-run": [
    {
      by: "delivering a dispatch without a run",
      sql: () =>
        logged("d.state", "'delivered'") +
        "update pipeline_dispatches set state = 'delivered' where pipeline = 'payment'",
    },
    {
      by: "giving a dispatch the run of another one",
      sql: () => `
        update worker_runs set dispatch_id = (select id from pipeline_dispatches where pipeline = 'payment' limit 1)
        where id = (select id from worker_runs where type <> 'PAYMENT' limit 1)`,
    },
  ],
  "one-run-per-dispatch": [
    {
      by: "attributing a run to a missing dispatch",
      sql: () => "update worker_runs set dispatch_id = new_id() where state = 'SUCCEEDED'",
    },
    {
      by: "giving one dispatch two runs",
      sql: () => `
        drop index worker_runs_dispatch;
        update worker_runs set dispatch_id = (select id from pipeline_dispatches limit 1)`,
      also: ["delivered-dispatches-have-a-run"],
    },
  ],
  "one-payment-per-version": [
    {
      by: "paying twice",
      sql: () => `
        drop index pipeline_dispatches_payment_once;
        drop index pipeline_dispatches_open_once;
        with again as (
          insert into pipeline_dispatches (tenant_id, id, pipeline, task_id, version_id, step_id, cause_seq)
          select tenant_id, new_id(), pipeline, task_id, version_id, step_id, cause_seq
          from pipeline_dispatches where pipeline = 'payment' returning *)
        insert into dispatch_events (tenant_id, id, dispatch_id, to_state, actor_id, actor_name)
        select tenant_id, new_id(), id, state, 'forger', 'Forger' from again`,
      also: ["dispatches-match-their-cause"],
    },
  ],
  "one-live-trial-per-slot": [
    {
      by: "numbering a trial beyond its eval",
      sql: () => "update trials set k = 99 where status = 'passed'",
      also: ["trial-equals-newest-event"],
    },
    {
      by: "putting a trial on the slot of another agent",
      sql: () => "update trials set slot = '[\"solver\", \"another\"]' where agent = 'planner'",
    },
    {
      by: "duplicating a live trial",
      sql: () => `
        drop index trials_live_slot;
        insert into trials select (jsonb_populate_record(t, jsonb_build_object('id', new_id()))).* from trials t
          where status = 'passed'`,
      also: ["trial-equals-newest-event"],
    },
  ],
  "one-live-eval-per-name": [
    {
      by: "duplicating a live eval",
      sql: () => `
        drop index evals_live_name;
        insert into evals select (jsonb_populate_record(v, jsonb_build_object('id', new_id()))).* from evals v
          where name = 'agents'`,
      also: ["eval-equals-newest-event", "evals-match-their-events"],
    },
    {
      by: "marking an eval as the twin of none",
      sql: () => "update evals set twin_of = new_id() where name = 'agents'",
      also: ["evals-match-their-events"],
    },
  ],
  "k-only-rises": [
    {
      by: "raising k from what it never was",
      sql: () => `
        update eval_step_events set payload = replace(payload, '"from":2', '"from":1')
        where type = 'eval_updated'${REHASH_EVALS}`,
    },
    {
      by: "raising k after a trial beyond it",
      sql: () => `
        update eval_step_events set payload = replace(payload, '"k":2', '"k":3') where type = 'trials_recorded';
        update trials set k = 3 where k = 2${REHASH_EVALS}`,
    },
  ],
  "eval-equals-newest-event": [
    {
      by: "cancelling an eval without its event",
      sql: () => "update evals set status = 'cancelled'",
    },
  ],
  "eval-chain-intact": [
    {
      by: "rewording the reason of a retraction",
      sql: () => `
        update eval_step_events set reason = 'Another reason' where type = 'trial_retracted';
        update trials set retract_reason = 'Another reason' where retracted_at is not null`,
    },
  ],
  "eval-event-starts-where-previous-ended": [
    {
      by: "counting a trial of a draft eval",
      sql: () => `
        update eval_step_events set from_status = 'draft', to_status = 'draft'
        where seq = 4 and eval_id in (select id from evals where name = 'accuracy')${REHASH_EVALS}`,
    },
    {
      by: "dating an event before the previous one",
      sql: () => `
        update eval_step_events set at = at - interval '1 day' where seq = 3${REHASH_EVALS}`,
    },
  ],
  "eval-moves-are-legal": [
    {
      by: "running an eval that was never queued",
      sql: () => `
        update eval_step_events set to_status = 'draft' where seq = 2;
        update eval_step_events set from_status = 'draft' where seq = 3${REHASH_EVALS}`,
    },
    {
      by: "scoring a trial before trials could be scored",
      sql: () => `
        update eval_step_events set registry_version = 1 where payload like '%"status":"scored"%'${REHASH_EVALS}`,
    },
    {
      by: "failing a trial that had passed",
      sql: () => `
        update eval_step_events set payload = replace(payload, '"from":"running"', '"from":"passed"')
        where type = 'trial_transitioned'${REHASH_EVALS}`,
    },
  ],
  "trial-equals-newest-event": [
    { by: "changing a trial to passed", sql: () => "update trials set status = 'passed'" },
    {
      by: "assigning a trial to another revision",
      sql: () => "update trials set model_revision = 'r2' where status = 'passed'",
    },
    {
      by: "restoring a retracted trial",
      sql: () => `
        drop index trials_live_slot;
        update trials set k = 1, retracted_at = null, retracted_by = null, retract_reason = null
        where retracted_at is not null`,
      also: ["one-live-trial-per-slot"],
    },
    {
      by: "deleting a trial",
      sql: () => "delete from trials where status = 'passed'",
    },
  ],
  "insights-match-their-trial": [
    {
      by: "assigning an insight to another task",
      sql: ({ paid }) => `update insights set task_id = '${paid.id}'`,
    },
  ],
  "streams-do-not-mix": [
    {
      by: "writing a task's event into an eval's history",
      sql: () => `
        alter table eval_step_events drop constraint eval_step_events_type;
        update eval_step_events set type = 'note_added' where seq = 2${REHASH_EVALS}`,
      also: ["eval-moves-are-legal"],
    },
    {
      by: "writing an eval's event into a task's history",
      sql: (world) => `
        alter table step_events drop constraint step_events_type;
        ${changeEvent("type = 'eval_created'", NOTE_SEQ)(world)}${REHASH}`,
    },
  ],
  "data-references-same-task": [
    {
      by: "deriving a task's data from another task's prompt",
      sql: ({ busy, paid }) => `
        ${prompt(paid)};
        update data set prompt_id = (select id from prompts where content = 'A forged one') where task_id = '${busy.id}'`,
    },
  ],
  "sealed-versions-take-no-given-data": [
    {
      by: "adding golden data to a sealed version",
      sql: ({ busy }) => `
        insert into data (tenant_id, id, task_id, version_id, step_id, kind, uri, content_type, size_bytes, sha256,
            created_by)
          select s.tenant_id, new_id(), s.task_id, s.version_id, s.id, 'golden', 's3://bucket/late', 'text/plain', 1,
            sha256('late'), 'a forger'
          from steps s join task_versions v on v.tenant_id = s.tenant_id and v.id = s.version_id
          where s.task_id = '${busy.id}' and v.sealed_at is not null limit 1`,
    },
  ],
  "object-keys-match-hashes": [
    {
      by: "pointing data at another object",
      sql: () => "update data set uri = null, object_key = tenant_id || '/' || repeat('0', 64)",
    },
  ],
  "stored-content-is-not-swept": [
    {
      by: "marking data as stored that are elsewhere",
      sql: () => "update data set stored_at = now()",
    },
    {
      by: "claiming an object that is stored",
      sql: () => `
        update data set stored_at = now(), uri = null, object_key = tenant_id || '/' || encode(sha256, 'hex');
        insert into swept_objects (tenant_id, object_key) select tenant_id, object_key from data`,
    },
  ],
  "labels-match-resolver": [
    {
      by: "writing another label",
      sql: ({ busy }) =>
        `update task_labels set unified_status = 'DELIVERED' where task_id = '${busy.id}'`,
    },
    {
      by: "clearing a task's attention codes",
      sql: ({ paid }) => `update task_labels set attention = '{}' where task_id = '${paid.id}'`,
    },
    {
      by: "removing a task from the lists",
      sql: ({ busy }) => `update task_labels set archived = true where task_id = '${busy.id}'`,
    },
    {
      by: "changing the stage in a task's label row",
      sql: ({ busy }) =>
        `update task_labels set step_kind = 'delivery' where task_id = '${busy.id}'`,
    },
    {
      by: "deleting a label",
      sql: ({ busy }) => `delete from task_labels where task_id = '${busy.id}'`,
    },
  ],
  "running-work-is-on-current-step": [
    {
      by: "reopening the run of an earlier step",
      sql: ({ generated }) =>
        `update worker_runs set state = 'RUNNING' where type = 'OUTPUT_GENERATION' and task_id <> '${generated.id}'`,
      also: ["runs-match-their-events"],
    },
  ],
  "offered-runs-are-claimed-first": [
    {
      by: "starting a run that no worker has claimed",
      sql: () => `update worker_runs set state = 'SUCCEEDED', lease_owner = null, lease_until = null,
        lease_seconds = null where offered`,
      also: ["runs-match-their-events"],
    },
    {
      by: "counting an attempt without a claim",
      sql: () => `update worker_runs set attempt = 2, lease_owner = null, lease_until = null,
        lease_seconds = null where offered`,
    },
  ],
  "leases-end-by-the-deadline": [
    {
      by: "extending a lease beyond its run's deadline",
      sql: () =>
        "update worker_runs set lease_until = deadline_at + interval '1 second' where offered",
    },
  ],
  "late-reports-are-whole": [
    {
      by: "keeping a late report as early releases did, without what it reported and who",
      sql: () => `
        insert into run_late_reports (tenant_id, id, run_id, result, error)
        select tenant_id, new_id(), run_id, result, error from run_late_reports`,
    },
    {
      by: "losing the state of a late report",
      sql: () => "update run_late_reports set state = null",
    },
  ],
  "late-reports-are-late": [
    {
      by: "calling a report on an open run late",
      sql: () => `
        update run_late_reports l set run_id = (select w.id from worker_runs w
          where w.tenant_id = l.tenant_id and w.state = 'RUNNING' limit 1)`,
    },
    {
      by: "keeping an empty row for a repeat of the report that ended its run",
      sql: () =>
        "update run_late_reports set state = 'SUCCEEDED', verdict = null, result = null, error = null",
    },
  ],
  "deliveries-end-by-the-law": [
    ...["endpoint_answered_404", "attempts_exhausted"].map((reason) => ({
      by: `ending a delivery as ${reason} after one attempt`,
      sql: () =>
        `update webhook_deliveries set state = 'dead', delivered_at = null, dead_reason = '${reason}', attempts = 1,
          response_status = 404`,
    })),
    {
      by: "blaming the address for an answer",
      sql: () =>
        `update webhook_deliveries set state = 'dead', delivered_at = null, dead_reason = 'url_not_allowed',
          response_status = 404`,
    },
    {
      by: "keeping the reason of a delivery that waits again",
      sql: () =>
        `update webhook_deliveries set state = 'pending', delivered_at = null, dead_reason = 'webhook_deleted'`,
    },
  ],
  "webhooks-receive-events": [
    {
      by: "reporting a missing event",
      sql: () => `update webhook_deliveries set source = split_part(source, '/', 1) || '/99'
        where event = 'task.label_changed'`,
    },
    {
      by: "dating a message differently from its event",
      sql: () => "update webhook_deliveries set occurred_at = occurred_at + interval '1 second'",
    },
    {
      by: "moving a webhook back before its deliveries",
      sql: () => "update webhooks set position_txid = '0', position_feed_id = 0",
    },
  ],
  "webhook-positions-are-settled": [
    {
      by: "moving a webhook ahead of the feed",
      sql: () => "update webhooks set position_txid = '1000000000'",
    },
  ],
  "endpoints-are-signed": [
    {
      by: "deleting the secret of a webhook",
      sql: () => "delete from signing_secrets where kind = 'webhook'",
    },
    {
      by: "giving an endpoint to a pipeline whose secret only signs until tomorrow",
      sql: () => `
        update signing_secrets set signs_until = now() + interval '1 day' where kind = 'pipeline';
        update pipelines set endpoint = 'https://checks.example.com'`,
      also: ["administered-rows-equal-their-newest-event"],
    },
  ],
  "secrets-have-owners": [
    {
      by: "deleting a pipeline but not its secret",
      sql: () => "delete from pipelines",
      also: ["administered-rows-equal-their-newest-event"],
    },
    {
      by: "deleting a webhook but not its secret",
      sql: () => "update webhooks set deleted_at = now(), enabled = false",
      also: ["administered-rows-equal-their-newest-event"],
    },
  ],
  "administration-chain-intact": [
    {
      by: "rewriting the reason of an administrative event",
      sql: () => "update admin_events set reason = 'Forged' where seq = 2",
    },
    {
      by: "dating an administrative event before the previous one",
      sql: () => "update admin_events set at = at - interval '1 day' where seq = 3",
    },
  ],
  "only-demos-have-a-simulated-clock": [
    {
      by: "making a customer of a demo",
      sql: () => "update tenants set kind = 'customer' where kind = 'demo'",
      also: ["administered-rows-equal-their-newest-event"],
    },
  ],
  "administration-head-is-the-last-event": [
    {
      by: "changing a head of administration",
      sql: () => "update admin_heads set hash = sha256('forged')",
    },
    {
      by: "cutting off the newest administrative event",
      sql: ({ tenant }) => `delete from admin_events e using admin_heads h
        where (e.tenant_id, e.seq) = (h.tenant_id, h.seq) and e.tenant_id = '${tenant.id}'`,
      also: ["administered-rows-equal-their-newest-event"],
    },
    { by: "removing a head", sql: () => "delete from admin_heads" },
  ],
  "taxonomy-levels-nest": [
    {
      by: "making a category a difficulty of its domain",
      sql: () => "update taxonomy set level = 'difficulty' where level = 'category'",
      also: ["administered-rows-equal-their-newest-event"],
    },
  ],
  "administered-rows-equal-their-newest-event": [
    {
      by: "making a viewer's key an admin's",
      sql: () => "update api_keys set role = 'admin' where role = 'viewer'",
    },
    {
      by: "exchanging a key's digest",
      sql: () => "update api_keys set digest = sha256('forged') where role = 'admin'",
    },
    {
      by: "revoking a key",
      sql: () => "update api_keys set revoked_at = now(), revoked_by = 'x' where role = 'admin'",
    },
    {
      by: "giving a key an end",
      sql: () => "update api_keys set expires_at = now() where role = 'service'",
    },
    {
      by: "adding a key",
      sql: () => `insert into api_keys (tenant_id, id, name, role, digest, last_four, created_by)
        select tenant_id, new_id(), 'Back door', 'admin', sha256('a back door'), 'door', 'nobody' from admin_heads`,
    },
    {
      by: "deleting a key",
      sql: () => "delete from api_key_uses; delete from api_keys where role = 'viewer'",
    },
    {
      by: "repointing a pipeline",
      sql: () => "update pipelines set endpoint = 'https://evil.example'",
    },
    {
      by: "extending a pipeline's deadline",
      sql: () => "update pipelines set run_deadline_seconds = 9999",
    },
    { by: "renaming a person", sql: () => "update people set name = 'Forged'" },
    {
      by: "giving a person a role",
      sql: () => "update people set role = 'admin' where role is null",
    },
    {
      by: "giving a person the subject of another's tokens",
      sql: () => "update people set subject = 'mallory'",
    },
    {
      by: "activating a person again",
      sql: () => "update people set active = not active",
    },
    {
      by: "adding a person",
      sql: () => `insert into people (tenant_id, id, name, role)
        select tenant_id, new_id(), 'Back door', 'admin' from admin_heads`,
    },
    {
      by: "giving a key to a person",
      sql: () => `update api_keys k set kind = 'person', person_id = p.id from people p
        where p.tenant_id = k.tenant_id and k.role = 'viewer' and k.person_id is null`,
    },
    { by: "repointing a webhook", sql: () => "update webhooks set url = 'https://evil.example'" },
    {
      by: "subscribing a webhook to more events",
      sql: () => "update webhooks set events = events || 'bulk.finished'::text",
    },
    { by: "disabling a webhook", sql: () => "update webhooks set enabled = false" },
    {
      by: "renaming a tenant",
      sql: ({ tenant }) => `update tenants set name = 'Forged' where id = '${tenant.id}'`,
    },
  ],
  "administrative-events-continue-each-other": [
    {
      by: "rewriting what a key was before it changed",
      sql: () => `update admin_events set payload = jsonb_set(payload::jsonb, '{before}', '{"role": "viewer"}')::text
        where type = 'state_imported' and seq = 2`,
      also: ["administration-chain-intact"],
    },
  ],
};

let api: TestApi;
let world: BreakableWorld;

/** Creates duplicates of the paid task, after the tasks that no duplicate may name have ended. */
async function givenDuplicates({ paid }: World) {
  const at = { kind: "expert_review", status: "in_review" } as const;
  const [archived, duplicate, duplicateAgain] = [
    await api.givenTask({ at }),
    await api.givenTask({ at }),
    await api.givenTask({ at }),
  ];
  expectDone(await api.call("POST", `/tasks/${archived.id}/archive`, { body: {} }));
  for (const { currentStep } of [duplicate, duplicateAgain]) {
    const body = { status: "duplicate", duplicateOf: paid.id, reason: "Seen before" };
    expectDone(await api.call("PATCH", `/steps/${currentStep.id}`, { body }));
  }
  const post = async (path: string, body: object) => {
    const call = { idempotencyKey: crypto.randomUUID(), body: { reason: "To have one", ...body } };
    return expectDone(await api.call<{ operationId: string }>("POST", path, call)).operationId;
  };
  const rejected = { taskIds: [duplicateAgain.id], targetStatus: "REJECTED" };
  await post(`/bulk/operations/${await post("/bulk/execute", rejected)}/revert`, {});
  const held = await givenSuccess(
    { kind: "pre_qa", status: "running" },
    "QUALITY_AUTOMATION",
    true,
  );
  const generated = await givenSuccess(
    { kind: "output_generation", status: "running" },
    "OUTPUT_GENERATION",
    false,
  );
  return { archived, duplicate, duplicateAgain, held, generated };
}

/** A task whose worker succeeds, while it is held or not. */
async function givenSuccess(at: Place, type: WorkerType, isHeld: boolean): Promise<TaskView> {
  const task = await api.givenTask({ at });
  const run = await api.call<{ id: string }>("POST", `/tasks/${task.id}/worker-runs`, {
    as: "service",
    body: { type },
  });
  const path = `/worker-runs/${expectDone(run, 201).id}`;
  if (isHeld) {
    const body = { gate: "blocked", reason: "Wait" };
    expectDone(await api.call("PATCH", `/steps/${task.currentStep.id}/gate`, { body }));
  }
  const body = { state: "SUCCEEDED", ...(type === "QUALITY_AUTOMATION" && { verdict: "passed" }) };
  expectDone(await api.call("PATCH", path, { as: "service", body }));
  return task;
}

beforeAll(async () => {
  api = await freshApi();
  await givenBreaker(api.database);
  const given = await givenWorld(api, api.tenant);
  world = { ...given, ...(await givenDuplicates(given)) };
});

const DECISIONS = DECISION_INVARIANTS.map(({ name }) => name);

describe("the invariants", () => {
  test("hold for a tenant with rows in every table", async () => {
    const [row] = await api.database.query(
      "superuser",
      `select string_agg(relname, ', ') as empty from pg_class
       where relnamespace = 'public'::regnamespace and relkind = 'r'
         and (xpath('/row/n/text()', query_to_xml('select count(*) as n from ' || relname, false, true, '')))[1]::text = '0'`,
    );
    expect(row?.["empty"]).toBeNull();
    await expectInvariantsHold(api.database);
  });

  test("can each be broken by hand", () => {
    expect(Object.keys(BREACHES).toSorted()).toEqual(INVARIANTS.map(({ name }) => name).toSorted());
  });

  const breaches = Object.entries(BREACHES).flatMap(([name, ways]) =>
    ways.map((way) => ({ name, ...way })),
  );
  test.for(breaches)("$name reports $by", async ({ name, sql, also = [] }) => {
    const broken = await invariantsBrokenBy(api.database, sql(world));
    expect(broken.toSorted()).toEqual([name, ...also].toSorted());
  });

  test("judge no event by the rules of a later registry version", async () => {
    const ofVersion1 = ({ busy }: World) =>
      `update step_events set registry_version = 1, reason = null where task_id = '${busy.id}';`;
    const broken = await invariantsBrokenBy(
      api.database,
      ofVersion1(world) + failingReviews(world),
    );
    expect(broken.filter((name) => DECISIONS.includes(name))).toEqual([]);
  });

  test("hold again after each break was rolled back", async () => {
    expect(await invariantsBrokenBy(api.database, "select 1")).toEqual([]);
    await expectInvariantsHold(api.database);
  });
});
