import { ROLES, type Role } from "../../../src/domain/actor.ts";
import type { EvalStatus } from "../../../src/domain/evals/statuses.ts";
import type { ErrorCode } from "../../../src/routes/http/problem.ts";
import type { Place, Tenant, TestApi } from "../api.ts";

/** What a request can name of a tenant. */
export interface Things {
  task: string;
  externalId: string;
  /** An external id that the caller has not used. Another tenant may have used it. */
  freeName: string;
  /** Another task, which the first one can duplicate. */
  original: string;
  /** A task whose evaluation `accuracy` of k = 1 has its trial. */
  evaluatedTask: string;
  version: string;
  step: string;
  /** An admin's claim of the review of the task. */
  claim: string;
  /** A review of the task by an admin, with a move. */
  review: string;
  run: string;
  /** A run whose reports move no step. */
  paymentRun: string;
  endedRun: string;
  /** A run on which a worker holds a lease, at attempt 1. */
  claimedRun: string;
  prompt: string;
  /** Declared data whose content is SAMPLE_CONTENT. */
  data: string;
  /** Data whose content is stored. */
  storedData: string;
  bulkOperation: string;
  dispatch: string;
  /** A dispatch that its endpoint refused. */
  deadDispatch: string;
  /** A bulk operation that no consumer has started. */
  waitingOperation: string;
  /** A bulk operation with one stale task. */
  staleOperation: string;
  /** A revert with one task that the database refused. */
  failedRevert: string;
  eval: string;
  trial: string;
  insight: string;
  apiKey: string;
  person: string;
  /** An id that no person of the caller has. Another tenant may use it. */
  freePerson: string;
  /** A domain of the taxonomy. */
  code: string;
  /** A code that the caller's taxonomy does not have. Another tenant's may have it. */
  freeCode: string;
  /** A story of five tasks of which nothing is told. */
  seedRun: string;
  /** A path that no object of a demo has. */
  freeObject: string;
  webhook: string;
  /** A name that no webhook of the caller has. Another tenant may use it. */
  freeWebhook: string;
  delivery: string;
}
export type Kind = keyof Things;

/** A valid request to a route of the API, and everything that tests know about that route. */
export interface Sample {
  /** Method and path, as in the contract. */
  route: string;
  /** Distinguishes the samples of one route. */
  what?: string;
  /** The roles that may send it, before the task is known. They are written down here, not computed by the product. */
  roles: readonly Role[];
  cost: Cost;
  /** What a repeat does. Present if the route writes. */
  repeat?: Repeat;
  /** Present if the answer waits for work that goes on in the background if the database stops answering: 202. */
  goesOn?: true;
  /** The status of the answer, if it is not the first one of the contract. */
  status?: number;
  /** The status if the names in `goesOnWithout` are unknown, when that differs. */
  statusWithout?: number;
  /** The role that sends it; `admin` by default, who may do everything that a person may. */
  as?: Role;
  /** Where the task must be for the request to succeed. */
  at?: Place;
  isArchived?: true;
  /** True if a run of the task must wait for workers that poll. */
  isOffered?: true;
  /** The status that the eval must have; `draft` by default. */
  evalStatus?: EvalStatus;
  /** Brings the tenant into the state that the request needs, beyond the things that it names. */
  prepare?: (api: TestApi, tenant: Tenant) => Promise<void>;
  /** The placeholders `{like this}` of path, query and body that name a thing, each with the kind of thing. */
  names: Readonly<Record<string, Kind>>;
  /** Placeholders that name no thing of a tenant. */
  fixed?: Readonly<Record<string, string>>;
  query?: string;
  body?: unknown;
  /** A body that is plain text, not JSON. */
  content?: string;
  /**
   * Placeholders where an unknown name does not return 404: a filter finds nothing, a list answers item by item, a new
   * name is free.
   */
  goesOnWithout?: readonly string[];
}

/** The round trips to the database that a call may take. */
export interface Cost {
  first: number;
  /** For a repeat under the same idempotency key. Absent if the route takes no key. */
  repeated?: number;
  /** After the answer, to relay what the call left in the outbox. */
  after?: number;
}

/** What happens when the same request arrives a second time. */
export interface Repeat {
  /**
   * Without an idempotency key, from a client that lost the first answer: succeeds without an effect, has a second
   * effect, or is refused with this code. Null if the route requires a key.
   */
  unkeyed: "no effect" | "second effect" | ErrorCode | null;
  /** The status of a repeat that succeeds, if it is not the first one's. */
  status?: number;
  /** Members of the answer that a repeat shows as null, because nothing stores them. */
  shownOnce?: readonly string[];
}

export const ADMINS: readonly Role[] = ["admin"];
export const REVIEWERS: readonly Role[] = ["reviewer", ...ADMINS];
export const OPERATORS: readonly Role[] = ["operator", ...REVIEWERS];
export const SERVICE: readonly Role[] = ["service"];
export const PEOPLE: readonly Role[] = ["viewer", "operator", "reviewer", "admin"];
export const EVERYONE: readonly Role[] = ROLES;
export const andService = (roles: readonly Role[]): readonly Role[] => [...roles, ...SERVICE];

export const READ: Cost = { first: 1 };
/** Load, decide, record. A repeat is found while loading. */
export const MOVE: Cost = { first: 2, repeated: 1 };
/** Records without loading. A repeat fails to record and then reads the stored result of the first call. */
export const CREATE: Cost = { first: 1, repeated: 2 };
/** Claims what is in the outbox, and marks it as sent. */
export const RELAY = 2;
/** A repeat reads its ledger again, so that it can continue with what is left. */
export const BULK: Cost = { first: 2, repeated: 2 };

export const AGAIN: Repeat = { unkeyed: "second effect" };
export const NOTHING_MORE: Repeat = { unkeyed: "no effect" };
export const ALREADY_DONE: Repeat = { unkeyed: "already_in_status" };
export const KEY_REQUIRED: Repeat = { unkeyed: null };

/** The name of a sample in tables and in test names. */
export const titleOf = ({ route, what }: Sample): string =>
  what === undefined ? route : `${route} ${what}`;
