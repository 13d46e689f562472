import type * as z from "zod";
import { stringify } from "safe-stable-stringify";
import { uuidv7 } from "uuidv7";
import type { Role } from "../../domain/actor.ts";
import { forbidden, notADemo, type Refusal, unauthenticated } from "../../domain/refusals.ts";
import type { Outbound } from "../../outbound/post-signed.ts";
import { addressOf, type Principal } from "./principal.ts";
import { BODY_MS_MAX, BodyReader, streamOf } from "./body-reader.ts";
import { namesUnknownValue } from "./closed-list.ts";
import type { Answer, Call, PublicCall, Reply } from "./call.ts";
import {
  BODY_BYTES_MAX,
  type Contract,
  errorsOf,
  rawBody,
  type RawBody,
  type ResponseContract,
} from "./contract.ts";
import type { Edge, EdgeContext } from "./context.ts";
import { isEncoded, readJson } from "./json-body.ts";
import { type Fault, entityTag } from "./problem.ts";
import { readQuery } from "./query-string.ts";
import { mayCall } from "./roles.ts";
import { byteStream, JsonStream, streamBody } from "./streaming.ts";
import { invalid, type Parsed, validate } from "./validation.ts";

/** A contract with its handler. */
export interface Route {
  contract: Contract;
  answer: (context: EdgeContext) => Promise<Response | { fault: Fault }>;
}

interface Input<Params, Query, Body> {
  params: Params;
  query: Query;
  body: Body;
}

/**
 * Returns a route. Every route is created here, so that each checks in the same order: credential, rate limit, role,
 * kind of tenant, conditional headers, input. A caller without the right therefore learns nothing about what exists, and `run` receives
 * only parsed values.
 */
export function createHandler<
  Access extends Role | "public",
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Response extends z.ZodType,
  Alternative extends z.ZodType,
>(
  contract: Contract<Access, Params, Query, Body, Response, Alternative>,
  run: (
    call: Access extends "public" ? PublicCall : Call,
    input: Input<z.output<Params>, z.output<Query>, z.output<Body>>,
  ) => Promise<Answer<z.input<Response> | z.input<Alternative> | JsonStream>>,
): Route {
  const answer: Route["answer"] = async (context) => {
    const { edge, trace, request } = context;
    trace.operationId = contract.operationId;

    const admitted = contract.role === "public" ? null : await admit(contract, context);
    if (admitted !== null && !admitted.ok) return { fault: admitted.fault };
    const conditions = readConditions(contract, request.headers);
    if (!conditions.ok) return { fault: conditions.fault };
    const url = new URL(request.url);
    const input = await readInput(contract, context, url);
    if (!input.ok) return { fault: input.fault };

    const bodyEnd = new AbortController();
    const publicCall: PublicCall = {
      requestId: trace.requestId,
      now: edge.now(),
      settings: edge.settings,
      signer: edge.signer,
      checkReadiness: edge.checkReadiness,
      signal: AbortSignal.any([request.signal, bodyEnd.signal]),
      lastEventId: request.headers.get("last-event-id"),
      range: request.method === "GET" ? request.headers.get("range") : null,
      ifRange: request.headers.get("if-range"),
      isKnown: (etag) => isKnown(request, etag),
      blobs: edge.blobs,
      large: edge.large,
      waitUntil: context.waitUntil,
      outbound: outboundFrom(edge, url),
    };
    // The contract's schemas parsed these values, which the compiler cannot see.
    const call = (
      admitted === null
        ? publicCall
        : {
            ...publicCall,
            ...callerOf(contract, admitted.principal),
            ifMatch: conditions.value.ifMatch,
            operation: {
              id: uuidv7(),
              actorId: admitted.principal.credentialName,
              route: contract.operationId,
              key: conditions.value.idempotencyKey,
              fingerprint: await fingerprintOf(contract, conditions.value, input.value),
            },
          }
    ) as Parameters<typeof run>[0];
    const outcome = await run(call, input.value as Parameters<typeof run>[1]);
    if (outcome.ok) return respond(contract, outcome, context, bodyEnd);
    // To the action, an upload that was cut off is one that is too short.
    if (hasTimedOut(contract, input.value)) return { fault: { code: "request_timeout" } };
    checkDeclared(contract, outcome.refusal, edge);
    return { fault: faultOf(outcome.refusal) };
  };
  return { contract, answer };
}

/** A credential that ends during its call gets the same answer as one that had ended before. */
function faultOf(refusal: Refusal): Fault {
  return refusal.code === "unauthenticated" ? { ...refusal, challenge: "invalid_token" } : refusal;
}

/** How often a call that takes long asks whether its caller is still admitted. */
const CALLER_CHECK_MS = 15_000;

/** Returns the caller's part of a call. */
function callerOf(
  { role: required, service }: Contract,
  { presentRole, ...caller }: Omit<Principal, "recordUse">,
): Omit<Principal, "presentRole" | "recordUse"> & Pick<Call, "checkCaller"> {
  let checkedAt = performance.now();
  const checkCaller = async (): Promise<Refusal | null> => {
    if (performance.now() - checkedAt < CALLER_CHECK_MS) return null;
    checkedAt = performance.now();
    const role = await presentRole();
    if (role === null) return unauthenticated();
    return required === "public" || mayCall(role, required, service) ? null : forbidden(required);
  };
  return { ...caller, checkCaller };
}

/** Adds the host of this request to the service's own hosts, so that no outbound request can reach the service. */
function outboundFrom({ outbound }: Edge, { hostname }: URL): Outbound {
  return { ...outbound, ownHosts: [...outbound.ownHosts, hostname] };
}

type Admitted = { ok: true; principal: Principal } | { ok: false; fault: Fault };

/** Checks the credential, the rate limits, the role, and the kind of the tenant. */
async function admit(contract: Contract, context: EdgeContext): Promise<Admitted> {
  const { edge, trace, request } = context;
  const authenticated = await edge.authenticate({
    method: request.method,
    url: request.url,
    headers: request.headers,
    requestId: trace.requestId,
    clock: edge.now,
  });
  if (!authenticated.ok) {
    const { fault, reason } = authenticated;
    trace.authFailure = reason;
    // Failed attempts are limited by address, so that they do not use up a tenant's own limit.
    const isRefused = fault.code === "unauthenticated";
    const bucket = `refused:${addressOf(request.headers)}`;
    const isLimited = isRefused && !(await edge.isWithinLimit(bucket));
    return isLimited ? { ok: false, fault: { code: "rate_limited" } } : authenticated;
  }
  const { principal } = authenticated;
  const { tenantId, actor, credentialName, database } = principal;
  trace.tenantId = tenantId;
  trace.actor = actor;
  trace.database = database;
  trace.recordUse = principal.recordUse;
  if (!(await edge.isWithinLimit(`${tenantId}:${credentialName}`))) {
    return { ok: false, fault: { code: "rate_limited" } };
  }
  const { role } = contract;
  if (role !== "public" && !mayCall(actor.role, role, contract.service)) {
    return { ok: false, fault: { code: "forbidden", required: role } };
  }
  if (contract.demoOnly && principal.tenantKind !== "demo") {
    return { ok: false, fault: notADemo() };
  }
  return authenticated;
}

interface Conditions {
  ifMatch: number | null;
  idempotencyKey: string | null;
}

function readConditions(contract: Contract, headers: Headers): Parsed<Conditions> {
  const etag = contract.concurrency ? headers.get("if-match") : null;
  const [, eventSeq] = /^"(\d{1,15})"$/.exec(etag ?? "") ?? [];
  if (etag !== null && eventSeq === undefined) {
    return invalidHeader("If-Match", "invalid_etag", 'Must be one strong entity tag, such as "7".');
  }
  const key = contract.idempotency === "none" ? null : headers.get("idempotency-key");
  if (key === null && contract.idempotency === "required") {
    return { ok: false, fault: { code: "idempotency_key_required" } };
  }
  if (key !== null && !/^[\x21-\x7e]{1,255}$/.test(key)) {
    return invalidHeader(
      "Idempotency-Key",
      "invalid_key",
      "Must be 1 to 255 visible ASCII characters.",
    );
  }
  const ifMatch = eventSeq === undefined ? null : Number(eventSeq);
  return { ok: true, value: { ifMatch, idempotencyKey: key } };
}

function invalidHeader(header: string, code: string, message: string): Parsed<never> {
  return { ok: false, fault: invalid([{ path: [header], code, message }]) };
}

type AnyInput = Input<unknown, unknown, unknown>;

async function readInput(
  contract: Contract,
  { request, pathParameters }: EdgeContext,
  url: URL,
): Promise<Parsed<AnyInput>> {
  const params = validate(contract.params, pathParameters);
  if (!params.ok) return params;
  const search = readQuery(url.search, contract.query);
  if (!search.ok) return search;
  const query = validate(contract.query, search.value, { error: namesUnknownValue });
  if (!query.ok) return query;
  const body = await readBody(contract, request);
  if (!body.ok) return body;
  return { ok: true, value: { params: params.value, query: query.value, body: body.value } };
}

async function readBody(contract: Contract, request: Request): Promise<Parsed<unknown>> {
  if (contract.body === null) return { ok: true, value: undefined };
  if (contract.body === rawBody) return readRawBody(contract, request);
  const json = await readJson(request, BODY_BYTES_MAX[contract.bodyMax]);
  if (!json.ok || json.value !== undefined) {
    return json.ok ? validate(contract.body, json.value) : json;
  }
  // A missing body counts as an empty object if every field is optional.
  const empty = contract.body.safeParse({});
  if (empty.success) return { ok: true, value: empty.data };
  return {
    ok: false,
    fault: { code: "malformed_json", detail: "This call requires a JSON body." },
  };
}

/** Returns a raw body without reading it, or a fault if its headers already show that it is not acceptable. */
function readRawBody({ bodyMax }: Contract, request: Request): Parsed<RawBody> {
  if (isEncoded(request)) return { ok: false, fault: { code: "unsupported_media_type" } };
  const { headers } = request;
  const declared = headers.get("content-length");
  const length = declared === null ? null : Number(declared);
  const max = BODY_BYTES_MAX[bodyMax];
  if (length !== null && length > max) {
    return { ok: false, fault: { code: "payload_too_large", max } };
  }
  // The runtime's type does not say so, but a request body is a stream of bytes.
  const body = (request.body ?? new Blob([]).stream()) as ReadableStream<Uint8Array>;
  const reader = new BodyReader(body, BODY_MS_MAX.content);
  const value: RawBody = {
    stream: streamOf(reader),
    length,
    contentType: headers.get("content-type"),
    hasTimedOut: () => reader.hasTimedOut,
  };
  return { ok: true, value };
}

function hasTimedOut(contract: Contract, { body }: AnyInput): boolean {
  // The contract determines the type of the body.
  return contract.body === rawBody && (body as RawBody).hasTimedOut();
}

/** Returns the SHA-256 of the route and the input, which detects a reused idempotency key. Empty without a key. */
async function fingerprintOf(
  contract: Contract,
  { idempotencyKey }: Conditions,
  input: AnyInput,
): Promise<string> {
  if (idempotencyKey === null) return "";
  const canonical = stringify({ route: contract.operationId, ...input });
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function respond(
  contract: Contract,
  reply: Reply<unknown>,
  context: EdgeContext,
  bodyEnd: AbortController,
): Promise<Response> {
  const { response, alternative } = contract;
  const isAlternative = alternative !== undefined && reply.status === alternative.status;
  const declared = isAlternative ? alternative : response;
  const { value } = reply;
  const check = (shown: unknown) => checkShape(contract, declared, shown, context.edge);
  if (!(value instanceof JsonStream)) check(value);
  context.trace.replayed = reply.replayed === true;
  // The first call may have stopped between its commit and its messages.
  if (reply.replayed === true) context.trace.database?.sendAgain();

  const headers = new Headers(reply.headers);
  if (reply.replayed === true) headers.set("idempotency-replayed", "true");
  if (reply.etag !== undefined) headers.set("etag", entityTag(reply.etag));
  const { request } = context;
  const etag = headers.get("etag");
  if (etag !== null && isKnown(request, etag)) {
    if (reply.value instanceof ReadableStream) await reply.value.cancel();
    return new Response(null, { status: 304, headers });
  }
  if (declared.status === 204) return new Response(null, { status: 204, headers });
  if (declared.mediaType !== undefined) {
    if (!headers.has("content-type")) headers.set("content-type", declared.mediaType);
    const body = streamBody(byteStream.parse(reply.value), context, bodyEnd);
    return new Response(body, { status: declared.status, headers });
  }
  headers.set("content-type", "application/json");
  const json =
    value instanceof JsonStream
      ? streamBody(checkedPieces(value, check, context.edge), context, bodyEnd)
      : JSON.stringify(value);
  return new Response(json, { status: declared.status, headers });
}

/** Returns the pieces of a JSON stream. In tests, it fails at the end if the whole does not match its contract. */
async function* checkedPieces(
  { pieces }: JsonStream,
  check: (value: unknown) => void,
  { settings }: Edge,
): AsyncGenerator<string, void> {
  let text = "";
  for await (const piece of pieces) {
    if (settings.environment === "test") text += piece;
    yield piece;
  }
  if (settings.environment === "test") check(JSON.parse(text));
}

/** Rejects a response that does not match its contract. Only in tests: in production, sending it is better than a 500. */
function checkShape(
  { operationId }: Contract,
  { schema }: ResponseContract<z.ZodType>,
  value: unknown,
  { settings }: Edge,
): void {
  if (settings.environment !== "test") return;
  const parsed = schema.safeParse(value);
  if (parsed.success) return;
  const faults = parsed.error.issues.map(({ path, code }) => `${path.join(".")} (${code})`);
  throw new Error(
    `The response of ${operationId} does not match its contract: ${faults.join(", ")}`,
  );
}

function checkDeclared(contract: Contract, { code }: Refusal, { settings }: Edge): void {
  if (settings.environment !== "test" || errorsOf(contract).includes(code)) return;
  throw new Error(`${contract.operationId} does not declare the error ${code}`);
}

/** Returns whether `If-None-Match` names the entity tag, by weak comparison (RFC 9110, section 13.1.2). */
function isKnown({ method, headers }: Request, etag: string): boolean {
  const known = headers.get("if-none-match");
  const isRead = method === "GET" || method === "HEAD";
  if (!isRead || known === null) return false;
  const tags = known.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}
