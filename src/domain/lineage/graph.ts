import type { Actor } from "../actor.ts";
import type { Maker } from "../maker.ts";
import type {
  GateState,
  RunState,
  StepEventType,
  StepKind,
  StepStatus,
} from "../lifecycle/statuses.ts";
import type { TrialStatus } from "../evals/statuses.ts";

/** The gate states that a verdict gives. The others wait for a verdict. */
export const VERDICT_GATES = [
  "passed",
  "waived",
  "failed",
  "errored",
  "revoked",
] as const satisfies readonly GateState[];
export type VerdictGate = (typeof VERDICT_GATES)[number];

/** A gate's verdict, and the event that decided it. */
export interface Verdict {
  gate: VerdictGate;
  from: GateState | null;
  status: StepStatus;
  seq: number;
  type: StepEventType;
  actor: Actor;
  reason: string | null;
  at: string;
}

export interface ArtifactFacts {
  id: string;
  taskId: string;
  kind: string;
  contentType: string;
  sizeBytes: number;
  sha256: string;
  uri: string | null;
  storedAt: string | null;
  createdAt: string;
}

export interface PromptFacts {
  id: string;
  taskId: string;
  role: string;
  contentHash: string;
  createdAt: string;
}

export interface StepFacts {
  id: string;
  taskId: string;
  kind: StepKind;
  attempt: number;
  status: StepStatus;
  gate: GateState;
}

export interface VersionFacts {
  id: string;
  taskId: string;
  number: number;
  contentHash: string;
  reason: string | null;
  createdBy: string;
  createdAt: string;
  sealedAt: string | null;
}

export interface TrialFacts {
  id: string;
  taskId: string;
  eval: { id: string; name: string };
  k: number;
  status: TrialStatus;
  retracted: boolean;
  createdAt: string;
}

export interface InsightFacts {
  id: string;
  taskId: string;
  kind: string;
  /** null if it has changed since the requested moment, because an insight has no history. */
  status: RunState | null;
  createdAt: string;
}

/** A fact, and the ids that it points at. */
interface Pointing<Facts, Pointers> {
  facts: Facts;
  to: Pointers;
}

/** The stored records of a lineage, each with the ids of what it came from. */
export interface LineageRecords {
  artifacts: Pointing<
    ArtifactFacts,
    Maker & {
      stepId: string;
      promptId: string | null;
      insightId: string | null;
      inputIds: string[];
    }
  >[];
  prompts: Pointing<PromptFacts, Maker & { stepId: string; trialId: string | null }>[];
  steps: Pointing<
    StepFacts,
    { versionId: string; openedBy: StepEventType; fromStepId: string | null }
  >[];
  /** Oldest first. */
  verdicts: Pointing<Verdict, { stepId: string }>[];
  versions: Pointing<VersionFacts, object>[];
  trials: Pointing<TrialFacts, Maker & { versionId: string; outputDataId: string | null }>[];
  insights: Pointing<InsightFacts, Maker & { trialId: string | null }>[];
}

/** How one node came from another, or belongs to it. */
export const EDGE_TYPES = [
  "made_by",
  "from_prompt",
  "from_insight",
  "input_of",
  "at_step",
  "of_version",
  "of_trial",
  "scored_by",
  "advanced_from",
  "reworked_from",
  "follows",
] as const;
export type EdgeType = (typeof EDGE_TYPES)[number];

export type LineageNode =
  | ({ type: "artifact"; key: string } & ArtifactFacts)
  | ({ type: "prompt"; key: string } & PromptFacts)
  | ({ type: "step"; key: string; verdicts: Verdict[] } & StepFacts)
  | ({ type: "version"; key: string } & VersionFacts)
  | ({ type: "model"; key: string } & Maker)
  | ({ type: "trial"; key: string } & TrialFacts)
  | ({ type: "insight"; key: string } & InsightFacts);
export type NodeType = LineageNode["type"];

/** Reads as a sentence: `from` is `made_by`, `at_step` or `of_version` `to`. */
export interface LineageEdge {
  type: EdgeType;
  from: string;
  to: string;
}

export interface LineageGraph {
  nodes: LineageNode[];
  edges: LineageEdge[];
}

/** Returns the graph of the records: a node for each record and each maker, and the edges between these nodes. */
export function lineageOf(records: LineageRecords): LineageGraph {
  const nodes = new Map<string, LineageNode>();
  const edges: LineageEdge[] = [];
  const addNode = (node: LineageNode): string => {
    nodes.set(node.key, node);
    return node.key;
  };
  const addEdge = (from: string, type: EdgeType, to: string): void => {
    edges.push({ type, from, to });
  };
  const addMaker = (from: string, maker: Maker): void => {
    const { model, modelRevision, agent, agentRevision, provider } = maker;
    // Keys of makers without the newest part stay as they were.
    const parts = [model, modelRevision, agent, provider];
    if (agentRevision !== null) parts.push(agentRevision);
    if (parts.every((part) => part === null)) return;
    const key = `model:${JSON.stringify(parts)}`;
    addEdge(
      from,
      "made_by",
      addNode({ type: "model", key, model, modelRevision, agent, agentRevision, provider }),
    );
  };

  for (const { facts, to } of records.artifacts) {
    const key = addNode({ type: "artifact", key: keyOf("artifact", facts.id), ...facts });
    addMaker(key, to);
    addEdge(key, "at_step", keyOf("step", to.stepId));
    if (to.promptId !== null) addEdge(key, "from_prompt", keyOf("prompt", to.promptId));
    if (to.insightId !== null) addEdge(key, "from_insight", keyOf("insight", to.insightId));
    for (const id of to.inputIds) addEdge(keyOf("artifact", id), "input_of", key);
  }
  for (const { facts, to } of records.prompts) {
    const key = addNode({ type: "prompt", key: keyOf("prompt", facts.id), ...facts });
    addMaker(key, to);
    addEdge(key, "at_step", keyOf("step", to.stepId));
    if (to.trialId !== null) addEdge(key, "of_trial", keyOf("trial", to.trialId));
  }
  const verdictsOf = Map.groupBy(records.verdicts, ({ to }) => to.stepId);
  for (const { facts, to } of records.steps) {
    const verdicts = (verdictsOf.get(facts.id) ?? []).map((verdict) => verdict.facts);
    const key = addNode({ type: "step", key: keyOf("step", facts.id), ...facts, verdicts });
    addEdge(key, "of_version", keyOf("version", to.versionId));
    if (to.fromStepId === null) continue;
    const previous = keyOf("step", to.fromStepId);
    if (to.openedBy === "step_advanced") addEdge(key, "advanced_from", previous);
    if (to.openedBy === "step_reworked") addEdge(key, "reworked_from", previous);
  }
  const idsByNumber = new Map(
    records.versions.map(({ facts: { taskId, number, id } }) => [`${taskId} ${number}`, id]),
  );
  for (const { facts } of records.versions) {
    const key = addNode({ type: "version", key: keyOf("version", facts.id), ...facts });
    const previous = idsByNumber.get(`${facts.taskId} ${facts.number - 1}`);
    if (previous !== undefined) addEdge(key, "follows", keyOf("version", previous));
  }
  for (const { facts, to } of records.trials) {
    const key = addNode({ type: "trial", key: keyOf("trial", facts.id), ...facts });
    addMaker(key, to);
    addEdge(key, "of_version", keyOf("version", to.versionId));
    if (to.outputDataId !== null) addEdge(keyOf("artifact", to.outputDataId), "scored_by", key);
  }
  for (const { facts, to } of records.insights) {
    const key = addNode({ type: "insight", key: keyOf("insight", facts.id), ...facts });
    addMaker(key, to);
    if (to.trialId !== null) addEdge(key, "of_trial", keyOf("trial", to.trialId));
  }
  return {
    nodes: [...nodes.values()],
    edges: edges.filter(({ from, to }) => nodes.has(from) && nodes.has(to)),
  };
}

function keyOf(type: Exclude<NodeType, "model">, id: string): string {
  return `${type}:${id}`;
}
