#!/usr/bin/env node
import { runCommandLine } from "./run-command-line.ts";
import { processTerminal } from "./terminal.ts";

/** `stepledger`: the service from a command line. */
process.exitCode = await runCommandLine(process.argv.slice(2), processTerminal());
