import * as z from "zod";
import { WORKER_TYPES } from "../../domain/lifecycle/statuses.ts";
import { gateState, stepKind, stepStatus, unifiedStatus } from "./task.ts";

/** Where `null` stands, the rule asks nothing. */
const anyOf = <Item extends z.ZodType>(item: Item) => z.array(item).readonly().nullable();

const workerType = z.enum(WORKER_TYPES).openapi("WorkerType");

export const resolverRule = z
  .strictObject({
    number: z.int(),
    kinds: anyOf(stepKind),
    statuses: anyOf(stepStatus),
    gates: anyOf(gateState),
    reviewStanding: z.literal("failed").nullable(),
    // A union, since `nullable` would make the component itself nullable, being its first use in the document.
    runningWorker: z.union([workerType, z.null()]),
    label: unifiedStatus,
  })
  .openapi("ResolverRule", {
    description: "The first rule whose conditions all hold names the label; null asks nothing.",
  });

export const labelFacts = z
  .strictObject({
    kind: stepKind,
    status: stepStatus,
    gate: gateState,
    reviewFailed: z.boolean(),
    runningWorkers: z.array(workerType).readonly(),
  })
  .openapi("LabelFacts", { description: "All that a label depends on, of the current step." });

const names = z.array(z.string()).readonly();
const namesByName = z.record(z.string(), names);
const nameByName = z.record(z.string(), z.string());

/** Every table of the domain, as data. */
export const registryTables = z
  .strictObject({
    registryVersion: z.int(),
    stepKinds: names,
    stepStatuses: names,
    gateStates: names,
    stepTransitions: z.record(z.string(), namesByName).openapi({
      description: "By kind and status: where a step may go.",
    }),
    gateTransitions: namesByName,
    gateOnStatus: nameByName,
    unifiedStatuses: names.openapi({ description: "In their sort order." }),
    resolver: z.array(resolverRule).readonly(),
    attention: z
      .array(
        z.strictObject({
          code: z.string(),
          kinds: anyOf(stepKind),
          statuses: anyOf(stepStatus),
          gates: anyOf(gateState),
        }),
      )
      .readonly(),
    bulkTargets: names,
    bulkAllowedTargets: namesByName,
    bulkStepStatus: nameByName,
    bulkActions: names.openapi({ description: "What bulk does in place of a target." }),
    bulkRetriedStatuses: names.openapi({ description: "Out of which `retry` brings a step." }),
    bulkRevertibleActions: names.openapi({
      description: "Those that can be taken back, as every change to a target can.",
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
    pipelines: names,
    pipelinesOnEntry: z
      .array(z.strictObject({ kind: stepKind, status: stepStatus, pipeline: z.string() }))
      .readonly(),
    pipelinesOnTarget: namesByName,
    runTransitions: namesByName,
    dispatchTransitions: namesByName,
    operationTransitions: namesByName,
    evalTransitions: namesByName,
    trialTransitions: namesByName,
  })
  .openapi("Registry");
