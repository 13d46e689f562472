import { expect } from "vitest";
import type { Original } from "../../../src/domain/lifecycle/duplicates.ts";
import type { TaskSnapshot } from "../../../src/domain/lifecycle/snapshot.ts";
import type { Answer, CallOptions, TestApi } from "../api.ts";
import { type Sent, UNKNOWN_ID } from "./command-calls.ts";
import type { RandomCall, WishTo } from "./random-calls.ts";
import type { TaskModel } from "./task-model.ts";

let walks = 0;

/** A tenant under test: the models of its tasks, the external ids in use, and the way to send a call. */
export class WalkedTenant {
  readonly models: TaskModel[] = [];
  readonly api: TestApi;
  readonly name: string;
  #names = 0;

  constructor(api: TestApi) {
    this.api = api;
    walks += 1;
    this.name = `walk-${walks}`;
  }

  /** Returns the external id that a wish asks for, or undefined to leave it unchanged. */
  externalId(wanted: WishTo<"edit">["externalId"]): string | null | undefined {
    switch (wanted) {
      case "same":
        return undefined;
      case "none":
        return null;
      case "new":
        this.#names += 1;
        return `${this.name}/${this.#names}`;
      case "taken":
        return this.models.find(({ snapshot }) => snapshot.externalId !== null)?.snapshot
          .externalId;
    }
  }

  /** Returns the name of the original task that a wish asks for. */
  originalOf(
    wanted: WishTo<"transition">["original"],
    model: TaskModel | null,
  ): string | undefined {
    switch (wanted) {
      case "none":
        return undefined;
      case "unknown":
        return UNKNOWN_ID;
      case "itself":
        return model?.id;
      case "other":
        return this.models.find((other) => other !== model)?.id;
    }
  }

  /** Returns the original of that name, in its present state. An unknown one is refused before its state matters. */
  original(name: string): Original {
    const found = this.models.find(({ id }) => id === name)?.snapshot;
    if (found === undefined) return { id: name, status: "queued", isArchived: false };
    return { id: name, status: found.step.status, isArchived: found.archivedAt !== null };
  }

  /** Returns a task's snapshot with the duplicates that name it now, which other tasks' decisions change. */
  namedSnapshot({ id, snapshot }: TaskModel): TaskSnapshot {
    const names = this.models.filter((other) => other.snapshot.duplicateOf === id);
    return { ...snapshot, namedBy: names.map((other) => other.id).toSorted() };
  }

  modelOf(number: number): TaskModel {
    const model = this.models[number % this.models.length];
    if (model === undefined) throw new Error("a walk must start with a task");
    return model;
  }

  holderOf(externalId: string | null | undefined): TaskModel | undefined {
    if (typeof externalId !== "string") return undefined;
    return this.models.find(({ snapshot }) => snapshot.externalId === externalId);
  }

  /** Sends the call, under a fault if the walk asks for one. A repeat with its key must get the same answer. */
  async send<Body>(
    { trouble, isRepeated }: Pick<RandomCall, "trouble" | "isRepeated">,
    { method, path, body }: Sent,
    options: CallOptions,
  ): Promise<Answer<Body>> {
    const { database, call } = this.api;
    this.#names += 1;
    const keyed = isRepeated ? { idempotencyKey: `${this.name}/${this.#names}` } : {};
    if (trouble !== null) {
      await database.faults({ kind: trouble, sql: "insert into operations", times: 1 });
    }
    const answer = await call<Body>(method, path, { ...options, ...keyed, body });
    if (trouble !== null) await database.clearFaults();
    if (isRepeated && answer.status < 300) {
      const repeat = await call(method, path, { ...options, ...keyed, body });
      expect({ status: repeat.status, text: repeat.text }).toEqual({
        status: answer.status,
        text: answer.text,
      });
    }
    return answer;
  }
}
