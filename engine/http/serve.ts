// The server put together: lock, journal, queue, hosts, guards. `server.ts` gives it what only it knows.
import { randomUUID } from "node:crypto";
import { mkdir, readFile, realpath, statfs } from "node:fs/promises";
import { availableParallelism, freemem } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { EventMessage } from "../api/event-message.ts";
import type { SystemInfo } from "../api/system.ts";
import { computeSettings } from "../app/compute-settings.ts";
import { describeInterrupted } from "../app/describe-interrupted.ts";
import { Gallery } from "../app/gallery.ts";
import { OtherRuns } from "../app/other-runs.ts";
import { dataFolder } from "../app/places.ts";
import type { Program } from "../app/program.ts";
import { RunFeed } from "../app/run-feed.ts";
import { RunFiles } from "../app/run-files.ts";
import { RunQueue } from "../app/run-queue.ts";
import { SettingsFile } from "../app/settings-file.ts";
import { TrackerFeed } from "../app/trackers/tracker-feed.ts";
import { TrainingLog } from "../app/training/training-log.ts";
import { untoldRuns } from "../app/untold-runs.ts";
import { versionsOf } from "../app/versions.ts";
import { AppError, toAppError } from "../base/errors.ts";
import { stringifyJson } from "../base/json.ts";
import { memoryLimit } from "../base/memory-limit.ts";
import { ComputeHost } from "../host/compute-host.ts";
import type { ComputeSettings } from "../host/messages.ts";
import { ReaderHost } from "../host/reader-host.ts";
import { Registry } from "../node/registry.ts";
import { writeAtomic } from "../store/atomic-write.ts";
import { lockData } from "../store/data-lock.ts";
import { EventLog } from "../store/event-log.ts";
import { codeOf } from "../store/file-system.ts";
import { GraphFiles } from "../store/graph-files.ts";
import { Journal } from "../store/journal.ts";
import { ModelFolders } from "../store/model-folders.ts";
import { OutputDirectory } from "../store/output-directory.ts";
import { SharedFiles } from "../store/shared-files.ts";
import { storeError } from "../store/store-error.ts";
import { loadToken } from "./access-token.ts";
import { EventHub } from "./event-hub.ts";
import { fileHandlers } from "./file-handlers.ts";
import { graphHandlers } from "./graph-handlers.ts";
import { startHttpServer } from "./http-server.ts";
import { preferenceHandlers } from "./preference-handlers.ts";
import { runHandlers } from "./run-handlers.ts";
import type { Announcement, Services } from "./services.ts";

export interface ServeOptions {
  readonly program: Program;
  /** Module of the reading child. */
  readonly reader: URL;
  readonly page?: string;
  readonly host: string;
  readonly port: number;
  readonly names: readonly string[];
  readonly input: string;
  readonly output: string;
  readonly graphs: string;
  readonly models: readonly string[];
  readonly device: ComputeSettings["device"];
  readonly threads?: number | undefined;
  /** A workflow file to open. */
  readonly open: string | null;
  readonly onStderr: (text: string) => void;
}

export interface Served {
  /** Address to open in a browser, with the token where there is one. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** From cancel to SIGKILL: the child is gone within two seconds, unless its node ends itself. */
const GRACE_MS = 1500;
/** The compute process of dry runs is ended when it has been idle for this long. */
const SPARE_IDLE_MS = 60_000;
const LOAD_MS = 5000;
/** Between two looks for runs of the command line. */
const OTHERS_MS = 1000;

/** @throws AppError STORE_LOCKED, SERVER_PORT, STORE_* */
export async function serve(options: ServeOptions): Promise<Served> {
  const { program, device, threads } = options;
  const data = dataFolder(program);
  const unlock = lockData(data);
  const undo: (() => void | Promise<void>)[] = [unlock];
  try {
    return await assemble(options, data, undo);
  } catch (error) {
    for (const step of undo.toReversed()) await step();
    throw error;
  }

  async function assemble({ page, reader: readerEntry }: ServeOptions, folder: string, cleanUp: typeof undo): Promise<Served> {
    for (const path of [options.input, options.output, folder]) await mkdir(path, { recursive: true });
    const output = await OutputDirectory.open(options.output);
    const journal = new Journal(join(folder, "journal.sqlite"));
    cleanUp.push(() => journal.close());
    const events = new EventLog(join(folder, "events.sqlite"));
    cleanUp.push(() => events.close());
    const registry = new Registry(await program.nodes());
    const versions = await versionsOf(program);
    const settings = new SettingsFile(join(folder, "settings.json"));
    const compute = computeSettings(program, versions, { device, threads });
    const newHost = () => new ComputeHost({ entry: program.worker, settings: compute, graceMs: GRACE_MS, onStderr: options.onStderr });
    const host = newHost();
    cleanUp.push(() => host.close());
    const reader = new ReaderHost({ entry: readerEntry });
    cleanUp.push(() => reader.close());
    const opened = options.open;
    const examples = join(program.root, "graphs", "input");
    const beside = opened === null ? [] : [join(dirname(opened), "input"), dirname(opened)];
    const inputs = { roots: [options.input, ...beside, examples], allowed: {} };
    const models = { roots: [...options.models], allowed: {} };
    const boot = randomUUID();
    const state = await serverState(folder);
    const hub: EventHub = new EventHub({
      events,
      boot,
      queue: () => queue.state(),
      onClients: (count) => host.watch(count > 0),
    });
    const runFeed = new RunFeed(events, (message) => {
      hub.publish(message);
      if (message.kind === "run") feed.event(message.event);
    });
    const queue: RunQueue = new RunQueue({
      journal,
      feed: runFeed,
      host,
      registry,
      output,
      inputs,
      models,
      device,
      threads: threads ?? availableParallelism(),
      versions,
      isPaused: state.isPaused,
      savePaused: (isPaused) => writeAtomic(join(folder, "server.json"), new TextEncoder().encode(JSON.stringify({ isPaused }))),
    });
    const announce = (message: Announcement): void => {
      const numbered: EventMessage = { ...message, seq: events.append("", stringifyJson(message)) };
      hub.publish(numbered);
    };
    const feed = new TrackerFeed({
      trackers: async () => (await settings.read()).trackers,
      log: (directory) => new TrainingLog(join(output.root, directory)),
      describe: (run, node) => {
        const { summary, parameters } = queue.history.detail(run);
        const values = parameters.flatMap((p) => (p.node === node ? [[p.input, p.value] as const] : []));
        return { name: summary.name, started: summary.started ?? Date.now(), settings: Object.fromEntries(values) };
      },
      warn: (message) => announce({ kind: "log", level: "warn", message }),
    });
    const system = async (): Promise<SystemInfo> => ({
      versions,
      device,
      devices: await backends,
      cores: availableParallelism(),
      threads: threads ?? availableParallelism(),
      memory: { totalBytes: memoryLimit(), freeBytes: freemem(), computeBytes: await residentBytes(host.pid) },
      disk: { freeBytes: await freeBytes(options.output) },
      folders: { input: options.input, output: output.root, models: [...options.models], data: folder },
      boot,
      opened,
    });
    // Loading the runtime here would take longer than all the rest, and could take the server down.
    const backends = Promise.resolve([
      { name: "cpu", bundled: true },
      { name: "webgpu", bundled: true },
      { name: "cuda", bundled: false },
    ]);
    let spare: ComputeHost | undefined;
    let spareIdle: NodeJS.Timeout | undefined;
    cleanUp.push(async () => {
      clearTimeout(spareIdle);
      await spare?.close();
    });
    // Never the runs' own process: a run that begins meanwhile would find it busy. One dry run at a time.
    let line: Promise<void> = Promise.resolve();
    const dryHost: Services["dryHost"] = async () => {
      const before = line;
      const { promise, resolve } = Promise.withResolvers<void>();
      line = promise;
      await before;
      clearTimeout(spareIdle);
      spare ??= newHost();
      return {
        host: spare,
        release() {
          spareIdle = setTimeout(() => {
            void spare?.close();
            spare = undefined;
          }, SPARE_IDLE_MS).unref();
          resolve();
        },
      };
    };
    const services: Services = {
      queue,
      gallery: new Gallery({ folder: join(program.root, "graphs"), registry, inputs, models }),
      graphs: new GraphFiles(options.graphs),
      settings,
      files: {
        input: new SharedFiles([options.input, examples, ...beside.slice(0, 1)], "follow"),
        output: new SharedFiles([output.root]),
        temp: new SharedFiles([join(output.root, "temp")]),
        run: new RunFiles(queue.history),
      },
      output,
      data: folder,
      reader,
      registry,
      inputs,
      models,
      dryHost,
      system,
      opened,
      announce,
    };
    const modelList = async () => ({
      models: [...(await new ModelFolders({ roots: options.models }).found())],
      roots: [...options.models],
    });
    const isOpen = !["127.0.0.1", "::1", "localhost"].includes(options.host);
    const token = isOpen ? await loadToken(folder) : undefined;
    const http = await startHttpServer({
      handlers: {
        ...fileHandlers({ ...services, modelList }),
        ...graphHandlers(services),
        ...preferenceHandlers(services),
        ...runHandlers(services),
      },
      hub,
      ...(page !== undefined && { page }),
      host: options.host,
      port: options.port,
      names: options.names,
      ...(token !== undefined && { token }),
      onFault: (error) => {
        const { message, stack } = toAppError(error);
        options.onStderr(`fault: ${stack ?? message}\n`);
        announce({ kind: "log", level: "error", message: `The server has a fault: ${message}` });
      },
    });
    cleanUp.push(() => http.close());
    const described = await describeInterrupted(journal, events);
    for (const run of new Set([...described, ...untoldRuns(journal, events)])) runFeed.summary(queue.history.summary(run));
    queue.start();
    const others = new OtherRuns(journal, queue.history, runFeed);
    const look = setInterval(() => hub.size > 0 && others.look(), OTHERS_MS).unref();
    const load = setInterval(() => {
      if (hub.size === 0) return;
      void residentBytes(host.pid).then((computeBytes) => hub.publish({ kind: "load", computeBytes, freeBytes: freemem() }));
    }, LOAD_MS).unref();
    return {
      url: token === undefined ? http.url : `${http.url}?token=${token}`,
      port: http.port,
      async close() {
        clearInterval(load);
        clearInterval(look);
        await queue.close();
        for (const step of cleanUp.toReversed()) await step();
      },
    };
  }
}

const stateFile = z.object({ isPaused: z.boolean() });

/** @throws AppError STORE_STATE when the file is there and can't be read: a queue that its user paused must not begin by itself */
async function serverState(folder: string): Promise<z.infer<typeof stateFile>> {
  const path = join(folder, "server.json");
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw storeError("read", path, error);
  });
  if (text === undefined) return { isPaused: false };
  try {
    return stateFile.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError("STORE_STATE", `${path} is damaged: it does not say whether the queue was paused`, {
      hint: "remove the file: the queue then begins at once",
      cause,
    });
  }
}

async function residentBytes(pid: number | undefined): Promise<number | null> {
  if (pid === undefined) return null;
  const status = await readFile(`/proc/${pid}/status`, "latin1").catch(() => "");
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

async function freeBytes(path: string): Promise<number | null> {
  return statfs(await realpath(path).catch(() => path)).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => null,
  );
}
