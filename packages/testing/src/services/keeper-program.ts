/**
 * The program of the keeper process, for `node -e`. It is text because it must run without a file of its own: what is
 * published is bundled. Arguments: the signal that ends the child, then the folders to remove.
 */
export const keeperProgram = `
const { spawn } = require("node:child_process");
const { rmSync } = require("node:fs");
const [stopSignal, ...folders] = process.argv.slice(1);
let child;
let ending = false;

function tell(message) {
  if (process.connected) process.send(message, () => {});
}

function tellLines(stream) {
  let rest = "";
  stream.setEncoding("utf8").on("data", (text) => {
    const lines = (rest + text).split("\\n");
    rest = lines.pop().slice(0, 1000);
    for (const line of lines) tell({ type: "line", text: line.slice(0, 1000) });
  });
}

function run({ file, args, cwd, uid, gid }) {
  child = spawn(file, args, { cwd, uid, gid, stdio: ["ignore", "pipe", "pipe"] });
  child.on("spawn", () => tell({ type: "started", pid: child.pid }));
  child.on("error", (error) => tell({ type: "refused", reason: error.message }));
  tellLines(child.stdout);
  tellLines(child.stderr);
  child.on("close", (code, signal) => {
    child = undefined;
    tell({ type: "exited", outcome: signal ? "was ended by " + signal : "ended with " + code });
    if (ending) leave();
  });
}

function end() {
  if (ending) return;
  ending = true;
  if (!child) return leave();
  child.kill(stopSignal);
  setTimeout(() => child?.kill("SIGKILL"), 10_000).unref();
}

function leave() {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  // Not process.exit(), which would cut off what is still to be told.
  if (process.connected) process.disconnect();
}

process.on("message", (message) => {
  if (message.end) end();
  else if (message.run && !ending) run(message.run);
  else if (message.kill && child) child.kill(message.kill);
});
process.on("disconnect", end);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, end);
`;
