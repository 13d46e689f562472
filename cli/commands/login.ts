import { parseArgs } from "node:util";
import { connect } from "../../client/index.ts";
import { accountPath, keepAccount, requireKey, requireUrl, said } from "../account.ts";
import { type Command, COMMON_OPTIONS, understood } from "../command.ts";
import { EXIT, UsageFault } from "../exit-codes.ts";
import { jsonLine, plain } from "../render.ts";
import type { Terminal } from "../terminal.ts";

export const login: Command = {
  name: "login",
  summary: "keep an address and a key for the commands that follow",
  usage: `login --url URL [--json]

The key is taken from STEPLEDGER_KEY, or asked for, or read from standard input; never from the command line,
where others could see it.`,
  run: async (args, { terminal }) => {
    const { values } = understood(() =>
      parseArgs({ args, options: { ...COMMON_OPTIONS, url: { type: "string" } } }),
    );
    const given = values.url ?? said(terminal.environment, "STEPLEDGER_URL");
    if (given === undefined) throw new UsageFault("--url is missing.");
    const account = { url: requireUrl(given), key: await readKey(terminal) };
    // A key that is not good is told now, not at the next command.
    const { tenant, actor } = await connect({ baseUrl: account.url, key: account.key }).getMe();
    const path = accountPath(terminal.environment);
    await keepAccount(path, account);
    if (values.json) terminal.write(jsonLine({ url: account.url, tenant, actor }));
    else {
      terminal.write(`Logged in to ${plain(tenant.name)} as ${plain(actor.name)}, ${actor.role}.`);
      terminal.tell(`Kept in ${path}, readable by you alone.`);
    }
    return EXIT.done;
  },
};

async function readKey(terminal: Terminal): Promise<string> {
  const { environment, isInteractive, ask, readInput } = terminal;
  const given =
    said(environment, "STEPLEDGER_KEY") ??
    (isInteractive ? await ask("Key: ", { isSecret: true }) : await readInput());
  return requireKey(given);
}
