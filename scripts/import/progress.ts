import { SingleBar } from "cli-progress";

export interface Progress {
  /** Sets how much is done. */
  update: (done: number) => void;
  /** Shows a note, such as the reason for a retry. */
  note: (text: string) => void;
  end: () => void;
}

/** The stream to show progress on: a bar on a terminal, otherwise plain lines. */
export interface ProgressStream extends NodeJS.WritableStream {
  isTTY?: boolean;
}

/** Shows the progress of work, by default on standard error, so that it does not mix with the command's output. */
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
    // The bar's signal handler would swallow the first Ctrl-C. Without the handler, the bar must not change terminal
    // settings, because nothing would restore them; `linewrap` keeps it from doing so.
    gracefulExit: false,
    linewrap: true,
  });
  bar.start(total, 0, { note: "" });
  return {
    update: (done) => bar.update(done, { note: "" }),
    note: (note) => bar.update({ note }),
    end: () => bar.stop(),
  };
}

/** Writes one line for each tenth, so that a log is neither silent nor flooded. */
function showLines(title: string, total: number, stream: ProgressStream): Progress {
  let shown = 0;
  return {
    update: (done) => {
      const tenth = total === 0 ? 10 : Math.floor((done * 10) / total);
      if (tenth <= shown) return;
      shown = tenth;
      stream.write(`  ${title}: ${done}/${total}\n`);
    },
    note: (text) => stream.write(`  ${title}: ${text}\n`),
    end: () => {},
  };
}
