export const DISPATCH_STATES = ["pending", "sent", "delivered", "recalled", "dead"] as const;
export type DispatchState = (typeof DISPATCH_STATES)[number];

/** The state machine of dispatches. */
export const DISPATCH_TRANSITIONS: Record<DispatchState, readonly DispatchState[]> = {
  pending: ["sent", "recalled", "dead"],
  sent: ["delivered", "pending", "dead", "recalled"],
  delivered: [],
  recalled: [],
  dead: ["pending"],
};

/** The transitions that a person can make. The others follow from delivery. */
export const DISPATCH_MOVES_BY_HAND: Record<DispatchState, readonly DispatchState[]> = {
  pending: ["recalled"],
  sent: ["recalled"],
  delivered: [],
  recalled: [],
  dead: ["pending"],
};
