import { type CallableApi, createCalls } from "../api-calls.ts";
import type { TestService } from "./service.ts";

/** Returns calls to a service in Node, so that tests there can use the helpers that create tasks. */
export function apiOf({ baseUrl, database, tenant, otherTenant }: TestService): CallableApi {
  const send = (path: string, init: RequestInit) => fetch(`${baseUrl}${path}`, init);
  return { database, tenant, otherTenant, ...createCalls(send, tenant) };
}
