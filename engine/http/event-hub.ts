// Events over the websocket: clients get them in order, from where they left off; one that does not keep up is disconnected.
import type { WebSocket } from "ws";
import { CLOSE, type EventMessage } from "../api/event-message.ts";
import type { QueueState } from "../api/runs.ts";
import { AppError } from "../base/errors.ts";
import { stringifyJson } from "../base/json.ts";
import type { EventLog } from "../store/event-log.ts";

export interface EventHubOptions {
  readonly events: EventLog;
  readonly boot: string;
  readonly queue: () => QueueState;
  /** Called with the number of clients whenever it changes. */
  readonly onClients?: (count: number) => void;
  /** A client that has this much unread is dropped. Default 8 MiB. */
  readonly maxBufferedBytes?: number;
  /** Clients at most. Default 500. */
  readonly maxClients?: number;
}

interface Client {
  readonly socket: WebSocket;
  /** True while it is being sent what it missed; new messages wait in the log. */
  isCatchingUp: boolean;
  isAlive: boolean;
}

/** Messages read from the log at a time: a client that was away for long must not hold up the others. */
const BATCH = 500;

export class EventHub {
  readonly #options: EventHubOptions;
  readonly #clients = new Set<Client>();

  constructor(options: EventHubOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** @throws AppError CLIENTS_FULL */
  checkRoom(): void {
    if (this.#clients.size >= (this.#options.maxClients ?? 500))
      throw new AppError("CLIENTS_FULL", "too many pages listen to this server", { hint: "close some of them" });
  }

  /** @param since the last number the client has seen; undefined = only what comes */
  add(socket: WebSocket, since: number | undefined): void {
    const { events, boot, queue } = this.#options;
    const client: Client = { socket, isCatchingUp: true, isAlive: true };
    this.#clients.add(client);
    this.#options.onClients?.(this.#clients.size);
    const leave = (): void => {
      if (this.#clients.delete(client)) this.#options.onClients?.(this.#clients.size);
    };
    socket.on("close", leave);
    socket.on("error", () => socket.terminate());
    socket.on("pong", () => {
      client.isAlive = true;
    });
    // A client asks by HTTP. Whatever it sends here is a mistake or an attempt.
    socket.on("message", () => socket.close(CLOSE.policy, "this socket only sends"));
    const isReset = since !== undefined && !events.reaches(since);
    const from = since === undefined || isReset ? events.last : since;
    this.#send(client, { kind: "hello", seq: from, isReset, boot, queue: queue() });
    void this.#catchUp(client, from);
  }

  /** Numbered messages must be in the log already. */
  publish(message: EventMessage): void {
    if (this.#clients.size === 0) return;
    const text = stringifyJson(message);
    for (const client of this.#clients) if (!client.isCatchingUp || message.kind === "load") this.#sendText(client, text);
  }

  /** Asks every client for a sign of life; those that gave none since the last time are dropped. */
  ping(): void {
    for (const client of this.#clients) {
      if (!client.isAlive) client.socket.terminate();
      client.isAlive = false;
      if (client.socket.readyState === client.socket.OPEN) client.socket.ping();
    }
  }

  close(): void {
    for (const { socket } of this.#clients) socket.close(CLOSE.restart, "the server ends");
  }

  async #catchUp(client: Client, from: number): Promise<void> {
    const { events } = this.#options;
    let seq = from;
    while (client.socket.readyState === client.socket.OPEN) {
      const missed = events.after(seq, BATCH);
      for (const { seq: number, event } of missed) this.#sendText(client, `{"seq":${number},${event.slice(1)}`);
      seq = missed.at(-1)?.seq ?? seq;
      // Nothing can come between this check and the flag: both happen in one turn of the event loop.
      if (missed.length < BATCH) {
        client.isCatchingUp = false;
        return;
      }
      while (client.socket.bufferedAmount > this.#limit / 2 && client.socket.readyState === client.socket.OPEN)
        await new Promise((resolve) => setTimeout(resolve, 20));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  get #limit(): number {
    return this.#options.maxBufferedBytes ?? 8 * 2 ** 20;
  }

  #send(client: Client, message: EventMessage): void {
    this.#sendText(client, stringifyJson(message));
  }

  #sendText({ socket }: Client, text: string): void {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > this.#limit) {
      socket.close(CLOSE.slow, "it reads too slowly");
      // A client that has stopped reading does not answer the close either.
      setTimeout(() => socket.terminate(), 2000).unref();
      return;
    }
    socket.send(text);
  }
}
