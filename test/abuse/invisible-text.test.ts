import { beforeAll, describe, expect, it, test } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { silenceLog } from "../support/model/quiet.ts";
import { expectDone, freshApi, type TestApi } from "../support/api.ts";
import { expectRefused, invalid, issue } from "./support.ts";

silenceLog();

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

/** Texts of which a reader sees nothing. */
const UNSEEN = {
  "zero-width spaces": "\u200b\u200b",
  "a word joiner and a byte order mark": "\u2060\ufeff",
  "a soft hyphen": "\u00ad",
  "joiners between spaces": "\u200d \u200c",
  "a Hangul filler, which is a letter": "\u3164",
  "the half-width Hangul filler": "\uffa0",
  "an empty Braille cell, which is a symbol": "\u2800",
  "a mark without a letter": "\u0301",
  "tags without a flag": "\u{e0061}\u{e0062}",
  "a variation selector": "\ufe0f",
};

/** Texts that change the order of what is shown around them, or break the line. */
const REORDERING = {
  "an override": "invoice\u202efdp.exe",
  "an embedding": "a\u202bb\u202c",
  "an isolate": "\u2067a\u2069",
  "a line separator": "one\u2028two",
};

/** Names that look like "Ada" in a list, and are not. */
const HIDDEN = {
  "a zero-width space": "A\u200bda",
  "a joiner between Latin letters": "A\u200dda",
  "a variation selector after a Latin letter": "A\ufe0fda",
  "a joiner after a decomposed Latin letter": "E\u0301\u200dva",
  "a soft hyphen": "A\u00adda",
  "a right-to-left mark at its end": "Ada\u200f",
  "a tag": "Ada\u{e0041}",
};

/** What people write. */
const LEGITIMATE = {
  "an emoji family": "👨‍👩‍👧‍👦 and friends",
  "an emoji with a skin tone and a profession": "👩🏽‍💻",
  "a heart on fire": "❤️‍🔥",
  "the flag of England": "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
  "the flag of a country": "🇪🇺",
  "a keycap": "Step 1️⃣",
  Persian: "می‌خواهم",
  Hindi: "क्‍ष",
  Hebrew: "בדיקה של שאלות",
  Arabic: "مراجعة الأسئلة ١٢",
  "an ideograph with a variant": "葛\u{e0100}城",
  Japanese: "山田　太郎",
};

type Send = (text: string) => [method: string, path: string, body: object];

/** Every kind of request that stores a name, and the path of the name in its issues. */
const NAMES: [string, (string | number)[], Send][] = [
  [
    "an external id",
    ["externalId"],
    (externalId) => ["POST", "/tasks", { title: "T", externalId }],
  ],
  ["an assignee", ["assignee"], (assignee) => ["POST", "/tasks", { title: "T", assignee }]],
  [
    "a taxonomy code",
    ["taxonomyCode"],
    (taxonomyCode) => ["POST", "/tasks", { title: "T", taxonomyCode }],
  ],
  ["an API key", ["name"], (name) => ["POST", "/api-keys", { name, role: "viewer" }]],
  ["an eval", ["name"], (name) => ["POST", "/tasks/ext:subject/evals", { name, k: 1 }]],
  [
    "a model",
    ["model"],
    (model) => ["POST", "/tasks/ext:subject/prompts", { role: "user", content: "c", model }],
  ],
  [
    "an agent",
    ["agent"],
    (agent) => ["POST", "/tasks/ext:subject/prompts", { role: "user", content: "c", agent }],
  ],
  [
    "the author of a prompt",
    ["role"],
    (role) => ["POST", "/tasks/ext:subject/prompts", { role, content: "c" }],
  ],
];

const TITLES: [string, (string | number)[], Send][] = [
  ["a new title", ["title"], (title) => ["POST", "/tasks", { title }]],
  ["an edited title", ["title"], (title) => ["PATCH", "/tasks/ext:subject", { title }]],
];

const REASONS: [string, (string | number)[], Send][] = [
  ["a note", ["text"], (text) => ["POST", "/tasks/ext:subject/notes", { text }]],
  [
    "the reason of an archive",
    ["reason"],
    (reason) => ["POST", "/tasks/ext:subject/archive", { reason }],
  ],
];

beforeAll(async () => {
  await api.givenTask({ externalId: "subject" });
});

const expectAllInvalid = async (send: Send, path: (string | number)[], texts: object) => {
  for (const text of Object.values(texts) as string[]) {
    const [method, url, body] = send(text);
    await expectRefused(
      api,
      () => api.call(method, url, { body }),
      invalid(issue(path, "invalid_text")),
    );
  }
};

describe("text of which nothing is visible", () => {
  test.each([...NAMES, ...TITLES, ...REASONS])("is no %s", (_name, path, send) =>
    expectAllInvalid(send, path, UNSEEN),
  );

  it("is no reason of a bulk change", async () => {
    const { id } = await api.givenTask();
    const body = { taskIds: [id], targetStatus: "REJECTED", reason: "\u200b" };
    await expectRefused(
      api,
      () => api.call("POST", "/bulk/execute", { idempotencyKey: "unseen", body }),
      invalid(issue(["reason"], "invalid_text")),
    );
  });

  it("makes a row of an import invalid, and no other", async () => {
    const tasks = [{ title: "\u200b" }, { title: "Seen" }];
    const imported = await api.call("POST", "/tasks/import", { body: { tasks } });
    expect(expectDone(imported)).toMatchObject({
      items: [
        { outcome: "invalid", issues: [{ path: ["title"], code: "invalid_text" }] },
        { outcome: "created" },
      ],
    });
  });
});

test.each([...NAMES, ...TITLES])(
  "%s cannot reorder the line in which it is shown",
  (_name, path, send) => expectAllInvalid(send, path, REORDERING),
);

test.each(NAMES)("%s cannot hide a character", (_name, path, send) =>
  expectAllInvalid(send, path, HIDDEN),
);

describe("what people write", () => {
  test.each(Object.entries(LEGITIMATE))(
    "%s is a title and a name, unchanged",
    async (_name, text) => {
      const body = { title: text, assignee: text, externalId: text };
      const created = await api.call<TaskView>("POST", "/tasks", { body });
      expect(expectDone(created, 201)).toMatchObject(body);
    },
  );

  it("may have direction marks in a title, and may change direction in a reason", async () => {
    const title = "שלום (QA)\u200f";
    const reason = "Slack wrote \u2068@dana\u2069\nin two lines";
    const { id } = await api.givenTask({ title });
    expectDone(await api.call("POST", `/tasks/${id}/notes`, { body: { text: reason } }), 201);
    expect(expectDone(await api.call<TaskView>("GET", `/tasks/${id}`)).title).toBe(title);
  });
});

it("finds a task by an external id from before the rules", async () => {
  const { id } = await api.givenTask({ externalId: "old" });
  await api.database.query("owner", "alter table tasks disable trigger user");
  await api.database.query("owner", "update tasks set external_id = $2 where id = $1", [
    id,
    "o\u200bld",
  ]);
  await api.database.query("owner", "alter table tasks enable trigger user");
  const path = `/tasks/${encodeURIComponent("ext:o\u200bld")}`;
  expect(expectDone(await api.call<TaskView>("GET", path)).id).toBe(id);
});
