const checkEveryMs = 500;

/**
 * Calls back when the shell that npm put between itself and this process is gone.
 * @NOTE npm hands SIGTERM to that shell, and most shells die of it without a word to what they have started.
 * Tell it on with SIGHUP: a SIGTERM for the whole group has reached the process already, and a second one would count
 * as "at once".
 * @param {() => void} shellIsGone
 */
export function whenNpmShellIsGone(shellIsGone) {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const shell = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(timer);
    shellIsGone();
  }, checkEveryMs);
  timer.unref();
}
