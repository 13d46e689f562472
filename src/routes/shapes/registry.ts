import * as z from "zod";
import { WORKER_TYPES } from "../../domain/lifecycle/statuses.ts";
import { gateState, stepKind, stepStatus, unifiedStatus } from "./task.ts";

/** A condition of a rule. Null matches everything. */
const anyOf = <Item extends z.ZodType>(item: Item) => z.array(item).readonly().nullable();

const workerType = z.enum(WORKER_TYPES).openapi("WorkerType");

export const resolverRule = z
  .strictObject({
    number: z.int(),
    kinds: anyOf(stepKind),
    statuses: anyOf(stepStatus),
    gates: anyOf(gateState),
    reviewStanding: z.literal("failed").nullable(),
    // A union, because this is the component's first use, and `nullable` would make the component itself nullable.
    runningWorker: z.union([workerType, z.null()]),
    label: unifiedStatus,
  })
  .openapi("ResolverRule", {
    description:
      "The first rule whose conditions all hold gives the label. A condition that is null always holds.",
  });

export const labelFacts = z
  .strictObject({
    kind: stepKind,
    status: stepStatus,
    gate: gateState,
    heldGate: gateState.nullable().openapi({
      description:
        "The gate that the step would have without its hold. Rules read it in place of `gate`, because a hold changes no label.",
    }),
    reviewFailed: z.boolean(),
    runningWorkers: z.array(workerType).readonly(),
    idle: z.boolean(),
  })
  .openapi("LabelFacts", {
    description: "The facts about the current step that its label depends on.",
  });

const names = z.array(z.string()).readonly();
const namesByName = z.record(z.string(), names);
const nameByName = z.record(z.string(), z.string());

/** The domain's tables in responses. */
export const registryTables = z
  .strictObject({
    registryVersion: z.int(),
    stepKinds: names,
    stageAliases: z.record(z.string(), stepKind).openapi({
      description:
        "Other names that requests can use for a stage, each with the stage that it means. Answers never have them.",
    }),
    stepStatuses: names,
    gateStates: names,
    stepTransitions: z.record(z.string(), namesByName).openapi({
      description: "The statuses that a step can change to, by kind and current status.",
    }),
    gateTransitions: namesByName,
    gateOnStatus: nameByName,
    unifiedStatuses: names.openapi({ description: "All labels, in sort order." }),
    resolver: z.array(resolverRule).readonly(),
    attention: z
      .array(
        z.strictObject({
          code: z.string(),
          kinds: anyOf(stepKind),
          statuses: anyOf(stepStatus),
          gates: anyOf(gateState),
          failureStands: z.boolean().nullable(),
          idle: z.literal(true).nullable(),
        }),
      )
      .readonly(),
    bulkTargets: names,
    bulkAllowedTargets: namesByName,
    bulkStepStatus: nameByName,
    bulkActions: names.openapi({
      description: "The actions that a bulk change can apply instead of a target label.",
    }),
    bulkRetriedStatuses: names.openapi({
      description: "The statuses that the bulk action `retry` applies to.",
    }),
    bulkRevertibleActions: names.openapi({
      description:
        "The bulk actions that can be reverted. Every bulk change to a target label can be reverted.",
    }),
    terminalUnified: names,
    workerTypes: names,
    statusRelevantWorkerTypes: names,
    reportEffects: z.record(
      z.string(),
      z
        .strictObject({
          stepKind,
          becomes: z.record(
            z.string(),
            z.union([stepStatus, z.record(z.string(), stepStatus)]).nullable(),
          ),
        })
        .nullable(),
    ),
    reviewMoves: namesByName.openapi({
      description: "The statuses to which a review can move its step, by outcome.",
    }),
    pipelines: names,
    pipelinesOnEntry: z
      .array(z.strictObject({ kind: stepKind, status: stepStatus, pipeline: z.string() }))
      .readonly(),
    pipelinesOnTarget: namesByName,
    stagePipelines: z
      .array(z.strictObject({ kind: stepKind, pipeline: z.string() }))
      .readonly()
      .openapi({
        description:
          "The pipeline that works on each stage. A step of such a stage is `idle` if it is running and has had no open run for the pipeline's run deadline.",
      }),
    runTransitions: namesByName,
    dispatchTransitions: namesByName,
    operationTransitions: namesByName,
    evalTransitions: namesByName,
    trialTransitions: namesByName,
  })
  .openapi("Registry");
