// How a command's process behaves towards the one that started it.

/** The reader of a pipe may go away (`graph run … | head -2`), and so may the terminal: the run continues without them. */
export function outliveReaders(): void {
  let isTold = false;
  process.stdout.on("error", (error) => {
    if (!isTold) console.error(`standard output is closed (${error.message}): nothing more is printed there, but the run continues`);
    isTold = true;
  });
  process.stderr.on("error", () => undefined);
}

/** When the launcher (`graph.mjs` on an older Node) is gone, by kill -9 at worst, this process ends as if it had been asked to. */
export function endWithLauncher(): void {
  if (!process.env.WHOSWHO_LAUNCHER || !process.channel) return;
  process.channel.unref();
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
}
