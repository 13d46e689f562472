import fc from "fast-check";
import { BULK_TARGETS } from "../../../src/domain/bulk/matrix.ts";
import {
  FIRST_KINDS,
  GATE_STATES,
  REVIEW_KINDS,
  REVIEW_OUTCOMES,
  RUN_STATES,
  STEP_KINDS,
  STEP_STATUSES,
  WORKER_TYPES,
} from "../../../src/domain/lifecycle/statuses.ts";
import { PIPELINE_NAMES } from "../../../src/domain/pipelines/pipelines.ts";
import { START_STATUSES } from "../../../src/domain/lifecycle/transitions.ts";

type Drawn<From> = From extends fc.Arbitrary<infer Value> ? Value : never;

// What a random caller wants. A number picks one of the candidates that exist when the call is sent.

const flag = fc.constantFrom(true, false, undefined);
const anyBoolean = fc.boolean();
const mostly = (weight: number) =>
  fc.oneof({ weight, arbitrary: fc.constant(true) }, fc.constant(false));
const original = fc.oneof(
  { weight: 4, arbitrary: fc.constant("none" as const) },
  { weight: 2, arbitrary: fc.constant("other" as const) },
  fc.constantFrom("other" as const, "itself" as const, "unknown" as const),
);

const wishes = {
  create: fc.record({
    do: fc.constant("create" as const),
    start: fc.option(
      fc.record({
        kind: fc.constantFrom(...STEP_KINDS),
        status: fc.constantFrom(...START_STATUSES),
      }),
      { nil: undefined },
    ),
    externalId: fc.constantFrom("none" as const, "new" as const, "new" as const, "taken" as const),
    priority: fc.option(fc.nat(100), { nil: undefined }),
  }),
  /** Usually a step forward, so that walks get far: restores, advances through open gates, reworks what has ended. */
  onward: fc.record({ do: fc.constant("onward" as const), pick: fc.nat(), flag }),
  transition: fc.record({
    do: fc.constant("transition" as const),
    status: fc.constantFrom(...STEP_STATUSES),
    step: fc.nat(),
    isCurrent: mostly(6),
    hasReason: anyBoolean,
    original,
    flag,
  }),
  gate: fc.record({
    do: fc.constant("gate" as const),
    gate: fc.constantFrom(...GATE_STATES),
    isLawful: anyBoolean,
    step: fc.nat(),
    isCurrent: mostly(6),
    hasReason: anyBoolean,
  }),
  advance: fc.record({ do: fc.constant("advance" as const), hold: anyBoolean, flag }),
  rework: fc.record({
    do: fc.constant("rework" as const),
    toKind: fc.constantFrom(...STEP_KINDS),
    flag,
  }),
  version: fc.record({
    do: fc.constant("version" as const),
    firstKind: fc.constantFrom(undefined, ...FIRST_KINDS),
    brief: fc.string({ maxLength: 5, unit: "grapheme-ascii" }),
    flag,
  }),
  edit: fc.record({
    do: fc.constant("edit" as const),
    title: fc.constantFrom(undefined, "One title", "Another title"),
    externalId: fc.constantFrom(
      "same" as const,
      "same" as const,
      "none" as const,
      "new" as const,
      "taken" as const,
    ),
    assignee: fc.constantFrom(undefined, null, "someone", "someone else"),
    priority: fc.nat(3),
  }),
  putAway: fc.record({ do: fc.constantFrom("archive" as const, "restore" as const) }),
  note: fc.record({
    do: fc.constant("note" as const),
    text: fc.constantFrom("A remark", 'Ünïcode 😀\n"quoted"'),
  }),
  review: fc.record({
    do: fc.constant("review" as const),
    /** Whether the call names its step, and whether that is the current one. */
    names: mostly(3),
    step: fc.nat(),
    isCurrent: mostly(6),
    kind: fc.constantFrom(...REVIEW_KINDS),
    outcome: fc.constantFrom(...REVIEW_OUTCOMES),
    notes: fc.constantFrom(undefined, "Because of this"),
    move: fc.option(
      fc.record({
        status: fc.constantFrom(...STEP_STATUSES),
        /** Takes a status that agrees with the outcome and that the step can reach, if there is one. */
        isLawful: mostly(3),
        hasReason: anyBoolean,
        original,
        flag,
      }),
      {
        nil: undefined,
      },
    ),
  }),
  withdraw: fc.record({
    do: fc.constant("withdraw" as const),
    review: fc.nat(),
    isNewest: mostly(6),
  }),
  claim: fc.record({
    do: fc.constant("claim" as const),
    max: fc.integer({ min: 1, max: 3 }),
    own: mostly(4),
  }),
  letGo: fc.record({
    do: fc.constant("letGo" as const),
    verb: fc.constantFrom("release" as const, "decline" as const),
  }),
  run: fc.record({
    do: fc.constant("run" as const),
    type: fc.constantFrom(...WORKER_TYPES),
    suits: mostly(2),
  }),
  report: fc.record({
    do: fc.constant("report" as const),
    run: fc.nat(),
    isOpen: mostly(4),
    state: fc.constantFrom(...RUN_STATES, "RUNNING", "SUCCEEDED"),
    verdict: fc.constantFrom(...REVIEW_OUTCOMES),
    hasFittingVerdict: mostly(8),
    result: fc.constantFrom(undefined, undefined, null, { tokens: 1 }, { tokens: 2 }),
    error: fc.constantFrom(undefined, undefined, "Out of memory"),
    attempt: fc.constantFrom(undefined, undefined, undefined, 1, 1, 2),
  }),
  /** Time passes without a run, and the sweep comes. */
  idle: fc.record({ do: fc.constant("idle" as const) }),
  dispatch: fc.record({
    do: fc.constant("dispatch" as const),
    pipeline: fc.constantFrom(...PIPELINE_NAMES),
    fits: anyBoolean,
    step: fc.nat(),
    isCurrent: mostly(6),
  }),
  bulk: fc.record({
    do: fc.constant("bulk" as const),
    tasks: fc.array(fc.nat(), { minLength: 1, maxLength: 6 }),
    hasUnknown: anyBoolean,
    target: fc.constantFrom(...BULK_TARGETS),
    original,
    flag,
    isPreviewed: anyBoolean,
  }),
  moves: fc.record({
    do: fc.constant("moves" as const),
    moves: fc.array(
      fc.record({
        task: fc.nat(),
        ask: fc.oneof(
          fc.record({ status: fc.constantFrom(...STEP_STATUSES) }),
          fc.record({ lawful: fc.nat() }),
          fc.record({ lawful: fc.nat() }),
          fc.constant({ advance: true as const }),
          fc.record({ rework: fc.constantFrom(...STEP_KINDS) }),
        ),
        hasReason: anyBoolean,
        bound: fc.constantFrom("no" as const, "no" as const, "now" as const, "before" as const),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    flag,
  }),
};

const anyWish = fc.oneof(
  { weight: 1, arbitrary: wishes.create },
  { weight: 12, arbitrary: wishes.onward },
  { weight: 4, arbitrary: wishes.transition },
  { weight: 3, arbitrary: wishes.gate },
  { weight: 2, arbitrary: wishes.advance },
  { weight: 2, arbitrary: wishes.rework },
  { weight: 1, arbitrary: wishes.version },
  { weight: 2, arbitrary: wishes.edit },
  { weight: 1, arbitrary: wishes.putAway },
  { weight: 1, arbitrary: wishes.note },
  { weight: 4, arbitrary: wishes.review },
  { weight: 3, arbitrary: wishes.withdraw },
  { weight: 3, arbitrary: wishes.claim },
  { weight: 1, arbitrary: wishes.letGo },
  { weight: 4, arbitrary: wishes.run },
  { weight: 7, arbitrary: wishes.report },
  { weight: 2, arbitrary: wishes.idle },
  { weight: 2, arbitrary: wishes.dispatch },
  { weight: 4, arbitrary: wishes.bulk },
  { weight: 3, arbitrary: wishes.moves },
);
export type Wish = Drawn<typeof anyWish>;
export type WishTo<Do extends Wish["do"]> = Extract<Wish, { do: Do }>;

/** A call: who sends it, how, and which fault it meets on the way to the database. */
const anyCall = fc.record({
  wish: anyWish,
  /** The role of the caller. The walk sends calls that only services may send as the service. */
  as: fc.oneof(
    { weight: 24, arbitrary: fc.constant("admin" as const) },
    { weight: 4, arbitrary: fc.constant("reviewer" as const) },
    { weight: 3, arbitrary: fc.constant("operator" as const) },
    fc.constant("viewer" as const),
    fc.constant("service" as const),
  ),
  task: fc.nat(),
  isNamedByExternalId: anyBoolean,
  condition: fc.oneof(
    { weight: 18, arbitrary: fc.constant("none" as const) },
    { weight: 3, arbitrary: fc.constant("now" as const) },
    { weight: 1, arbitrary: fc.constant("before" as const) },
  ),
  isRepeated: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
  trouble: fc.oneof(
    { weight: 12, arbitrary: fc.constant(null) },
    fc.constant("cut-after-commit" as const),
    fc.constant("cut-before-commit" as const),
    fc.constant("sqlstate" as const),
  ),
});
export type RandomCall = Drawn<typeof anyCall>;

/** A history of a small tenant: a few first tasks, and the calls that follow. */
export const anyHistory = fc.record({
  begins: fc.array(wishes.create, { minLength: 1, maxLength: 3 }),
  calls: fc.array(anyCall, { minLength: 30, maxLength: 60, size: "max" }),
});
