import type { Administered } from "../../db/administration/write-administration.ts";
import type { Operation } from "../../db/connection/client.ts";
import { notFound, type Outcome, refuse, succeed } from "../../domain/refusals.ts";
import type { Done } from "./call.ts";
import type { LOST_RACE } from "./decide-again.ts";
import { inProgress, type Render, replay } from "./replay.ts";

interface Conclusion<Row, Result, Value, Unwritten> {
  /** Picks from the row what the ledger stores as the call's result; null if nothing was written. */
  result: (row: Row) => Result | null;
  /** Turns a stored result into the answer, on the first call and on every replay. */
  render: Render<Result, Value>;
  /** Says what follows if nothing was written; by default the call's subject was not found. */
  unwritten?: (row: Row | undefined) => Unwritten | Promise<Unwritten>;
}

/**
 * Ends an action: turns what a write recorded into the action's outcome. A replay and a first call still in progress
 * are answered here, so an action only says what its own row means.
 */
export async function conclude<
  Row,
  Result,
  Value,
  Unwritten extends Outcome<never> | typeof LOST_RACE = never,
>(
  operation: Operation,
  written: Administered<Row>,
  { result, render, unwritten }: Conclusion<Row, Result, Value, Unwritten>,
): Promise<Outcome<Done<Value>> | NoInfer<Unwritten>> {
  if (written.outcome === "refused") return refuse(written.refusal);
  if (written.outcome === "in_progress") return refuse(inProgress());
  if (written.outcome === "replayed") return replay(operation, written.operation, render);
  const [row] = written.rows;
  const recorded = row === undefined ? null : result(row);
  if (recorded !== null) return succeed({ value: await render(recorded), replayed: false });
  return unwritten === undefined ? refuse(notFound()) : unwritten(row);
}

/** Renders a result that the ledger stores exactly as it is answered. */
export const asStored = <Result>(result: Result): Result => result;
