import { SingleBar } from "cli-progress";

export interface Progress {
  /** Tells how much is done by now. */
  reach: (done: number) => void;
  /** Tells something in between, such as that the service asked to wait. */
  say: (text: string) => void;
  end: () => void;
}

/** Where progress is shown: a terminal has a bar, anything else plain lines. */
export interface ProgressStream extends NodeJS.WritableStream {
  isTTY?: boolean;
}

/** Shows how far work has come, where it does not mix with what the command prints. */
export function showProgress(
  title: string,
  total: number,
  stream: ProgressStream = process.stderr,
): Progress {
  return stream.isTTY ? showBar(title, total, stream) : showLines(title, total, stream);
}

function showBar(title: string, total: number, stream: ProgressStream): Progress {
  const bar = new SingleBar({
    stream,
    format: `  ${title.padEnd(33)} {bar} {value}/{total}  {note}`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 30,
    emptyOnZero: true,
    // Its own handling of signals would swallow the first Ctrl-C; without it, it must change no terminal setting.
    gracefulExit: false,
    linewrap: true,
  });
  bar.start(total, 0, { note: "" });
  return {
    reach: (done) => bar.update(done, { note: "" }),
    say: (note) => bar.update({ note }),
    end: () => bar.stop(),
  };
}

/** One line for each tenth: a log wants neither silence nor a thousand lines. */
function showLines(title: string, total: number, stream: ProgressStream): Progress {
  let told = 0;
  return {
    reach: (done) => {
      const tenth = total === 0 ? 10 : Math.floor((done * 10) / total);
      if (tenth <= told) return;
      told = tenth;
      stream.write(`  ${title}: ${done}/${total}\n`);
    },
    say: (text) => stream.write(`  ${title}: ${text}\n`),
    end: () => {},
  };
}
