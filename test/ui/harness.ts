// A server on a folder of its own, a browser, and a page that says what it needs in the words of a person.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";

const ROOT = join(import.meta.dirname, "../..");

export interface TestServer {
  readonly url: string;
  /** Its data folder: outputs, saved graphs, journal. */
  readonly folder: string;
  readonly pid: number;
  /** What it last said, when it ended without being asked to. */
  died(): string | undefined;
  /** Ends it; the folder stays. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "whos-who-e2e-"));
}

/** @param folder keep it to start again where an earlier server ended */
export async function startServer(
  options: { readonly folder?: string; readonly port?: number; readonly args?: readonly string[] } = {},
): Promise<TestServer> {
  const folder = options.folder ?? temporaryFolder();
  const child: ChildProcess = spawn(
    process.execPath,
    [
      join(ROOT, "server.ts"),
      ...[
        "--port",
        String(options.port ?? 0),
        "--out",
        join(folder, "out"),
        "--graphs",
        join(folder, "graphs"),
        "--input",
        join(folder, "input"),
      ],
      ...(options.args ?? []),
    ],
    { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NO_COLOR: "1", WHOSWHO_DATA: join(folder, "data") } },
  );
  let output = "";
  let isAsked = false;
  // A test that times out leaves nothing running.
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  let died: string | undefined;
  child.once("exit", (code, signal) => {
    process.off("exit", end);
    if (!isAsked) died = `the server ended with ${signal ?? code}:\n${output.slice(-4000)}`;
  });
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const found = /http:\/\/[\w.:[\]-]+/.exec(output);
      if (found) resolve(found[0]);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}:\n${output}`)));
  });
  return {
    url,
    folder,
    pid: child.pid ?? 0,
    died: () => died,
    stop: (signal = "SIGTERM") =>
      new Promise((resolve) => {
        isAsked = true;
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        child.once("exit", () => resolve());
        child.kill(signal);
      }),
  };
}

export interface BrowserOptions {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  readonly scale?: number;
}

export interface OpenBrowser {
  /** A window with a memory of its own. */
  context(options?: BrowserOptions): Promise<BrowserContext>;
  close(): Promise<void>;
}

/** Debian's Chromium with an empty profile and nothing that calls home. */
export async function openBrowser(): Promise<OpenBrowser> {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--no-first-run",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  return {
    context: async (options = {}) => {
      const context = await browser.newContext({
        viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
        deviceScaleFactor: options.scale ?? 1,
        colorScheme: options.dark === false ? "light" : "dark",
        permissions: ["clipboard-read", "clipboard-write"],
        acceptDownloads: true,
      });
      context.setDefaultTimeout(Number(process.env.E2E_TIMEOUT ?? 120_000));
      return context;
    },
    close: () => browser.close(),
  };
}

/** A page of the editor, and what tests do with it. */
export class Editor {
  readonly page: Page;
  /** Errors of the page that nobody expected. */
  readonly errors: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (e) => this.errors.push(e.message));
    page.on("console", (m) => {
      // A request that is refused, or a server that is gone, is what some tests are about; the page says so itself.
      if (m.type() === "error" && !/Failed to load resource|WebSocket connection/.test(m.text())) this.errors.push(m.text());
    });
  }

  static async open(context: BrowserContext, url: string): Promise<Editor> {
    const editor = new Editor(await context.newPage());
    await editor.page.goto(url);
    await editor.ready();
    return editor;
  }

  async ready(): Promise<void> {
    await this.page.locator("#app[data-ready=true]").waitFor({ state: "attached" });
  }

  get board() {
    return this.page.locator("canvas.board");
  }
  /** The field that edits a value or a title on the canvas. */
  get inPlace() {
    return this.page.locator(".widget-editor");
  }
  get toast() {
    return this.page.locator(".toasts");
  }

  /** Opens a starting point. */
  async startingPoint(title: string): Promise<void> {
    await this.action("Starting points");
    await this.page.locator(".card", { hasText: title }).first().click();
    await this.page.locator(".card").first().waitFor({ state: "detached" });
  }

  /** Runs a command by its name, through Ctrl-K. */
  async action(title: string): Promise<void> {
    await this.page.keyboard.press("Control+k");
    await this.page.getByRole("combobox", { name: "Commands, nodes, graphs, runs" }).fill(title);
    await this.page.getByRole("option", { name: title }).first().click();
  }

  /** The document in view. */
  async document(): Promise<Doc> {
    return this.page.evaluate(() => {
      const { app } = (globalThis as unknown as Handle).whosWho;
      const { nodes, links, groups, reroutes } = app.editor.graph.value;
      return JSON.parse(JSON.stringify({ nodes, links, groups, reroutes }, (_, v) => (typeof v === "bigint" ? v.toString() : v)));
    });
  }

  /** A node by its title or type, once the graph in view has it: what was dropped or opened takes a moment. */
  async node(typeOrTitle: string): Promise<DocNode> {
    const find = (doc: Doc) => doc.nodes.find((n) => n.title === typeOrTitle) ?? doc.nodes.find((n) => n.type === typeOrTitle);
    const found = find(await this.until((doc) => find(doc) !== undefined, `a node ${typeOrTitle}`));
    if (!found) throw new Error(`no node ${typeOrTitle}`);
    return found;
  }

  /** Where a socket is in the window. */
  async socket(node: DocNode, side: "input" | "output", name: string | number): Promise<Spot> {
    const slots = side === "input" ? node.inputs : node.outputs;
    const slot = typeof name === "number" ? name : slots.findIndex((s) => s.name === name);
    const at = await this.page.evaluate(
      ([id, from, index]) => (globalThis as unknown as Handle).whosWho.stage()?.socketAt({ node: id, slot: index }, from),
      [node.id, side, slot] as const,
    );
    if (!at) throw new Error(`no ${side} ${name} of ${node.type}`);
    return { x: at[0], y: at[1] };
  }

  /** The middle of a node's title in the window. */
  async title(node: DocNode): Promise<Spot> {
    const rect = await this.page.evaluate((id) => (globalThis as unknown as Handle).whosWho.stage()?.titleRect(id), node.id);
    if (!rect) throw new Error(`${node.type} is not on the canvas`);
    return { x: rect[0] + rect[2] / 2, y: rect[1] + rect[3] / 2 };
  }

  async widget(node: DocNode, name: string): Promise<Spot> {
    const found = await this.page.evaluate(
      ([id, widget]) => (globalThis as unknown as Handle).whosWho.stage()?.widgetRect(id, widget)?.rect,
      [node.id, name] as const,
    );
    if (!found) throw new Error(`no widget ${name} on ${node.type}`);
    return { x: found[0] + found[2] / 2, y: found[1] + found[3] / 2 };
  }

  /** A point of the canvas in the window, from graph coordinates. */
  async spot(x: number, y: number): Promise<Spot> {
    const rect = await this.page.evaluate(([gx, gy]) => (globalThis as unknown as Handle).whosWho.stage()?.toWindow([gx, gy, 0, 0]), [
      x,
      y,
    ] as const);
    if (!rect) throw new Error("no canvas");
    return { x: rect[0], y: rect[1] };
  }

  async drag(from: Spot, to: Spot, options: { readonly button?: "left" | "right"; readonly release?: boolean } = {}): Promise<void> {
    const { mouse } = this.page;
    await mouse.move(from.x, from.y);
    await mouse.down({ button: options.button ?? "left" });
    await mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 4 });
    await mouse.move(to.x, to.y, { steps: 4 });
    if (options.release !== false) await mouse.up({ button: options.button ?? "left" });
  }

  /** What is drawn on the canvas in a part of the window: red, green, blue and opacity of each of its pixels. */
  pixels(...rect: Four): Promise<number[]> {
    return this.board.evaluate((element, [x, y, w, h]) => {
      const canvas = element as unknown as {
        width: number;
        clientWidth: number;
        getBoundingClientRect(): { left: number; top: number };
        getContext(kind: "2d"): { getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray } };
      };
      const { left, top } = canvas.getBoundingClientRect();
      const ratio = canvas.width / canvas.clientWidth;
      return [...canvas.getContext("2d").getImageData((x - left) * ratio, (y - top) * ratio, w * ratio, h * ratio).data];
    }, rect);
  }

  get inspector() {
    return this.page.getByRole("complementary", { name: "Inspector" });
  }

  /** Drops a file on the canvas as the system does. */
  async dropFile(name: string, type: string, bytes: Buffer): Promise<void> {
    await this.page.evaluate(
      (file) => {
        const g = globalThis as unknown as {
          DataTransfer: new () => { items: { add(f: unknown): void } };
          File: new (b: unknown[], n: string, o: unknown) => unknown;
          DragEvent: new (t: string, o: unknown) => unknown;
          document: { querySelector(s: string): { dispatchEvent(e: unknown): void } };
        };
        const dataTransfer = new g.DataTransfer();
        dataTransfer.items.add(new g.File([Uint8Array.from(file.bytes)], file.name, { type: file.type }));
        const event = new g.DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true, clientX: 300, clientY: 300 });
        g.document.querySelector(".stage").dispatchEvent(event);
      },
      { name, type, bytes: [...bytes] },
    );
  }

  async run(): Promise<void> {
    await this.page.getByRole("button", { name: "Run", exact: true }).click();
  }
  /** The state of the run that this tab shows. */
  state(): Promise<string | undefined> {
    return this.page.evaluate(() => {
      const { app } = (globalThis as unknown as Handle).whosWho;
      return app.runs.summaryOf(app.editor.tab.value.id)?.state;
    });
  }
  /** Selects a node and brings it into view. */
  async goTo(typeOrTitle: string): Promise<DocNode> {
    const node = await this.node(typeOrTitle);
    await this.page.evaluate((id) => (globalThis as unknown as Handle).whosWho.app.goTo(id), String(node.id));
    await this.inspector.getByRole("heading", { level: 2, name: node.title ?? node.type }).waitFor();
    return node;
  }
  /** Changes values by the command that the fields use. */
  async set(node: DocNode, values: Readonly<Record<string, unknown>>): Promise<void> {
    await this.page.evaluate(
      ([id, entries]) => {
        const { editor } = (globalThis as unknown as Handle).whosWho.app;
        const list = entries.map(([name, value]) => ({ id, name, value }));
        editor.perform([{ name: "widgets.set", args: { place: editor.place.value, values: list } }]);
      },
      [node.id, Object.entries(values)] as const,
    );
  }

  /** Adds a node through the search at a point of the graph. */
  async add(type: string, x: number, y: number): Promise<DocNode> {
    const before = await this.document();
    const at = await this.spot(x, y);
    await this.page.mouse.dblclick(at.x, at.y);
    await this.search(type);
    const after = await this.document();
    const added = after.nodes.find((n) => !before.nodes.some((b) => b.id === n.id));
    if (!added) throw new Error(`${type} was not added`);
    return added;
  }

  /** Types into the open search and takes the first choice. */
  async search(text: string): Promise<void> {
    const box = this.page.getByRole("combobox", { name: "Search nodes" });
    await box.fill(text);
    await this.page.getByRole("option").first().waitFor();
    await box.press("Enter");
    await box.waitFor({ state: "detached" });
  }

  async click(
    at: Spot,
    options: { readonly modifiers?: readonly ("Alt" | "Control" | "Shift")[]; readonly button?: "left" | "right" } = {},
  ): Promise<void> {
    for (const m of options.modifiers ?? []) await this.page.keyboard.down(m);
    await this.page.mouse.click(at.x, at.y, { button: options.button ?? "left" });
    for (const m of options.modifiers ?? []) await this.page.keyboard.up(m);
  }

  /** Waits until the document in view is as wanted. */
  async until(check: (doc: Doc) => boolean, what: string): Promise<Doc> {
    const end = Date.now() + 120_000;
    for (;;) {
      const doc = await this.document();
      if (check(doc)) return doc;
      if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
      await this.page.evaluate("new Promise((resolve) => requestAnimationFrame(resolve))");
    }
  }

  async selection(): Promise<readonly (string | number)[]> {
    return this.page.evaluate(() => [...(globalThis as unknown as Handle).whosWho.app.editor.selection.value.nodes]);
  }
}

export interface Spot {
  readonly x: number;
  readonly y: number;
}
export interface DocNode {
  readonly id: number | string;
  readonly type: string;
  readonly title?: string;
  readonly pos: readonly [number, number];
  readonly size: readonly [number, number];
  readonly mode: number;
  readonly flags: Readonly<Record<string, unknown>>;
  readonly inputs: readonly { readonly name: string; readonly type: unknown; readonly link: number | string | null }[];
  readonly outputs: readonly { readonly name: string; readonly links: readonly (number | string)[] | null }[];
  readonly widgets_values?: readonly unknown[];
}
export interface Doc {
  readonly nodes: readonly DocNode[];
  readonly links: readonly {
    readonly id: number | string;
    readonly origin_id: number | string;
    readonly origin_slot: number;
    readonly target_id: number | string;
    readonly target_slot: number;
  }[];
  readonly groups: readonly { readonly title: string; readonly bounding: readonly number[] }[];
  readonly reroutes: readonly { readonly id: number | string }[];
}
type Four = readonly [number, number, number, number];
/** What the page hangs on its window: see ui/main.tsx. */
export interface Handle {
  readonly whosWho: {
    readonly app: {
      readonly editor: {
        readonly graph: { readonly value: Doc };
        readonly selection: { value: { readonly nodes: readonly (string | number)[] } };
        readonly tab: { readonly value: { readonly id: string; readonly name: string } };
        readonly place: { readonly value: string | null };
        perform(commands: readonly unknown[]): boolean;
      };
      goTo(promptId: string): void;
      readonly runs: { summaryOf(tab: string): { readonly id: string; readonly state: string } | undefined };
    };
    /** The file of the graph in view. */
    readonly save: () => string;
    readonly stage: () =>
      | {
          socketAt(
            end: { readonly node: number | string; readonly slot: number },
            side: "input" | "output",
          ): readonly [number, number] | undefined;
          titleRect(id: number | string): Four | undefined;
          widgetRect(id: number | string, name: string): { readonly rect: Four } | undefined;
          toWindow(rect: Four): Four;
          readonly view: { readonly scale: number };
          drawNow(): void;
          readonly isLoading: boolean;
        }
      | undefined;
  };
}
