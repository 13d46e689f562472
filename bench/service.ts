import { createTokenSigner } from "../src/actions/call/signed-token.ts";
import { encodeCursor } from "../src/routes/http/cursor.ts";
import type { Role } from "../src/domain/actor.ts";
import type { NeonProxy } from "../scripts/stack/neon-proxy.ts";
import { type BenchDatabase, query } from "./databases.ts";

export interface Asked {
  method?: "GET" | "POST" | "PATCH" | "PUT";
  tenant: string;
  role?: Role;
  body?: unknown;
}

export interface Answered<Body> {
  body: Body;
  /** As the service itself says. */
  roundTrips: number;
}

/** The platform compresses answers on the way to their clients: that is nobody's time but its own. */
const UNCOMPRESSED = { "accept-encoding": "identity" };

/** A running Worker, as a client meets it. */
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
   * Calls the service and reads the whole answer.
   * @throws when it is not a 2xx: what failed is not measured.
   */
  async call<Body>(path: string, asked: Asked): Promise<Answered<Body>> {
    const { method = "GET", tenant, role = "reviewer", body } = asked;
    const key = this.database.tenants.get(tenant)?.keys[role];
    const response = await fetch(`${this.baseUrl}${path}`, {
      method,
      headers: {
        ...UNCOMPRESSED,
        authorization: `Bearer ${key}`,
        ...(method === "POST" && { "idempotency-key": crypto.randomUUID() }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    const timing = /desc="(\d+) round trips?"/.exec(response.headers.get("server-timing") ?? "");
    // What the body holds is the caller's request to say.
    const parsed = (text === "" ? null : JSON.parse(text)) as Body;
    return { body: parsed, roundTrips: Number(timing?.[1] ?? 0) };
  }

  /** Looks into the tables, past the service. */
  look<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return query<Row>(this.database.superuserUrl, text, values);
  }

  /** A cursor into the list of tasks, as if all pages before had been asked for. */
  cursor(tenant: string, sort: string, position: { key: string; id: string }): Promise<string> {
    const binding = { tenantId: tenant, operationId: "listTasks", filter: {}, sort };
    return encodeCursor(createTokenSigner(this.#signingSecret), binding, position);
  }
}
