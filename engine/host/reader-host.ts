// The parent's side of the reading child: started when first needed, ended when idle, replaced when it dies or takes too long.
import { type ChildProcess, fork } from "node:child_process";
import { AppError } from "../base/errors.ts";
import { computeEnvironment } from "./compute-environment.ts";
import { fromReader, type ReaderAsks, type ReaderGives, type ReaderTask, readerTasks } from "./reader-tasks.ts";

export interface ReaderHostOptions {
  /** The module the child runs: it calls `serveReader`. */
  readonly entry: URL;
  /** Time for one task. Default 20 s. */
  readonly taskMs?: number;
  /** The child is ended after this long without a task. Default 60 s. */
  readonly idleMs?: number;
}

interface Waiting {
  readonly resolve: (gives: unknown) => void;
  readonly reject: (error: AppError) => void;
  readonly timer: NodeJS.Timeout;
}

/** Tasks at a time: pictures are large when they are decoded. The rest wait here. */
const AT_ONCE = 2;

export class ReaderHost {
  readonly #options: ReaderHostOptions;
  #child: ChildProcess | undefined;
  readonly #waiting = new Map<number, Waiting>();
  readonly #line: (() => void)[] = [];
  #next = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: ReaderHostOptions) {
    this.#options = options;
  }

  /**
   * @param taskMs when this task may take longer than others
   * @throws AppError what the task throws; READ_TIMEOUT; READ_DIED when the file took the child down
   */
  async ask<K extends ReaderTask>(task: K, asks: ReaderAsks<K>, taskMs = this.#options.taskMs ?? 20_000): Promise<ReaderGives<K>> {
    if (this.#waiting.size >= AT_ONCE) await new Promise<void>((resolve) => this.#line.push(resolve));
    try {
      const gives = await this.#send(task, asks, taskMs);
      return readerTasks[task].gives.parse(gives) as ReaderGives<K>;
    } finally {
      this.#line.shift()?.();
    }
  }

  close(): void {
    clearTimeout(this.#idle);
    this.#child?.kill("SIGKILL");
  }

  #send(task: string, asks: unknown, taskMs: number): Promise<unknown> {
    clearTimeout(this.#idle);
    const child = this.#start();
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(id)?.reject(
          new AppError("READ_TIMEOUT", `the file was not read within ${taskMs / 1000} s`, { hint: "try again, or use a smaller file" }),
        );
        child.kill("SIGKILL");
      }, taskMs);
      this.#waiting.set(id, { resolve, reject, timer });
      child.send({ id, task, asks }, (error) => {
        if (error) this.#settle(id)?.reject(died());
      });
    });
  }

  #start(): ChildProcess {
    if (this.#child?.connected) return this.#child;
    const child = fork(this.#options.entry, [], {
      serialization: "advanced",
      execArgv: ["--max-old-space-size=512"],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      env: computeEnvironment(),
    });
    this.#child = child;
    child.on("message", (raw: unknown) => {
      const { id, gives, error } = fromReader.parse(raw);
      const waiting = this.#settle(id);
      if (error) waiting?.reject(new AppError(error.code, error.message, error.hint === undefined ? {} : { hint: error.hint }));
      else waiting?.resolve(gives);
    });
    child.once("exit", () => {
      if (this.#child !== child) return;
      this.#child = undefined;
      for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(died());
    });
    return child;
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(waiting?.timer);
    if (this.#waiting.size === 0) {
      clearTimeout(this.#idle);
      this.#idle = setTimeout(() => this.#child?.kill("SIGKILL"), this.#options.idleMs ?? 60_000).unref();
    }
    return waiting;
  }
}

function died(): AppError {
  return new AppError("READ_DIED", "the process that reads files ended while it read this one", {
    hint: "the file is probably damaged: save it again",
  });
}
