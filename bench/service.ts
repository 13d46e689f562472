import { setTimeout as sleep } from "node:timers/promises";
import { createTokenSigner } from "../src/actions/call/signed-token.ts";
import { encodeCursor } from "../src/routes/http/cursor.ts";
import type { Role } from "../src/domain/actor.ts";
import type { NeonProxy } from "../scripts/stack/neon-proxy.ts";
import { type BenchDatabase, query } from "./databases.ts";

export interface CallOptions {
  method?: "GET" | "POST" | "PATCH" | "PUT";
  tenant: string;
  role?: Role;
  body?: unknown;
}

export interface CallResult<Body> {
  body: Body;
  /** The number reported by the service. */
  roundTrips: number;
}

/** Keeps the platform from compressing responses, because that time is not the Worker's. */
const UNCOMPRESSED = { "accept-encoding": "identity" };

/** A running Worker and its database. */
export class Service {
  readonly baseUrl: string;
  readonly proxy: NeonProxy;
  readonly database: BenchDatabase;
  readonly #signingSecret: string;

  constructor(parts: {
    baseUrl: string;
    proxy: NeonProxy;
    database: BenchDatabase;
    signingSecret: string;
  }) {
    this.baseUrl = parts.baseUrl;
    this.proxy = parts.proxy;
    this.database = parts.database;
    this.#signingSecret = parts.signingSecret;
  }

  /**
   * Calls the service and reads the whole response.
   * @throws Error unless the status is 2xx, so that no failure is measured.
   */
  async call<Body>(path: string, options: CallOptions): Promise<CallResult<Body>> {
    const response = await this.#send(path, options);
    const text = await response.text();
    const timing = /desc="(\d+) round trips?"/.exec(response.headers.get("server-timing") ?? "");
    // The caller states the type of the body.
    const parsed = (text === "" ? null : JSON.parse(text)) as Body;
    return { body: parsed, roundTrips: Number(timing?.[1] ?? 0) };
  }

  /**
   * Calls the service and reads the response without keeping it. Repeats a call that the service is too busy for.
   * @throws Error for any other status, and if the response is not complete.
   */
  async read(path: string, options: CallOptions): Promise<void> {
    for (;;) {
      const response = await this.#fetch(path, options);
      for await (const _ of response.body ?? []);
      if (response.ok) return;
      const retryAfter = response.headers.get("retry-after");
      if (retryAfter === null) throw new Error(`${path} answered ${response.status}`);
      await sleep(Number(retryAfter) * 1000);
    }
  }

  async #send(path: string, options: CallOptions): Promise<Response> {
    const response = await this.#fetch(path, options);
    if (response.ok) return response;
    throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  }

  #fetch(path: string, options: CallOptions): Promise<Response> {
    const { method = "GET", tenant, role = "reviewer", body } = options;
    const key = this.database.tenants.get(tenant)?.keys[role];
    return fetch(`${this.baseUrl}${path}`, {
      method,
      headers: {
        ...UNCOMPRESSED,
        authorization: `Bearer ${key}`,
        ...(method === "POST" && { "idempotency-key": crypto.randomUUID() }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  /** Runs a statement directly in the database, as the superuser. */
  query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return query<Row>(this.database.superuserUrl, text, values);
  }

  /** Returns a cursor for the list of tasks after the given position, without requesting the pages before it. */
  cursor(tenant: string, sort: string, position: { key: string; id: string }): Promise<string> {
    const binding = { tenantId: tenant, operationId: "listTasks", filter: {}, sort };
    return encodeCursor(createTokenSigner(this.#signingSecret), binding, position);
  }
}
