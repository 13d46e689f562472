import { parseArgs } from "node:util";
import { connect } from "../../client/index.ts";
import { accountPath, saveAccount, requireKey, requireUrl, readVariable } from "../account.ts";
import { type Command, COMMON_OPTIONS, parseOrThrow } from "../command.ts";
import { EXIT, UsageError } from "../exit-codes.ts";
import { jsonLine, plain } from "../render.ts";
import type { Terminal } from "../terminal.ts";

export const login: Command = {
  name: "login",
  summary: "save a URL and a key for later commands",
  usage: `login --url URL [--json]

Takes the key from STEPLEDGER_KEY, or asks for it, or reads it from standard input if there is no terminal. The key is
never an argument, because other users could see it in the process list.`,
  run: async (args, { terminal }) => {
    const { values } = parseOrThrow(() =>
      parseArgs({ args, options: { ...COMMON_OPTIONS, url: { type: "string" } } }),
    );
    const given = values.url ?? readVariable(terminal.environment, "STEPLEDGER_URL");
    if (given === undefined) throw new UsageError("--url is missing.");
    const account = { url: requireUrl(given), key: await readKey(terminal) };
    // Check the key now, so that a wrong one is not saved.
    const { tenant, actor } = await connect({ baseUrl: account.url, key: account.key }).getMe();
    const path = accountPath(terminal.environment);
    await saveAccount(path, account);
    if (values.json) terminal.write(jsonLine({ url: account.url, tenant, actor }));
    else {
      terminal.write(`Logged in to ${plain(tenant.name)} as ${plain(actor.name)}, ${actor.role}.`);
      terminal.note(`Saved to ${path}, which only you can read.`);
    }
    return EXIT.done;
  },
};

async function readKey(terminal: Terminal): Promise<string> {
  const { environment, isInteractive, ask, readInput } = terminal;
  const given =
    readVariable(environment, "STEPLEDGER_KEY") ??
    (isInteractive ? await ask("Key: ", { isSecret: true }) : await readInput());
  return requireKey(given);
}
