import type { EventMessage } from "../api/event-message.ts";
import type { FileRoot } from "../api/files.ts";
import type { SystemInfo } from "../api/system.ts";
import type { Gallery } from "../app/gallery.ts";
import type { RunQueue } from "../app/run-queue.ts";
import type { SettingsFile } from "../app/settings-file.ts";
import type { ComputeHost } from "../host/compute-host.ts";
import type { Places } from "../host/messages.ts";
import type { ReaderHost } from "../host/reader-host.ts";
import type { Registry } from "../node/registry.ts";
import type { GraphFiles } from "../store/graph-files.ts";
import type { OutputDirectory } from "../store/output-directory.ts";
import type { FileFolder, SharedFiles } from "../store/shared-files.ts";

/** What the routes speak to. */
export interface Services {
  readonly queue: RunQueue;
  readonly gallery: Gallery;
  readonly graphs: GraphFiles;
  readonly settings: SettingsFile;
  readonly files: Readonly<Record<Exclude<FileRoot, "input">, FileFolder>> & { readonly input: SharedFiles };
  readonly output: OutputDirectory;
  /** Where thumbnails and the like lie. */
  readonly data: string;
  readonly reader: ReaderHost;
  readonly registry: Registry;
  readonly inputs: Places;
  readonly models: Places;
  /** The compute process of dry runs, for one of them. */
  readonly dryHost: () => Promise<{ readonly host: ComputeHost; readonly release: () => void }>;
  readonly system: () => Promise<SystemInfo>;
  /** The workflow file named on the command line. */
  readonly opened: string | null;
  /** To everyone who listens; numbered here. */
  readonly announce: (message: Announcement) => void;
}

/** A message that belongs to no run, without its number. */
export type Announcement = WithoutSeq<Extract<EventMessage, { readonly kind: "changed" | "log" }>>;
type WithoutSeq<M> = M extends unknown ? Omit<M, "seq"> : never;
