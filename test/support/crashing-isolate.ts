import type { Database, TenantDatabase } from "../../src/db/connection/client.ts";
import type { Outbound } from "../../src/outbound/post-signed.ts";

class Crash extends Error {
  override name = "Crash";
}

/** An isolate that may crash at any moment. After a crash it neither reaches the outside world nor hears from it. */
export class CrashingIsolate {
  isDead = false;
  readonly #budget: { left: number };

  /** The interaction at which it crashes, or null if it does not. */
  constructor(crashesAt: number | null) {
    this.#budget = { left: crashesAt ?? Infinity };
  }

  /** Runs an interaction. It may crash before it, or after it but before its result arrives. */
  async #calling<Value>(call: () => Promise<Value>): Promise<Value> {
    this.#step();
    const answer = await call();
    this.#step();
    return answer;
  }

  #step(): void {
    this.#budget.left -= 1;
    if (this.#budget.left < 0) this.isDead = true;
    if (this.isDead) throw new Crash("The isolate has crashed");
  }

  database(database: Database): Database {
    return this.#wrapped(database, {
      forTenant: (tenantId: string) =>
        this.#wrapped<TenantDatabase>(database.forTenant(tenantId), {}),
    });
  }

  outbound(outbound: Outbound): Outbound {
    return {
      ...outbound,
      fetch: (...request) => this.#calling(() => outbound.fetch(...request)),
    };
  }

  /** Also crashes if all work is done and only the acknowledgment is left. */
  async work(work: () => Promise<void>): Promise<void> {
    await this.#calling(work);
  }

  #wrapped<Target extends object>(target: Target, replaced: Partial<Target>): Target {
    return new Proxy(target, {
      get: (_, name) => {
        const value: unknown =
          name in replaced ? Reflect.get(replaced, name) : Reflect.get(target, name, target);
        if (typeof value !== "function" || name in replaced) return value;
        return (...args: unknown[]) =>
          this.#calling(async (): Promise<unknown> => Reflect.apply(value, target, args));
      },
    });
  }
}
