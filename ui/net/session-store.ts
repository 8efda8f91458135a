// Where open tabs survive a crash: IndexedDB, one entry per browser tab.
import { z } from "zod";

const STORE = "sessions";

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("whos-who", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function transact<T>(mode: IDBTransactionMode, run: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = db.transaction(STORE, mode);
      const request = run(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
      transaction.onerror = () => reject(transaction.error);
    });
  } finally {
    db.close();
  }
}

const entry = z.object({ at: z.number(), text: z.string() });

export async function writeSession(id: string, text: string): Promise<void> {
  await transact("readwrite", (store) => store.put({ at: Date.now(), text }, id));
}

/** For a page that goes this very moment: IndexedDB would not finish in time. What does not fit is left to {@link writeSession}. */
export function writeSessionNow(id: string, text: string): void {
  try {
    localStorage.setItem(`session ${id}`, JSON.stringify({ at: Date.now(), text }));
  } catch {
    // Too large for this store: the last regular writing stands.
  }
}

/** What {@link writeSessionNow} left, once. */
function takeLast(id: string): z.infer<typeof entry> | undefined {
  try {
    const parsed = entry.safeParse(JSON.parse(localStorage.getItem(`session ${id}`) ?? "null"));
    localStorage.removeItem(`session ${id}`);
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/**
 * This browser tab's session: the one it had before a reload, else the newest that no living tab holds, else a new one.
 * The id is held by a lock until the tab ends.
 */
export async function claimSession(): Promise<{ readonly id: string; readonly text: string | undefined }> {
  const known = sessionStorage.getItem("session");
  const ids = (await transact("readonly", (store) => store.getAllKeys()).catch(() => [])).map(String);
  const entries = await Promise.all(
    ids.map(async (id) => ({ id, entry: entry.safeParse(await transact("readonly", (store) => store.get(id))) })),
  );
  const newest = entries.flatMap(({ id, entry: e }) => (e.success ? [{ id, ...e.data }] : [])).sort((a, b) => b.at - a.at);
  // A duplicated browser tab starts with the same sessionStorage: whoever holds the lock keeps the id.
  const candidates = known === null ? newest.map((e) => e.id) : [known, ...newest.map((e) => e.id)];
  for (const id of candidates)
    if (await hold(id, id === known && isReload())) {
      sessionStorage.setItem("session", id);
      const kept = newest.find((e) => e.id === id);
      const last = takeLast(id);
      return { id, text: last && last.at >= (kept?.at ?? 0) ? last.text : kept?.text };
    }
  const id = crypto.randomUUID();
  await hold(id);
  sessionStorage.setItem("session", id);
  return { id, text: undefined };
}

/** The page before this one still holds the session for a moment; a duplicated browser tab holds it for good. */
function isReload(): boolean {
  const [navigation] = performance.getEntriesByType("navigation");
  return navigation instanceof PerformanceNavigationTiming && navigation.type === "reload";
}

const RELEASE_MS = 10_000;

/** @param isEnding who holds it is about to let go: wait for that */
function hold(id: string, isEnding = false): Promise<boolean> {
  if (!("locks" in navigator)) return Promise.resolve(true);
  const how = isEnding ? { signal: AbortSignal.timeout(RELEASE_MS) } : { ifAvailable: true };
  return new Promise((resolve) => {
    navigator.locks
      .request(`whos-who ${id}`, how, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise(() => undefined);
      })
      .catch(() => resolve(false));
  });
}
