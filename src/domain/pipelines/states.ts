export const DISPATCH_STATES = ["pending", "sent", "delivered", "recalled", "dead"] as const;
export type DispatchState = (typeof DISPATCH_STATES)[number];

/** The life of one request that a pipeline run for a task. */
export const DISPATCH_TRANSITIONS: Record<DispatchState, readonly DispatchState[]> = {
  pending: ["sent", "recalled", "dead"],
  sent: ["delivered", "pending", "dead", "recalled"],
  delivered: [],
  recalled: [],
  dead: ["pending"],
};

/** Where somebody may take a dispatch by hand; what else becomes of it follows from its delivery. */
export const DISPATCH_MOVES_BY_HAND: Record<DispatchState, readonly DispatchState[]> = {
  pending: ["recalled"],
  sent: ["recalled"],
  delivered: [],
  recalled: [],
  dead: ["pending"],
};
