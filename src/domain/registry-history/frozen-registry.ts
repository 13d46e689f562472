/** The tables of one registry version, as they were: the members by which verification judges events of that version. */
export interface FrozenRegistry {
  registryVersion: number;
  /** By stage and status: the statuses that can follow. */
  stepTransitions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  gateTransitions: Readonly<Record<string, readonly string[]>>;
  /** The statuses to which a review can move its step, by outcome. Version 1 had no such rule. */
  reviewMoves?: Readonly<Record<string, readonly string[]>>;
  evalTransitions: Readonly<Record<string, readonly string[]>>;
  trialTransitions: Readonly<Record<string, readonly string[]>>;
  /** The status of a step that each target of a bulk operation asks for. */
  bulkStepStatus: Readonly<Record<string, string>>;
  /** By worker type: the stage whose steps its reports move, and the status that each state of a run leads to. */
  reportEffects: Readonly<
    Record<string, { stepKind: string; becomes: Readonly<Record<string, unknown>> } | null>
  >;
  /** The pipelines that a step requests when it enters a status of a stage. */
  pipelinesOnEntry: readonly { pipeline: string; kind: string; status: string }[];
}
