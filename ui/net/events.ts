// The server's events, without gaps: after every break it asks from the last number it has seen.
import { CLOSE, type EventMessage, eventMessage } from "../../engine/api/event-message.ts";
import { parseJson } from "../../engine/base/json.ts";

export interface EventHandlers {
  message(message: EventMessage): void;
  /** `isGone`: it was open and is no more, or never opened. */
  state(isOpen: boolean): void;
}

const LIMITS = { maxCharacters: 16 << 20, maxDepth: 100 };
const WAIT = [100, 250, 500, 1000, 2000, 4000];

export class EventStream {
  readonly #handlers: EventHandlers;
  #since: number | undefined;
  #socket: WebSocket | undefined;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isEnded = false;

  constructor(handlers: EventHandlers) {
    this.#handlers = handlers;
  }

  start(): void {
    if (this.#isEnded) return;
    const url = new URL("/api/events", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (this.#since !== undefined) url.searchParams.set("since", String(this.#since));
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.addEventListener("message", (e) => this.#receive(String(e.data)));
    socket.addEventListener("open", () => this.#handlers.state(true));
    socket.addEventListener("close", (e) => {
      this.#handlers.state(false);
      if (this.#isEnded || e.code === CLOSE.policy) return;
      this.#timer = setTimeout(() => this.start(), WAIT[Math.min(this.#failures++, WAIT.length - 1)]);
    });
  }

  /** Now, without waiting out the pause between tries. */
  retry(): void {
    if (this.#socket?.readyState === WebSocket.OPEN || this.#isEnded) return;
    clearTimeout(this.#timer);
    this.#failures = 0;
    if (this.#socket?.readyState !== WebSocket.CONNECTING) this.start();
  }

  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #receive(text: string): void {
    const parsed = eventMessage.safeParse(parseJson(text, LIMITS));
    if (!parsed.success) return;
    const message = parsed.data;
    if (message.kind === "hello") {
      this.#failures = 0;
      this.#since = message.isReset || this.#since === undefined ? message.seq : this.#since;
    } else if ("seq" in message) {
      // What is sent again after a break may overlap with what came before it.
      if (this.#since !== undefined && message.seq <= this.#since) return;
      this.#since = message.seq;
    }
    this.#handlers.message(message);
  }
}
